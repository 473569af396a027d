// What handlers leave behind: next ticks and microtasks, and throws that nobody has caught.
import { native } from './native.js';

// Node's own way to run next ticks and microtasks now. With nothing queued it costs some 20 ns, and
// it makes many handlers in one call look like one call each.
const runTicks: () => void =
  (process as unknown as { _tickCallback?: () => void })._tickCallback ?? (() => {});

/** What a handler has queued runs before the next one, as between two of Node's callbacks. */
export function ticks(): void {
  try {
    runTicks();
  } catch (error) {
    uncaught(error);
  }
}

/** As if it had reached the top of one of Node's callbacks. */
export function uncaught(error: unknown): void {
  native().fatalException(error);
}
