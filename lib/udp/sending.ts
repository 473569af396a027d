// Datagrams on their way out: written into the staging block, or referred to where they are, and
// named by a command.
import { COMMAND_CAPACITY, Command, Control, RECORD_WORDS } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { lengthOf, room } from '../runtime/staging.js';
import type { Packet } from './packet.js';
import { DATAGRAM_BYTES, DATAGRAM_WORDS, Word, wordsOf } from './record.js';

/** What native code counts for a datagram that waits, beside its bytes. */
export const COUNTED_BYTES = 64;
const NO_BLOCK = -1;
const ALIGN = 4;

/** Which socket sends, and to where. */
export interface Route {
  slot: number;
  generation: number;
  /** The record of the destination, if it is not where the socket is connected to. */
  record: Int32Array | undefined;
  /** The same, where native code sees it already. */
  packet: Packet | undefined;
}

function command(
  runtime: Runtime,
  route: Route,
  block: number,
  offset: number,
  length: number,
  recordBlock: number,
  recordOffset: number,
): void {
  const { control, commands } = runtime;
  runtime.memory.pending[route.slot] += length + COUNTED_BYTES;
  const count = control[Control.commandCount];
  const at = count * RECORD_WORDS;
  commands[at] = Command.udpSend;
  commands[at + 1] = route.slot;
  commands[at + 2] = route.generation;
  commands[at + 3] = block;
  commands[at + 4] = offset;
  commands[at + 5] = length;
  commands[at + 6] = recordBlock;
  commands[at + 7] = recordOffset;
  control[Control.commandCount] = count + 1;
}

/** Sends a packet from where it lies (no copy). False: there is no memory. */
export function sendPacket(runtime: Runtime, route: Route, from: Packet): boolean {
  const words = from._words;
  const at = from._at;
  const { packet, record } = route;
  const length = words[at + Word.length];
  if (record === undefined) {
    if (runtime.control[Control.commandCount] === COMMAND_CAPACITY) runtime.native.flush();
    const recordBlock = packet === undefined ? NO_BLOCK : packet._batch.block;
    const recordOffset = packet === undefined ? 0 : packet._at * ALIGN;
    const block = words[at + Word.block];
    command(runtime, route, block, words[at + Word.offset], length, recordBlock, recordOffset);
    return true;
  }
  const staged = stageRecord(runtime, record, 0);
  if (staged < 0) return false;
  const block = runtime.control[Control.stagingBlock];
  const offset = words[at + Word.offset];
  command(runtime, route, words[at + Word.block], offset, length, block, staged);
  return true;
}

/** Room for `bytes` behind the record, which is written. Its offset in the slab, or -1. */
function stageRecord(runtime: Runtime, record: Int32Array, bytes: number): number {
  const { control } = runtime;
  const from = room(runtime, DATAGRAM_BYTES + ALIGN + bytes);
  if (from < 0) return -1;
  const at = (from + ALIGN - 1) & -ALIGN;
  const words = wordsOf(runtime.memory.slabs, control[Control.stagingSlab]);
  const first = at / ALIGN;
  for (let i = 0; i < DATAGRAM_WORDS; i++) words[first + i] = record[i];
  control[Control.stagingUsed] += at - from + DATAGRAM_BYTES;
  return at;
}

/** Sends bytes (one copy). False: there is no memory. */
export function sendBytes(runtime: Runtime, route: Route, bytes: Uint8Array): boolean {
  const { control } = runtime;
  const { record, packet } = route;
  const length = lengthOf(bytes);
  let at: number;
  let recordBlock = NO_BLOCK;
  let recordOffset = 0;
  if (record !== undefined) {
    recordOffset = stageRecord(runtime, record, length);
    at = recordOffset < 0 ? -1 : recordOffset + DATAGRAM_BYTES;
    recordBlock = control[Control.stagingBlock];
  } else {
    at = room(runtime, length);
    if (packet !== undefined) {
      recordBlock = packet._batch.block;
      recordOffset = packet._at * ALIGN;
    }
  }
  if (at < 0) return false;
  runtime.memory.slabs[control[Control.stagingSlab]].set(bytes, at);
  control[Control.stagingUsed] += length;
  const block = control[Control.stagingBlock];
  command(runtime, route, block, at, length, recordBlock, recordOffset);
  return true;
}
