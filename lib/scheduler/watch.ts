// The words of shared memory through which a watchdog thread sees what runs and asks it to yield.
//
//   scheduler (this thread)                      watchdog (any other thread)
//   SLICE = n     at the start of slice n        every CHECK_MS: reads SLICE
//   SLICE = 0     when nothing runs              the same n for SLICE_MS: YIELD = n
//   YIELD == n ?  in shouldYield()               counts OVERRUNS, LONGEST_US
//
// A request names the slice it is for, so one that comes too late disturbs nobody.
// All words are Int32 and each has one writer, except YIELD, where the last one wins.

export const WATCH_YIELD = 0;
export const WATCH_SLICE = 1;
export const WATCH_SLICE_MS = 2;
export const WATCH_CHECK_MS = 3;
/** Not 0 while a watchdog is at work; then `shouldYield()` leaves the clock alone. */
export const WATCH_ATTACHED = 4;
export const WATCH_OVERRUNS = 5;
export const WATCH_LONGEST_US = 6;
/** The id of the task that runs. */
export const WATCH_TASK = 7;
/** Of the last overrun: how long it took so far, and the task that ran. */
export const WATCH_LAST_US = 8;
export const WATCH_LAST_TASK = 9;

const WATCH_WORDS = 16;

export function createWatch(sliceMs: number, checkMs: number): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(WATCH_WORDS * Int32Array.BYTES_PER_ELEMENT));
  words[WATCH_SLICE_MS] = Math.ceil(sliceMs);
  words[WATCH_CHECK_MS] = Math.ceil(checkMs);
  return words;
}

/** Slice numbers go round within Int32 and leave out 0, which means that nothing runs. */
export function nextSlice(slice: number): number {
  return (slice + 1) | 0 || 1;
}
