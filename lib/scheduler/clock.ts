// Where the scheduler takes its time from: one small interface, so that tests can turn the hands.

/** A source of time. Give your own to `HybridScheduler` to run it on virtual time. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `fire` once after `ms` milliseconds; with `keepAlive` the process waits for it. */
  setTimer(fire: () => void, ms: number, keepAlive: boolean): unknown;
  /** Makes sure that the timer does not fire any more. */
  clearTimer(timer: unknown): void;
}

// setTimeout answers a longer delay with one millisecond.
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(fire, ms, keepAlive) {
    const timer = setTimeout(fire, Math.min(Math.max(ms, 0), TIMER_MS_MAX));
    if (!keepAlive) timer.unref();
    return timer;
  },
  clearTimer(timer) {
    clearTimeout(timer as NodeJS.Timeout);
  },
};
