// From native code to a socket of node:net: what its handle's onread does in Node.
//
// Few bytes are copied out of the memory that they were received into. A connection that brings
// LARGE_BYTES or more at a time is read by JavaScript itself, straight into a Buffer that is handed
// over.
import { isUint8Array } from 'node:util/types';
import { Command } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { UV } from './errno.js';
import { command, flushOutsideOfTurn, type OpenHandle } from './open_handle.js';
import type { NodeSocket } from './seams.js';
import { socketOf, symbols } from './symbols.js';

const LARGE_BYTES = 4096;
/** So many large reads in a row, and the next ones are its own. */
const LARGE_READS = 2;
/** So many small ones of its own, and they are native code's again. */
const SMALL_READS = 4;
const ROOM_MIN = 8 * 1024;
const ROOM_MAX = 64 * 1024;
/** Native code's number of the call. */
const READ = 1;
/** Reads of its own in one turn. */
const READS_PER_TURN = 2;

/** Room that a read has not needed. */
let spare: Buffer | undefined;

type Held = { bytes: Buffer } | { end: true } | { error: Error };

export class Reading {
  /** Bytes that have come. */
  bytes = 0;
  readonly #handle: OpenHandle;
  /** Node wants bytes. */
  #started = false;
  /** Native code receives. */
  #receives = false;
  #held: Held[] | undefined;
  #ticks = false;
  #readsItself = false;
  /** Reads in a row that call for the other way of reading. */
  #streak = 0;
  #room = ROOM_MAX;

  constructor(handle: OpenHandle) {
    this.#handle = handle;
  }

  /** Native code has begun to receive. */
  open(): void {
    this.#receives = true;
  }

