// Time that one turn of the loop may spend on what promises alone drive. Bytes that are written
// have a share of the turn in native code; this is for work that may go on without writing many.
import { Control } from './protocol.js';
import type { Runtime } from './runtime.js';

/** Milliseconds of a turn, all callers together. */
const TURN_MS_MAX = 5;

let turn = -1;
let since = 0;

/** True when this turn has had its time: await nextTurn() before going on. */
export function turnIsLate({ control }: Runtime): boolean {
  const now = performance.now();
  if (turn !== control[Control.turn]) {
    turn = control[Control.turn];
    since = now;
  }
  return now - since > TURN_MS_MAX;
}

/** Resolves when the event loop has turned. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
