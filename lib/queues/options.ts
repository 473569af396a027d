// Options of queues, checked.
import { INT32_MAX, integer, milliseconds } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Clock, systemClock } from '../scheduler/clock.js';
import { checkRetries } from './attempts.js';
import type { DeadLetter, JobContext } from './job.js';
import { type KeyStore, MemoryKeys } from './keys.js';

export interface JobQueueOptions<T> {
  /** Does a job. What it throws, or rejects with, counts as a failure. */
  run(payload: T, context: JobContext): unknown;
  /** Milliseconds before each further attempt; its length is how many there are. Default:
   * [100, 400, 1,600]. */
  retries?: readonly number[];
  /** Whether a failure is worth another attempt. Default: each is. */
  retryIf?(error: Error, attempt: number): boolean;
  /** Jobs under way at a time. Default: 16. */
  concurrency?: number;
  /** Milliseconds that an attempt may take, then it counts as failed. Default: 60,000. */
  timeout?: number;
  /** Jobs that are not done yet, beyond which push() refuses. Default: 10,000. */
  maxJobs?: number;
  /** Dead letters that are kept; of more, the oldest are dropped. Default: 1,000. */
  maxDead?: number;
  /** Told of each job that has failed for the last time. */
  dead?(letter: DeadLetter<T>): void;
  /** Where keys are remembered. Default: `new MemoryKeys()`. */
  keys?: KeyStore;
  /** Milliseconds for which a key is remembered. Default: 3,600,000. */
  keyTime?: number;
  /** Default: the system's. */
  clock?: Clock;
}

export interface PushOptions {
  /** A job with a key that is known is not taken again. 1 to 256 characters. Default: none. */
  key?: string;
  /** Milliseconds before the first attempt. Default: 0. */
  delay?: number;
}

export interface QueueStopOptions {
  /** Milliseconds after which what is left is given up. Default: none. */
  timeout?: number;
}

const OPTIONS = optionNames<JobQueueOptions<unknown>>('JobQueue', {
  run: true,
  retries: true,
  retryIf: true,
  concurrency: true,
  timeout: true,
  maxJobs: true,
  maxDead: true,
  dead: true,
  keys: true,
  keyTime: true,
  clock: true,
});
const PUSH = optionNames<PushOptions>('push()', { key: true, delay: true });
const KEY = optionNames<Pick<PushOptions, 'key'>>('push()', { key: true });
const STOP = optionNames<QueueStopOptions>('stop()', { timeout: true });
const KEY_CHARACTERS_MAX = 256;

export interface CheckedQueue<T> {
  run: (payload: T, context: JobContext) => unknown;
  retries: readonly number[];
  retryIf: (error: Error, attempt: number) => boolean;
  concurrency: number;
  timeoutMs: number;
  maxJobs: number;
  maxDead: number;
  dead: ((letter: DeadLetter<T>) => void) | undefined;
  keys: KeyStore;
  keyMs: number;
  clock: Clock;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkQueue<T>(options: JobQueueOptions<T>): CheckedQueue<T> {
  checkOptions(OPTIONS, options);
  const { run, retryIf = () => true, dead, clock = systemClock } = options;
  const functions = { run, retryIf, dead: dead ?? retryIf };
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== 'function') throw invalidArgType(`options.${name}`, 'a function', value);
  }
  const retries = checkRetries(options.retries);
  const keys = options.keys ?? new MemoryKeys({ clock });
  if (typeof keys?.claim !== 'function' || typeof keys.release !== 'function') {
    throw invalidArgType('options.keys', 'a store with claim() and release()', keys);
  }
  return {
    run,
    retries,
    retryIf,
    concurrency: integer('options.concurrency', options.concurrency, 1, INT32_MAX, 16),
    timeoutMs: integer('options.timeout', options.timeout, 1, INT32_MAX, 60_000),
    maxJobs: integer('options.maxJobs', options.maxJobs, 1, INT32_MAX, 10_000),
    maxDead: integer('options.maxDead', options.maxDead, 0, INT32_MAX, 1000),
    dead,
    keys,
    keyMs: integer('options.keyTime', options.keyTime, 1, INT32_MAX, 3_600_000),
    clock,
  };
}

export function checkPush(options: PushOptions): { key: string | undefined; delayMs: number } {
  checkOptions(PUSH, options);
  return { key: keyOf(options), delayMs: milliseconds('options.delay', options.delay, 0) };
}

/** Of push() that takes nothing else. */
export function checkKey(options: Pick<PushOptions, 'key'>): string | undefined {
  checkOptions(KEY, options);
  return keyOf(options);
}

function keyOf({ key }: Pick<PushOptions, 'key'>): string | undefined {
  const fits = typeof key === 'string' && key !== '' && key.length <= KEY_CHARACTERS_MAX;
  if (key !== undefined && !fits) {
    throw invalidArgType('options.key', `a string of 1 to ${KEY_CHARACTERS_MAX} characters`, key);
  }
  return key;
}

export function checkStop(options: QueueStopOptions): number | undefined {
  checkOptions(STOP, options);
  const { timeout } = options;
  return timeout === undefined ? undefined : milliseconds('options.timeout', timeout, 0);
}
