// Who waits until the kernel has taken what was written: connection.send() and shutdown(). And
// what of native code is asked for an event of room, for them and for writers that wait for drain.
import { INT32_MAX } from '../checks.js';
import { Command, PENDING_HELD } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { type Extra, extraOf, Flag } from './connection_state.js';

/** Bytes of a long write that native code copies at a time. */
export const WINDOW_BYTES = 256 * 1024;
/** The next window goes when at most so many bytes of the last one are left. */
export const LOW_BYTES = WINDOW_BYTES / 2;

/** A connection, as far as sending knows it. */
export interface Sender {
  _flags: number;
  _extra: Extra | undefined;
  readonly _slot: number;
  readonly _generation: number;
  readonly _endpoint: { readonly highWaterMark: number };
}

/** Native code was given more bytes, behind those that are waited for. */
export function queuedMore(connection: Sender, bytes: number): void {
  const awaited = connection._extra?.awaited;
  if (awaited === undefined) return;
  awaited.queued += bytes;
  askForRoom(connection);
}

/** Resolves when the kernel has taken all that native code has of it now. */
export function awaitSent(connection: Sender, resolve: () => void, reject: (e: Error) => void) {
  const extra = extraOf(connection);
  extra.awaited ??= { queued: 0, waiting: [] };
  connection._flags |= Flag.awaited;
  extra.awaited.waiting.push({ at: extra.awaited.queued, resolve, reject });
  askForRoom(connection);
}

/** An event of room comes when as little waits as the one who waits for most of it needs. */
export function askForRoom(connection: Sender): void {
  const { _flags: flags, _extra: extra, _slot: slot, _generation: generation } = connection;
  let low = -1;
  if (flags & Flag.unsent) low = LOW_BYTES;
  else if (flags & Flag.drainWanted) low = Math.floor(connection._endpoint.highWaterMark / 2);
  const awaited = extra?.awaited;
  if (awaited !== undefined) low = Math.max(low, awaited.queued - awaited.waiting[0].at);
  if (low >= 0) runtime().command(Command.wantDrain, slot, generation, Math.min(low, INT32_MAX));
}

/** Bytes that native code has, whatever else its number says. */
function waitingBytes({ _slot }: Sender): number {
  const pending = runtime().memory.pending[_slot];
  return pending < PENDING_HELD || pending === Number.POSITIVE_INFINITY
    ? pending
    : pending - PENDING_HELD;
}

/** Those whose bytes have left. */
export function settleSent(connection: Sender): void {
  const awaited = connection._extra?.awaited;
  if (awaited === undefined) return;
  const mark = awaited.queued - waitingBytes(connection);
  const left = awaited.waiting.findIndex(({ at }) => at > mark);
  const settled = awaited.waiting.splice(0, left < 0 ? awaited.waiting.length : left);
  if (left < 0) nobodyWaits(connection);
  for (const { resolve } of settled) resolve();
}

function nobodyWaits(connection: Sender): void {
  connection._flags &= ~Flag.awaited;
  extraOf(connection).awaited = undefined;
}

/** Nothing leaves any more. Without an error all has left. */
export function endAwaited(connection: Sender, error: Error | undefined): void {
  const awaited = connection._extra?.awaited;
  if (awaited === undefined) return;
  nobodyWaits(connection);
  for (const { resolve, reject } of awaited.waiting) {
    if (error === undefined) resolve();
    else reject(error);
  }
}
