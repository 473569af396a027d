// Bytes on their way out: written by JavaScript into the staging block, or referred to where they
// are, and named by a send command. Nothing here calls into native code unless a block is full.
import { COMMAND_CAPACITY, Command, Control, RECORD_WORDS } from './protocol.js';
import type { Runtime } from './runtime.js';

/** Up to here a copy into the staging block is cheaper than a call into native code. */
export const STAGED_BYTES_MAX = 32 * 1024;
/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;
/** Shorter ASCII strings are written faster here than by a call. */
const SHORT_STRING = 16;

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);
/** The real length, whatever a subclass says: room is made for this many bytes. */
export const lengthOf: (bytes: Uint8Array) => number = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(typedArray, 'byteLength')?.get as () => number,
);

/** Room for `bytes` at the end of the staging block, as its offset in the slab; -1: none. */
export function room(runtime: Runtime, bytes: number): number {
  const { control } = runtime;
  const used = control[Control.stagingUsed];
  // The command that names the bytes must fit too: a flush between the two would lose them.
  if (
    used + bytes > control[Control.stagingSize] ||
    control[Control.commandCount] === COMMAND_CAPACITY
  ) {
    if (bytes > control[Control.stagingSize]) return -1;
    runtime.native.flush();
    if (bytes > control[Control.stagingSize]) return -1;
  }
  return control[Control.stagingOffset] + control[Control.stagingUsed];
}

/** Queues `bytes` that lie in the room at `at`. */
export function stage(
  runtime: Runtime,
  slot: number,
  generation: number,
  at: number,
  bytes: number,
): number {
  const { control } = runtime;
  control[Control.stagingUsed] += bytes;
  runtime.memory.pending[slot] += bytes;
  runtime.command(Command.send, slot, generation, control[Control.stagingBlock], at, bytes);
  return bytes;
}

function writeShort(slab: Buffer, text: string, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    slab[at + i] = unit;
  }
  return true;
}

/** Queues a string as UTF-8 (one copy). Answers how many bytes it is. */
export function sendString(
  runtime: Runtime,
  slot: number,
  generation: number,
  text: string,
): number {
  const length = text.length;
  if (length === 0) return 0;
  const at = length > STAGED_BYTES_MAX ? -1 : room(runtime, length * UTF8_BYTES_PER_UNIT);
  if (at < 0) {
    const bytes = Buffer.from(text, 'utf8');
    runtime.native.sendLarge(slot, generation, bytes, bytes.length);
    return bytes.length;
  }
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]];
  const bytes =
    length < SHORT_STRING && writeShort(slab, text, at) ? length : slab.write(text, at, 'utf8');
  return stage(runtime, slot, generation, at, bytes);
}

/**
 * Queues bytes: copied when they are few, else sent at once from where they are, and only what the
 * kernel does not take is copied.
 */
export function sendBytes(
  runtime: Runtime,
  slot: number,
  generation: number,
  bytes: Uint8Array,
): void {
  const length = lengthOf(bytes);
  if (length === 0) return;
  const at = length > STAGED_BYTES_MAX ? -1 : room(runtime, length);
  if (at < 0) {
    runtime.native.sendLarge(slot, generation, bytes, length);
    return;
  }
  runtime.memory.slabs[runtime.control[Control.stagingSlab]].set(bytes, at);
  stage(runtime, slot, generation, at, length);
}

/** Queues received bytes from the block that they lie in (no copy). */
export function sendFromBlock(
  runtime: Runtime,
  slot: number,
  generation: number,
  block: number,
  offset: number,
  length: number,
): void {
  runtime.memory.pending[slot] += length;
  runtime.command(Command.send, slot, generation, block, offset, length);
}

/** Methods of every Buffer that skip the checks of write(). */
interface RawWrites {
  latin1Write(text: string, at: number, length: number): number;
  utf8Write(text: string, at: number, length: number): number;
}

// The short response that was staged last. Servers answer much in the same words: until the staging
// block begins anew, the same again refers to the same bytes.
const last = { round: -1, fields: '', body: '', at: 0, fieldBytes: 0, bodyBytes: 0 };

