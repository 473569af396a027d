// What a handler answers: nothing, a value that nobody wants, or a promise.

/**
 * Calls `failed` with the reason if `result` is a promise, or anything with a then(), that rejects.
 * Once at most, whatever that then() does.
 */
export function onRejection(result: unknown, failed: (reason: unknown) => void): void {
  if (result === undefined || result === null) return;
  if (typeof (result as PromiseLike<unknown>).then !== 'function') return;
  Promise.resolve(result).then(undefined, failed);
}