  /** Node has had its chance to begin. */
  settle(): void {
    if (!this.#started) this.#pause();
  }

  /** Whether it keeps the process alive by itself. */
  get active(): boolean {
    return this.#receives;
  }

  start(): number {
    if (this.#started) return 0;
    this.#started = true;
    if (this.#held !== undefined) this.#tickHeld();
    else this.#resume();
    return 0;
  }

  stop(): void {
    this.#started = false;
    this.#pause();
  }

  #pause(): void {
    if (!this.#receives) return;
    this.#receives = false;
    if (!this.#handle._over) command(this.#handle, Command.pause);
  }

  #resume(): void {
    if (this.#receives || this.#handle._over) return;
    this.#receives = true;
    command(this.#handle, Command.resume);
    flushOutsideOfTurn();
  }

  /** Received bytes lie in the slab until the turn is over. */
  data(slab: Buffer, offset: number, length: number): void {
    this.bytes += length;
    // After _release() the bytes are taken already.
    if (this.#handle._closed) return;
    if (!this.#started || this.#held !== undefined) {
      this.#hold({ bytes: copied(slab, offset, length) });
      return;
    }
    this.#streak = length >= LARGE_BYTES ? this.#streak + 1 : 0;
    if (this.#streak >= LARGE_READS) this.#readItself(true);
    const socket = socketOf(this.#handle);
    if (socket === undefined) return;
    if (socket[symbols.buffer]) this.#push(socket, slab.subarray(offset, offset + length));
    else this.#push(socket, copied(slab, offset, length));
  }

  #readItself(on: boolean): void {
    this.#streak = 0;
    const { _slot: slot, _generation: generation } = this.#handle;
    if (runtime().native.tellReadable(slot, generation, on)) this.#readsItself = on;
  }

  /** It is readable, and reads itself. */
  readable(): void {
    for (let i = 0; i < READS_PER_TURN && this.#readsItself; i++) {
      const handle = this.#handle;
      const socket = socketOf(handle);
      if (!this.#started || this.#held !== undefined || handle._over || handle._closed) return;
      if (socket === undefined || !this.#readOnce(socket)) return;
    }
  }

  #readOnce(socket: NodeSocket): boolean {
    const { _slot: slot, _generation: generation } = this.#handle;
    const into = roomOf(this.#room);
    const room = into.length;
    const length = runtime().native.readInto(slot, generation, into);
    if (length === 0) {
      spare = into;
      return false;
    }
    this.bytes += length;
    this.#streak = length < LARGE_BYTES ? this.#streak + 1 : 0;
    // Little in a large Buffer would keep all of it.
    const fits = length > room / 2;
    const bytes = fits ? into.subarray(0, length) : copied(into, 0, length);
    if (!fits) spare = into;
    this.#room = roomFor(length, room);
    if (this.#streak >= SMALL_READS) this.#readItself(false);
    this.#push(socket, bytes);
    return length === room;
  }

  #push(socket: NodeSocket, bytes: Buffer): void {
    socket._unrefTimer();
    if (socket.destroyed) return;
    if (socket[symbols.buffer]) {
      this.#fill(socket, bytes);
    } else if (!socket.push(bytes)) {
      this.#refused(socket);
    }
  }

  #refused(socket: NodeSocket): void {
    this.#handle.reading = false;
    if (!socket.destroyed) this.stop();
  }

  /** The option `onread`: into the buffer of the user, as often as it takes. */
  #fill(socket: NodeSocket, bytes: Buffer): void {
    const call = socket[symbols.bufferCallback] as (length: number, into: Uint8Array) => unknown;
    for (let at = 0; at < bytes.length && !socket.destroyed; ) {
      const into = socket[symbols.buffer] as Uint8Array;
      const piece = bytes.subarray(at, at + into.length);
      if (piece.length === 0) {
        socket.destroy(systemError(-UV.ENOBUFS, READ));
        return;
      }
      into.set(piece);
      at += piece.length;
      const goesOn = call.call(socket, piece.length, into) !== false;
      const make = socket[symbols.bufferMaker] as (() => unknown) | null;
      const next = make?.();
      if (isUint8Array(next)) socket[symbols.buffer] = next;
      if (goesOn && this.#started) continue;
      if (!goesOn) this.#refused(socket);
      if (at < bytes.length) this.#holdFirst({ bytes: Buffer.from(bytes.subarray(at)) });
      return;
    }
  }

  /** The peer's FIN. */
  end(): void {
    if (!this.#started || this.#held !== undefined) this.#hold({ end: true });
    else this.#end();
  }

  #end(): void {
    this.#receives = false;
    const socket = socketOf(this.#handle) as (NodeSocket & { _readableState: State }) | undefined;
    if (socket === undefined || this.#handle._closed) return;
    socket._unrefTimer();
    if (socket._readableState.endEmitted) return;
    socket.push(null);
    socket.read(0);
  }

  /** Native code has closed the connection. */
  failed(error: Error | undefined): void {
    this.#receives = false;
    if (error === undefined) this.end();
    else if (!this.#started || this.#held !== undefined) this.#hold({ error });
    else socketOf(this.#handle)?.destroy(error);
  }

  drop(): void {
    this.#held = undefined;
    this.#started = false;
  }

  /** A copy of received bytes. */
  static copied = copied;

  /** What nobody has been told of yet. */
  takeHeld(): Buffer[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held.flatMap((each) => ('bytes' in each ? [each.bytes] : []));
  }

  #hold(held: Held): void {
    this.#held ??= [];
    this.#held.push(held);
  }

  #holdFirst(held: Held): void {
    this.#held ??= [];
    this.#held.unshift(held);
  }

  /** Whoever starts reading is not ready for it within the call. */
  #tickHeld(): void {
    if (this.#ticks) return;
    this.#ticks = true;
    process.nextTick(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    this.#ticks = false;
    try {
      while (this.#held !== undefined && this.#started) {
        const next = this.#held.shift();
        if (next === undefined) this.#held = undefined;
        else this.#deliver(next);
      }
    } finally {
      if (this.#held !== undefined && this.#started) this.#tickHeld();
    }
    if (this.#started) this.#resume();
  }

  #deliver(held: Held): void {
    const socket = socketOf(this.#handle);
    if (socket === undefined || this.#handle._closed) return;
    if ('bytes' in held) this.#push(socket, held.bytes);
    else if ('end' in held) this.#end();
    else socket.destroy(held.error);
  }
}

interface State {
  endEmitted: boolean;
}

/** Such a Buffer, or one that is not much larger and has not been needed. */
function roomOf(bytes: number): Buffer {
  const kept = spare;
  spare = undefined;
  const isFit = kept !== undefined && kept.length >= bytes && kept.length < 2 * bytes;
  return isFit ? kept : Buffer.allocUnsafeSlow(bytes);
}

/** A little more than came last: a read that fills its room is followed by another one. */
function roomFor(length: number, room: number): number {
  const wanted = length === room ? room * 2 : length + (length >> 2);
  return Math.min(Math.max(wanted, ROOM_MIN), ROOM_MAX);
}

function copied(slab: Buffer, offset: number, length: number): Buffer {
  const copy = length < LARGE_BYTES ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
  slab.copy(copy, 0, offset, offset + length);
  return copy;
}
