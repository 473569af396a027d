// Long writes. The kernel takes what it can from where the bytes lie. Of the rest native code
// copies a window at a time, and what is behind it stays where it is: many peers that do not read
// one large buffer cost a window each. Everything later waits behind it.
import { type Runtime, runtime } from '../runtime/runtime.js';
import { lengthOf } from '../runtime/staging.js';
import { askForRoom, LOW_BYTES, queuedMore, type Sender, WINDOW_BYTES } from './awaited.js';
import type { Chunk } from './chunk.js';
import { extraOf, Flag } from './connection_state.js';
import { Unsent } from './unsent.js';

/** Bytes that a fast peer may take in a turn before the others have theirs. */
const TURN_BYTES = 1024 * 1024;
/** Text of so many characters, or more, may be longer than a window. */
export const LONG_TEXT = WINDOW_BYTES / 3;

/** Longer writes are not copied as a whole. As much may wait without write() saying so. */
function copiedMax(connection: Sender): number {
  return Math.max(WINDOW_BYTES, connection._endpoint.highWaterMark);
}

/** Sends bytes of any length when nothing waits in `unsent`. */
export function sendLong(of: Runtime, connection: Sender, bytes: Uint8Array): void {
  const { _slot: slot, _generation: generation } = connection;
  const taken = of.native.sendLarge(slot, generation, bytes, copiedMax(connection));
  queuedMore(connection, taken);
  if (taken === lengthOf(bytes)) return;
  const unsent = new Unsent();
  unsent.refer(bytes, taken);
  extraOf(connection).unsent = unsent;
  connection._flags |= Flag.unsent;
  askForRoom(connection);
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

/** Native code has little left: the next window, or what comes behind. */
export function sendMore(connection: Sender): void {
  const of = runtime();
  const unsent = connection._extra?.unsent;
  if (unsent === undefined) return;
  const { _slot: slot, _generation: generation } = connection;
  const send = (bytes: Uint8Array, isOwn: boolean) => {
    const taken = of.native.sendLarge(slot, generation, bytes, isOwn ? bytes.length : 0);
    queuedMore(connection, taken);
    return taken;
  };
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
  if (unsent.empty && connection._extra?.unsent === unsent) over(connection);
  askForRoom(connection);
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
