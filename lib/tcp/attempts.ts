// Several addresses of one name: whichever answers first has won (RFC 8305, "happy eyeballs").
import type { Target } from '../runtime/system_error.js';

// The real one, also where tests put another in its place later.
const later = setTimeout;

/** One address that is tried. */
export interface Attempt<T> {
  made: Promise<T>;
  /** Somebody else has won. */
  drop(): void;
}

/**
 * Tries each target when the one before it has failed, or has not answered for `delayMs`; Infinity:
 * only when it has failed. `begin` calls `won` before anybody hears of the connection.
 * @returns rejects with the error of the only target, an AggregateError of several, or the signal's
 *   reason
 */
export function firstOf<T>(
  targets: readonly Target[],
  delayMs: number,
  signal: AbortSignal | undefined,
  begin: (target: Target, won: () => void) => Attempt<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const errors: Error[] = [];
    const running = new Set<Attempt<T>>();
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const over = (except?: Attempt<T>) => {
      next = targets.length;
      clearTimeout(timer);
      for (const attempt of running) if (attempt !== except) attempt.drop();
      running.clear();
    };
    const failed = (index: number, attempt: Attempt<T>, error: Error) => {
      if (!running.delete(attempt)) return;
      errors[index] = error;
      if (signal?.aborted) {
        over();
        reject(signal.reason);
      } else if (next < targets.length) {
        tryNext();
      } else if (running.size === 0) {
        reject(failureOf(errors));
      }
    };
    const tryNext = () => {
      clearTimeout(timer);
      const index = next++;
      const attempt = begin(targets[index], () => over(attempt));
      running.add(attempt);
      attempt.made.then(
        (value) => {
          over(attempt);
          resolve(value);
        },
        (error) => failed(index, attempt, error),
      );
      if (next < targets.length && delayMs !== Number.POSITIVE_INFINITY) {
        timer = later(tryNext, delayMs);
      }
    };
    tryNext();
  });
}

/** As node:net does: one error, or all of them under the code of the first. */
function failureOf(errors: Error[]): Error {
  if (errors.length === 1) return errors[0];
  const all = new AggregateError(errors, errors.map(({ message }) => message).join('; '));
  return Object.assign(all, { code: (errors[0] as NodeJS.ErrnoException).code });
}
