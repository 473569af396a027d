// Long writes. The kernel takes what it can from where the bytes lie. Of the rest native code
// copies a window at a time, and what is behind it stays where it is: many peers that do not read
// one large buffer cost a window each. Everything later waits behind it.
import { Command } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { lengthOf } from '../runtime/staging.js';
import type { Chunk } from './chunk.js';
import { type Extra, extraOf, Flag } from './connection_state.js';
import { Unsent } from './unsent.js';

/** Bytes of a long write that native code copies at a time. */
export const WINDOW_BYTES = 256 * 1024;
/** The next window goes when at most so many bytes of the last one are left. */
const LOW_BYTES = WINDOW_BYTES / 2;
/** Bytes that a fast peer may take in a turn before the others have theirs. */
const TURN_BYTES = 1024 * 1024;
/** Text of so many characters, or more, may be longer than a window. */
export const LONG_TEXT = WINDOW_BYTES / 3;

/** A connection, as far as sending knows it. */
export interface Sender {
  _flags: number;
  _extra: Extra | undefined;
  readonly _slot: number;
  readonly _generation: number;
  readonly _endpoint: { readonly highWaterMark: number };
}

/** Longer writes are not copied as a whole. As much may wait without write() saying so. */
function copiedMax(connection: Sender): number {
  return Math.max(WINDOW_BYTES, connection._endpoint.highWaterMark);
}

/** Sends bytes of any length when nothing waits in `unsent`. */
export function sendLong(of: Runtime, connection: Sender, bytes: Uint8Array): void {
  const { _slot: slot, _generation: generation } = connection;
  const taken = of.native.sendLarge(slot, generation, bytes, copiedMax(connection));
  if (taken === lengthOf(bytes)) return;
  const unsent = new Unsent();
  unsent.refer(bytes, taken);
  extraOf(connection).unsent = unsent;
  connection._flags |= Flag.unsent;
  wantMore(of, connection);
}

/** Bytes that go behind what is unsent. */
export function sendBehind(connection: Sender, data: string | Uint8Array | Chunk): void {
  const { unsent } = extraOf(connection);
  if (unsent === undefined) return;
  if (typeof data === 'string') data = Buffer.from(data, 'utf8');
  if (!(data instanceof Uint8Array)) unsent.copy(data.bytes);
  else if (lengthOf(data) > copiedMax(connection)) unsent.refer(data, 0);
  else unsent.copy(data);
}

/**
 * Runs `act` when all that was written before is handed on: at once, if nothing is unsent.
 * `bytes` that it will send count as pending until then.
 */
export function inOrder(connection: Sender, act: () => void, bytes = 0): void {
  const unsent = connection._extra?.unsent;
  if (unsent === undefined) act();
  else unsent.act(act, bytes);
}

function wantMore(of: Runtime, connection: Sender): void {
  const { _slot: slot, _generation: generation } = connection;
  of.command(Command.wantDrain, slot, generation, LOW_BYTES);
}

/** Native code has little left: the next window, or what comes behind. */
export function sendMore(connection: Sender): void {
  const of = runtime();
  const unsent = connection._extra?.unsent;
  if (unsent === undefined) return;
  const { _slot: slot, _generation: generation } = connection;
  const send = (bytes: Uint8Array, isOwn: boolean) =>
    of.native.sendLarge(slot, generation, bytes, isOwn ? bytes.length : 0);
  for (let left = TURN_BYTES; !unsent.empty; ) {
    const act = unsent.nextAct();
    if (act !== undefined) {
      if (unsent.empty) over(connection);
      act.run();
      continue;
    }
    if (left <= 0 || of.memory.pending[slot] > LOW_BYTES) break;
    const before = unsent.bytes;
    unsent.sendNext(left, send);
    left -= before - unsent.bytes;
  }
  if (!unsent.empty) wantMore(of, connection);
  else if (connection._extra?.unsent === unsent) over(connection);
  if (connection._extra?.unsent === undefined && connection._flags & Flag.drainWanted) {
    const low = Math.floor(connection._endpoint.highWaterMark / 2);
    of.command(Command.wantDrain, slot, generation, low);
  }
}

function over(connection: Sender): void {
  extraOf(connection).unsent = undefined;
  connection._flags &= ~Flag.unsent;
}

/** Nothing more leaves. What had its place among the bytes happens, and finds that out. */
export function dropUnsent(connection: Sender): void {
  const unsent = connection._extra?.unsent;
  if (unsent === undefined) return;
  over(connection);
  unsent.drop();
}
