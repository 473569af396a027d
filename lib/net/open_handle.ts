// What the parts of a handle know of the whole.
import { Control, PENDING_HELD, PENDING_OVER } from '../runtime/protocol.js';
import { control, runtime } from '../runtime/runtime.js';

export interface OpenHandle {
  /** Node's own. */
  reading: boolean;
  readonly _slot: number;
  readonly _generation: number;
  /** Native code has it no more, or has never had it. */
  readonly _over: boolean;
  /** Node has closed it. */
  readonly _closed: boolean;
  /** It keeps the process alive, whatever is written. */
  readonly _holds: boolean;
}

export function command(handle: OpenHandle, kind: number, value = 0): void {
  runtime().command(kind, handle._slot, handle._generation, value);
}

/**
 * Commands are taken when the events of a turn have been walked, and what keeps the process alive
 * is looked at then. Outside of that, the process may end before: now, then.
 */
export function flushOutsideOfTurn(): void {
  if (control[Control.eventCount] === 0) runtime().native.flush();
}

/** Bytes that wait in native code. */
export function pendingOf(handle: OpenHandle): number {
  if (handle._over) return 0;
  const pending = runtime().memory.pending[handle._slot];
  if (pending < PENDING_HELD) return pending;
  return pending === PENDING_OVER ? 0 : pending - PENDING_HELD;
}

/** It is over, though its close event has not come. */
export function isEnding(handle: OpenHandle): boolean {
  return runtime().memory.pending[handle._slot] === PENDING_OVER;
}
