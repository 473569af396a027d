// Looks for some seconds at the turns of this thread, and says why the slow ones were slow.
import { integer } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type TurnMeter, turnMeter } from '../runtime/turn_meter.js';
import { type Correlation, correlated } from './correlate.js';
import { Pauses } from './pauses.js';
import { pause } from './profile.js';
import { TURNS_MAX } from './trace.js';

export const SECONDS_MAX = 120;
export const LIMIT_MS_MAX = 60_000;
const SECONDS = 10;
export const LIMIT_MS = 10;

export interface CorrelateOptions {
  /** How long it looks, 1 to 120. Default: 10. */
  seconds?: number;
  /** From so many milliseconds on a turn is slow, 1 to 60,000. Default: 10. */
  limit?: number;
  /** Ends it early: what it resolves with is of the time until then. */
  signal?: AbortSignal;
}

const OPTIONS = optionNames<CorrelateOptions>('correlate()', {
  seconds: true,
  limit: true,
  signal: true,
});

/** Both measure while this looks. @throws RingpollError ERR_RINGPOLL_RECORDER_RUNNING */
export async function slowTurns(
  turns: TurnMeter,
  pauses: Pauses,
  { seconds, limit, signal }: { seconds: number; limit: number; signal: AbortSignal },
): Promise<Correlation> {
  const from = performance.now();
  const ring = turns.record(TURNS_MAX);
  try {
    await pause(seconds * 1000, signal);
    // Pauses are told of a little later than they were.
    await new Promise((resolve) => setImmediate(resolve));
    return correlated(ring, pauses.from(from), limit);
  } finally {
    ring.stop();
  }
}

/**
 * Why turns of this thread's loop were slow, in the next seconds: what share of them lay in
 * collections, in JavaScript, in receiving or in sending, and how many had a burst of page faults
 * or were mostly in system calls. It needs no admin(). One at a time for each thread, traces of
 * admin() included.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_RECORDER_RUNNING when turns are recorded already
 */
export async function correlate(options: CorrelateOptions = {}): Promise<Correlation> {
  checkOptions(OPTIONS, options);
  const { signal = new AbortController().signal } = options;
  if (!(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  const seconds = integer('options.seconds', options.seconds, 1, SECONDS_MAX, SECONDS);
  const limit = integer('options.limit', options.limit, 1, LIMIT_MS_MAX, LIMIT_MS);
  const turns = turnMeter();
  const pauses = new Pauses();
  turns.join();
  try {
    return await slowTurns(turns, pauses, { seconds, limit, signal });
  } finally {
    turns.leave();
    pauses.stop();
  }
}
