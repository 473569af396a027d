// From a socket of node:net to native code: what Node's write requests do. A write is over at once,
// as when libuv has given all of it to the kernel, while little waits; else when all has left.
import { RingpollError } from '../errors.js';
import { Command } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { lengthOf, sendBytes, sendString } from '../runtime/staging.js';
import { systemError } from '../runtime/system_error.js';
import { UV } from './errno.js';
import {
  command,
  flushOutsideOfTurn,
  isEnding,
  type OpenHandle,
  pendingOf,
} from './open_handle.js';
import type { Done, NodeSocket } from './seams.js';
import { socketOf, symbols } from './symbols.js';

/** While at most so many bytes wait, a write is over at once. */
const WAITING_MAX = 64 * 1024;
/** Longer bytes are sent from where they are. */
const DIRECT_BYTES = 8 * 1024;
/** Native code is given more of a long write when it has at most so much. */
const LOW_BYTES = 128 * 1024;
/** Bytes that a fast peer may take in a turn before the others have theirs. */
const TURN_BYTES = 1024 * 1024;
/** Native code's number of the call. */
const WRITE = 2;

/** The rest of a long write; it stays where its owner has it. */
interface Rest {
  bytes: Uint8Array;
  length: number;
  at: number;
}

/** One of a list that is written together. */
interface Piece {
  chunk: string | Uint8Array;
  encoding: string;
}

export class Writing {
  /** Bytes that were written. */
  bytes = 0;
  readonly #handle: OpenHandle;
  #rest: Rest[] = [];
  #done: Done | undefined;

  constructor(handle: OpenHandle) {
    this.#handle = handle;
  }

  /** A write is under way. */
  get waits(): boolean {
    return this.#done !== undefined;
  }

  get pending(): number {
    return this.#rest.reduce((sum, { length, at }) => sum + length - at, pendingOf(this.#handle));
  }

  write(socket: NodeSocket, writev: boolean, data: unknown, encoding: string, done: Done): void {
    const handle = this.#handle;
    if (handle._over || handle._closed) {
      done(systemError(handle._closed ? -EBADF : -EPIPE, WRITE));
      return;
    }
    const before = this.bytes;
    if (!writev) this.#queue(data as Piece['chunk'], encoding);
    else for (const { chunk, encoding } of data as Piece[]) this.#queue(chunk, encoding);
    if (this.#rest.length === 0 && pendingOf(handle) <= WAITING_MAX && !isEnding(handle)) {
      if (!handle._holds) flushOutsideOfTurn();
      done();
      return;
    }
    this.#done = done;
    socket[symbols.lastWrite] = this.bytes - before;
    this.#ask();
    flushOutsideOfTurn();
  }

  #queue(data: string | Uint8Array, encoding: string): void {
    if (typeof data !== 'string') {
      this.#queueBytes(data);
    } else if (this.#rest.length === 0 && (encoding === 'utf8' || encoding === 'utf-8')) {
      const { _slot: slot, _generation: generation } = this.#handle;
      this.bytes += sendString(runtime(), slot, generation, data);
    } else {
      this.#queueBytes(Buffer.from(data, encoding as BufferEncoding));
    }
  }

  #queueBytes(bytes: Uint8Array): void {
    const length = lengthOf(bytes);
    this.bytes += length;
    if (this.#rest.length > 0) {
      this.#rest.push({ bytes, length, at: 0 });
      return;
    }
    const { _slot: slot, _generation: generation } = this.#handle;
    if (length <= DIRECT_BYTES) {
      sendBytes(runtime(), slot, generation, bytes);
      return;
    }
    const taken = runtime().native.sendLarge(slot, generation, bytes, WAITING_MAX);
    if (taken < length) this.#rest.push({ bytes, length, at: taken });
  }

  #ask(): void {
    command(this.#handle, Command.wantDrain, this.#rest.length > 0 ? LOW_BYTES : 0);
  }

  /** Little waits, as was asked for. */
  drained(): void {
    if (this.#done === undefined || this.#handle._closed) return;
    const { _slot: slot, _generation: generation } = this.#handle;
    for (let left = TURN_BYTES; this.#rest.length > 0 && left > 0; ) {
      const [rest] = this.#rest;
      if (lengthOf(rest.bytes) !== rest.length) {
        this.#detached();
        return;
      }
      const end = Math.min(rest.length, rest.at + left);
      const { buffer, byteOffset } = rest.bytes;
      const piece = new Uint8Array(buffer, byteOffset + rest.at, end - rest.at);
      const taken = runtime().native.sendLarge(slot, generation, piece, 0);
      rest.at += taken;
      left -= taken;
      if (rest.at === rest.length) this.#rest.shift();
      else if (taken < piece.length) break;
    }
    if (this.#rest.length > 0 || pendingOf(this.#handle) > 0) this.#ask();
    else this.#over();
  }

  #detached(): void {
    const message = 'The memory of bytes that were written was given away before they had left';
    this.failed(new RingpollError('ERR_RINGPOLL_BUFFER_DETACHED', message));
  }

  #over(error?: Error): void {
    const done = this.#done;
    this.#done = undefined;
    const socket = socketOf(this.#handle);
    if (socket !== undefined && !socket.destroyed) {
      socket._unrefTimer();
      socket[symbols.lastWrite] = 0;
    }
    done?.(error ?? null);
  }

  /** Nothing leaves any more. */
  failed(error: Error | undefined): void {
    this.#rest = [];
    if (this.#done !== undefined) this.#over(error ?? systemError(-EPIPE, WRITE));
  }

  /** Node has closed the handle: whoever waits hears of it, and of no error. */
  drop(): void {
    this.#rest = [];
    if (this.#done === undefined) return;
    const done = this.#done;
    this.#done = undefined;
    process.nextTick(done, null);
  }
}

const { EBADF, EPIPE } = UV;