/**
 * Queues an HTTP response that native code puts together (one copy): `head` is a word as Respond
 * describes it, `fields` are lines in Latin-1, and with the body comes its Content-Length. False:
 * it is too long for the staging block, and nothing is queued.
 */
export function respondText(
  runtime: Runtime,
  slot: number,
  generation: number,
  head: number,
  fields: string,
  body: string,
): boolean {
  const { control } = runtime;
  if (
    body === last.body &&
    control[Control.stagingRound] === last.round &&
    fields === last.fields &&
    control[Control.commandCount] < COMMAND_CAPACITY
  ) {
    respond(
      runtime,
      slot,
      generation,
      head,
      last.at,
      last.fieldBytes,
      last.bodyBytes,
      last.bodyBytes,
    );
    return true;
  }
  const { length } = body;
  const most = fields.length + length * UTF8_BYTES_PER_UNIT;
  const at = most > 2 * STAGED_BYTES_MAX ? -1 : room(runtime, most);
  if (at < 0) return false;
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]] as Buffer & RawWrites;
  const fieldBytes = writeFields(slab, fields, at);
  const from = at + fieldBytes;
  const bodyBytes =
    length < SHORT_STRING && writeShort(slab, body, from)
      ? length
      : slab.utf8Write(body, from, length * UTF8_BYTES_PER_UNIT);
  if (length < SHORT_STRING && fields.length < SHORT_STRING) {
    last.round = control[Control.stagingRound];
    last.fields = fields;
    last.body = body;
    last.at = at;
    last.fieldBytes = fieldBytes;
    last.bodyBytes = bodyBytes;
  }
  control[Control.stagingUsed] += fieldBytes + bodyBytes;
  respond(runtime, slot, generation, head, at, fieldBytes, bodyBytes, bodyBytes);
  return true;
}

/** The same with bytes as its body. */
export function respondBytes(
  runtime: Runtime,
  slot: number,
  generation: number,
  head: number,
  fields: string,
  body: Uint8Array,
): boolean {
  const length = lengthOf(body);
  const most = fields.length + length;
  const at = most > STAGED_BYTES_MAX ? -1 : room(runtime, most);
  if (at < 0) return false;
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]] as Buffer & RawWrites;
  const fieldBytes = writeFields(slab, fields, at);
  if (length > 0) slab.set(body, at + fieldBytes);
  runtime.control[Control.stagingUsed] += fieldBytes + length;
  respond(runtime, slot, generation, head, at, fieldBytes, length, length);
  return true;
}

/** The head alone, with a Content-Length of `declared` unless `head` says that there is none. */
export function respondHead(
  runtime: Runtime,
  slot: number,
  generation: number,
  head: number,
  fields: string,
  declared: number,
): boolean {
  const at = fields.length > STAGED_BYTES_MAX ? -1 : room(runtime, fields.length);
  if (at < 0) return false;
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]] as Buffer & RawWrites;
  const fieldBytes = writeFields(slab, fields, at);
  runtime.control[Control.stagingUsed] += fieldBytes;
  respond(runtime, slot, generation, head, at, fieldBytes, 0, declared);
  return true;
}

function writeFields(slab: Buffer & RawWrites, fields: string, at: number): number {
  return fields === '' ? 0 : slab.latin1Write(fields, at, fields.length);
}

function respond(
  runtime: Runtime,
  slot: number,
  generation: number,
  head: number,
  at: number,
  fieldBytes: number,
  bodyBytes: number,
  declared: number,
): void {
  const { control, commands } = runtime;
  const count = control[Control.commandCount]; // room() has seen to it that there is one left
  const word = count * RECORD_WORDS;
  commands[word] = Command.httpRespond;
  commands[word + 1] = slot;
  commands[word + 2] = generation;
  commands[word + 3] = head;
  commands[word + 4] = at;
  commands[word + 5] = fieldBytes;
  commands[word + 6] = bodyBytes;
  commands[word + 7] = declared;
  control[Control.commandCount] = count + 1;
}
