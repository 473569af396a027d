// What queues have in common: how often and for how long a job is tried.
import { milliseconds } from '../checks.js';
import { asError, invalidArgType, RingpollError } from '../errors.js';

/** Milliseconds before each further attempt. */
const RETRIES: readonly number[] = [100, 400, 1600];

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE */
export function checkRetries(retries: readonly number[] = RETRIES): readonly number[] {
  if (!Array.isArray(retries)) throw invalidArgType('options.retries', 'an array', retries);
  return retries.map((ms) => milliseconds('options.retries', ms, 0));
}

/** What retryIf says; when it throws itself, there is no further attempt. */
export function isWorth(
  retryIf: (error: Error, attempt: number) => boolean,
  error: Error,
  attempt: number,
): boolean {
  try {
    return retryIf(error, attempt);
  } catch (thrown) {
    process.emitWarning(asError(thrown));
    return false;
  }
}

interface Attempt {
  control: AbortController;
  timeoutMs: number;
  /** Has `late` called after that time: the attempt fails, and its signal aborts. */
  arm(late: () => void): void;
  run(): unknown;
  /** Whether nothing has become of it yet: one that was given up says nothing of the job. */
  isCurrent(): boolean;
  succeeded(): void;
  failed(error: Error): void;
}

export function begin(attempt: Attempt): void {
  const { control, timeoutMs, arm, run, isCurrent, succeeded, failed } = attempt;
  const fail = (error: Error) => {
    if (isCurrent()) failed(error);
  };
  arm(() => {
    const message = `A job has not ended within ${timeoutMs} ms`;
    const error = new RingpollError('ERR_RINGPOLL_DEADLINE', message);
    fail(error);
    control.abort(error);
  });
  new Promise((resolve) => resolve(run())).then(
    () => {
      if (isCurrent()) succeeded();
    },
    (thrown) => fail(asError(thrown)),
  );
}

export const closedError = (what: 'jobs' | 'items'): RingpollError =>
  new RingpollError('ERR_RINGPOLL_QUEUE_CLOSED', `The queue takes no more ${what}`);
