// A promise with its two ends, made without a closure: the executor is one function for all.
let lastResolve: (value: never) => void;
let lastReject: (error: unknown) => void;

function keepEnds(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  lastResolve = resolve;
  lastReject = reject;
}

type Executor<T> = (
  resolve: (value: T | PromiseLike<T>) => void,
  reject: (error: unknown) => void,
) => void;

/** A pending promise; its ends are those that the two functions below return until the next one. */
export function pendingPromise<T>(): Promise<T> {
  return new Promise<T>(keepEnds as Executor<T>);
}

export function resolveOfLast<T>(): (value: T) => void {
  return lastResolve as (value: T) => void;
}

export function rejectOfLast(): (error: unknown) => void {
  return lastReject;
}

/** For operations that are over at once. */
export const DONE: Promise<void> = Promise.resolve();
