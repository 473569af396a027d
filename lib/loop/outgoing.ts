// Bytes on their way out: written by JavaScript into the staging block, or referred to where they
// are, and named by a send command. Nothing here calls into native code unless a block is full.
import { Command, Control } from './protocol.js';
import type { Runtime } from './runtime.js';

/** Up to here a copy into the staging block is cheaper than a call into native code. */
const STAGED_BYTES_MAX = 32 * 1024;
/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;
/** Shorter ASCII strings are written faster here than by a call. */
const SHORT_STRING = 16;

/** Room for `bytes` at the end of the staging block, as its offset in the slab; -1: none. */
function room(runtime: Runtime, bytes: number): number {
  const { control } = runtime;
  if (control[Control.stagingUsed] + bytes > control[Control.stagingSize]) {
    if (bytes > control[Control.stagingSize]) return -1;
    runtime.native.flush();
    if (bytes > control[Control.stagingSize]) return -1;
  }
  return control[Control.stagingOffset] + control[Control.stagingUsed];
}

function stage(
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

/** Queues a string that is known to be ASCII (one copy). */
export function sendText(runtime: Runtime, slot: number, generation: number, text: string): void {
  const length = text.length;
  const at = length > STAGED_BYTES_MAX ? -1 : room(runtime, length);
  if (at < 0) {
    runtime.native.sendLarge(slot, generation, Buffer.from(text, 'latin1'));
    return;
  }
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]];
  slab.write(text, at, 'latin1');
  stage(runtime, slot, generation, at, length);
}

/** Queues a string as UTF-8 (one copy). */
export function sendString(runtime: Runtime, slot: number, generation: number, text: string): void {
  const length = text.length;
  if (length === 0) return;
  const at = length > STAGED_BYTES_MAX ? -1 : room(runtime, length * UTF8_BYTES_PER_UNIT);
  if (at < 0) {
    runtime.native.sendLarge(slot, generation, Buffer.from(text, 'utf8'));
    return;
  }
  const slab = runtime.memory.slabs[runtime.control[Control.stagingSlab]];
  const bytes =
    length < SHORT_STRING && writeShort(slab, text, at) ? length : slab.write(text, at, 'utf8');
  stage(runtime, slot, generation, at, bytes);
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
  const length = bytes.byteLength;
  if (length === 0) return;
  const at = length > STAGED_BYTES_MAX ? -1 : room(runtime, length);
  if (at < 0) {
    runtime.native.sendLarge(slot, generation, bytes);
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
