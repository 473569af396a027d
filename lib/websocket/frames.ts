// Messages on their way out. A server's frame that is not compressed is put together here, in the
// staging block, and sent as any bytes are. What is masked or compressed native code puts together,
// and what was received.
import { Command, Control, RECORD_WORDS, WS_SEND_FRAMED } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { lengthOf, room, STAGED_BYTES_MAX, stage } from '../runtime/staging.js';

export const enum Opcode {
  text = 1,
  binary = 2,
}
/** Beside the opcode: compress, if that was negotiated and the message is long enough. */
export const COMPRESS = 16;

const FIN = 0x80;
const SHORT_MAX = 125;
const MEDIUM_MAX = 65_535;
const MEDIUM = 126;
const LONG = 127;
const MASK_BYTES = 4;
/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;
/** Text of so many units has a header of two or four bytes, whatever they are. */
const PLAIN_UNITS_MAX = Math.floor(MEDIUM_MAX / UTF8_BYTES_PER_UNIT);
const SHORT_HEADER_BYTES = 2;
const MEDIUM_HEADER_BYTES = 4;
const CONTROL_BYTES_MAX = 125;

/** Where a frame goes, and how. */
export interface FrameTarget {
  readonly slot: number;
  readonly generation: number;
  /** Frames are masked. */
  readonly client: boolean;
}

const headerBytes = (length: number): number =>
  length <= SHORT_MAX ? 2 : length <= MEDIUM_MAX ? 4 : 10;

function writeHeader(slab: Buffer, at: number, opcode: number, length: number): void {
  slab[at] = FIN | opcode;
  if (length <= SHORT_MAX) {
    slab[at + 1] = length;
  } else if (length <= MEDIUM_MAX) {
    slab[at + 1] = MEDIUM;
    slab[at + 2] = length >> 8;
    slab[at + 3] = length & 0xff;
  } else {
    slab[at + 1] = LONG;
    slab.writeUInt32BE(0, at + 2);
    slab.writeUInt32BE(length, at + 6);
  }
}

const slabOf = ({ memory, control }: Runtime): Buffer => memory.slabs[control[Control.stagingSlab]];

/** Methods of every Buffer that skip the checks of write(). */
interface RawWrites {
  utf8Write(text: string, at: number, length: number): number;
}

/** Text as one frame, copied once. `flags` is 0 or COMPRESS. False: the connection is over. */
export function sendText(loop: Runtime, target: FrameTarget, text: string, flags: number): boolean {
  const units = text.length;
  if (units > PLAIN_UNITS_MAX || flags !== 0 || target.client) {
    return sendLongText(loop, target, text, flags);
  }
  const most = units * UTF8_BYTES_PER_UNIT;
  const at = room(loop, MEDIUM_HEADER_BYTES + most);
  if (at < 0) return sendWhole(loop, target, Buffer.from(text, 'utf8'), Opcode.text, flags);
  const slab = slabOf(loop) as Buffer & RawWrites;
  // Most text is ASCII, and has as many bytes as units: so the header is as long as it will be.
  let head = units <= SHORT_MAX ? SHORT_HEADER_BYTES : MEDIUM_HEADER_BYTES;
  const length = slab.utf8Write(text, at + head, most);
  if (length > SHORT_MAX && head === SHORT_HEADER_BYTES) {
    slab.copyWithin(at + MEDIUM_HEADER_BYTES, at + head, at + head + length);
    head = MEDIUM_HEADER_BYTES;
  }
  writeHeader(slab, at, Opcode.text, length);
  stage(loop, target.slot, target.generation, at, head + length);
  return true;
}

/** Its length in bytes is known before it is written: native code wants the room for the header. */
function sendLongText(loop: Runtime, target: FrameTarget, text: string, flags: number): boolean {
  if (text.length > STAGED_BYTES_MAX) {
    return sendWhole(loop, target, Buffer.from(text, 'utf8'), Opcode.text, flags);
  }
  const length = Buffer.byteLength(text);
  const plain = flags === 0 && !target.client;
  const head = headerBytes(length) + (target.client ? MASK_BYTES : 0);
  const at = room(loop, head + length);
  if (at < 0) return sendWhole(loop, target, Buffer.from(text, 'utf8'), Opcode.text, flags);
  const slab = slabOf(loop);
  slab.write(text, at + head, 'utf8');
  if (plain) writeHeader(slab, at, Opcode.text, length);
  queue(loop, target, plain, at, head, length, Opcode.text | flags);
  return true;
}

