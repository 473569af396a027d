// How late timers of the event loop are: one timer for all guards, which keeps no process alive.

const EVERY_MS = 50;

let timer: NodeJS.Timeout | undefined;
let expectedMs = 0;
let delayMs = 0;

/** Milliseconds by which the last timer was late; it begins to be measured at the first call. */
export function loopDelayMs(): number {
  if (timer === undefined) {
    expectedMs = performance.now() + EVERY_MS;
    timer = setInterval(() => {
      const nowMs = performance.now();
      delayMs = Math.max(0, nowMs - expectedMs);
      expectedMs = nowMs + EVERY_MS;
    }, EVERY_MS).unref();
  }
  return delayMs;
}