/** Bytes as one frame: up to 32 KB are copied once, more as native code keeps them. */
export function sendBinary(
  loop: Runtime,
  target: FrameTarget,
  bytes: Uint8Array,
  flags: number,
): boolean {
  const length = lengthOf(bytes);
  const plain = flags === 0 && !target.client;
  const head = headerBytes(length) + (target.client ? MASK_BYTES : 0);
  const at = length > STAGED_BYTES_MAX ? -1 : room(loop, head + length);
  if (at < 0) return sendWhole(loop, target, bytes, Opcode.binary, flags);
  const slab = slabOf(loop);
  slab.set(bytes, at + head);
  if (plain) writeHeader(slab, at, Opcode.binary, length);
  queue(loop, target, plain, at, head, length, Opcode.binary | flags);
  return true;
}

/** Received bytes as one frame, which native code puts together: few are copied, more are not. */
export function sendChunk(loop: Runtime, target: FrameTarget, chunk: ReceivedChunk): void {
  const { slot, generation } = target;
  const { length } = chunk;
  const head = headerBytes(length) + (target.client ? MASK_BYTES : 0);
  const bytes = head + length;
  const opcode = chunk._framed ? Opcode.binary | WS_SEND_FRAMED : Opcode.binary;
  loop.memory.pending[slot] += bytes;
  command(
    loop,
    Command.wsSendBlock,
    slot,
    generation,
    opcode,
    chunk._offset,
    bytes,
    head,
    chunk._block,
  );
}

interface ReceivedChunk {
  readonly _offset: number;
  readonly length: number;
  readonly _block: number;
  readonly _framed: boolean;
}

function queue(
  loop: Runtime,
  { slot, generation }: FrameTarget,
  plain: boolean,
  at: number,
  head: number,
  length: number,
  opcode: number,
): void {
  const bytes = head + length;
  if (plain) {
    stage(loop, slot, generation, at, bytes);
    return;
  }
  loop.control[Control.stagingUsed] += bytes;
  loop.memory.pending[slot] += bytes;
  command(loop, Command.wsSend, slot, generation, opcode, at, bytes, head);
}

/** What staging has no room for. It is kept whole: no other frame may come between. */
function sendWhole(
  loop: Runtime,
  target: FrameTarget,
  bytes: Uint8Array,
  opcode: number,
  flags: number,
): boolean {
  const { slot, generation, client } = target;
  const length = lengthOf(bytes);
  if (client || flags !== 0) {
    return loop.native.webSocketSend(slot, generation, bytes, opcode | flags);
  }
  const head = headerBytes(length);
  const at = room(loop, head);
  if (at < 0) return loop.native.webSocketSend(slot, generation, bytes, opcode);
  writeHeader(slabOf(loop), at, opcode, length);
  stage(loop, slot, generation, at, head);
  loop.native.sendLarge(slot, generation, bytes, length);
  return true;
}

/** A ping or a pong (`kind`), with at most 125 bytes. */
export function sendControl(
  loop: Runtime,
  target: FrameTarget,
  kind: number,
  bytes: Uint8Array,
): void {
  const length = Math.min(lengthOf(bytes), CONTROL_BYTES_MAX);
  const at = stageBytes(loop, bytes, length);
  command(loop, kind, target.slot, target.generation, 0, at, length);
}

/** The closing handshake; code 0: none. `reason` has at most 123 bytes. */
export function sendClose(
  loop: Runtime,
  target: FrameTarget,
  code: number,
  reason: Uint8Array,
): void {
  const length = lengthOf(reason);
  const at = stageBytes(loop, reason, length);
  command(loop, Command.wsClose, target.slot, target.generation, code, at, length);
}

function stageBytes(loop: Runtime, bytes: Uint8Array, length: number): number {
  const at = room(loop, length);
  if (at < 0) return 0; // no memory at all: the payload is left out, as native code would
  slabOf(loop).set(bytes.subarray(0, length), at);
  loop.control[Control.stagingUsed] += length;
  return at;
}

/** Two more words than Runtime.command() writes. */
function command(
  loop: Runtime,
  kind: number,
  slot: number,
  generation: number,
  a: number,
  b: number,
  c: number,
  d = 0,
  e = 0,
): void {
  loop.command(kind, slot, generation, a, b, c);
  const { control, commands } = loop;
  const end = control[Control.commandCount] * RECORD_WORDS;
  commands[end - 2] = d;
  commands[end - 1] = e;
}
