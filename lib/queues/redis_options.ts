// Options of queues in Redis, checked.
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType, outOfRange } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { checkRetries } from './attempts.js';
import type { RedisJobContext } from './job.js';

export interface RedisJobQueueOptions<T> {
  /** Does a job. What it throws, or rejects with, counts as a failure. Default: this process only
   * pushes. */
  run?(payload: T, context: RedisJobContext): unknown;
  /** The stream of Redis that is the queue; names of its other keys begin with this one. Default:
   * 'ringpoll:jobs'. */
  stream?: string;
  /** Processes of one group share the jobs. Default: 'ringpoll'. */
  group?: string;
  /** Name of this process in the group, which no other one may have. Default: a random one. */
  consumer?: string;
  /** Milliseconds of an attempt. Then it counts as failed, and any process may take the job; that
   * is also when jobs of a process that died come back. Default: 60,000. */
  visibility?: number;
  /** Milliseconds before each further attempt, below `visibility`; its length is how many there
   * are, those of other processes included. Default: [100, 400, 1,600]. */
  retries?: readonly number[];
  /** Whether a failure is worth another attempt. Default: each is. */
  retryIf?(error: Error, attempt: number): boolean;
  /** Jobs under way at a time in this process. Default: 16. */
  concurrency?: number;
  /** Jobs that are not done yet, beyond which push() refuses. Default: 10,000. */
  maxJobs?: number;
  /** Dead letters that are kept, about; of more, the oldest are dropped. Default: 1,000. */
  maxDead?: number;
  /** Milliseconds for which a key is remembered. Default: 3,600,000. */
  keyTime?: number;
  /** Redis is away, or refuses something; the queue tries again. Default: the first one of each
   * outage becomes a process warning. */
  error?(error: Error): unknown;
}

const OPTIONS = optionNames<RedisJobQueueOptions<unknown>>(
  'RedisJobQueue',
  {
    ...{ run: true, stream: true, group: true, consumer: true, visibility: true, retries: true },
    ...{ retryIf: true, concurrency: true, maxJobs: true, maxDead: true, keyTime: true },
    error: true,
  },
  { timeout: 'visibility' },
);
const VISIBILITY_MS = 60_000;

export interface CheckedRedisQueue<T> {
  run: ((payload: T, context: RedisJobContext) => unknown) | undefined;
  stream: string;
  group: string;
  consumer: string | undefined;
  visibilityMs: number;
  retries: readonly number[];
  retryIf: (error: Error, attempt: number) => boolean;
  concurrency: number;
  maxJobs: number;
  maxDead: number;
  keyMs: number;
  error: ((error: Error) => unknown) | undefined;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkRedisQueue<T>(options: RedisJobQueueOptions<T>): CheckedRedisQueue<T> {
  checkOptions(OPTIONS, options);
  const { run, stream = 'ringpoll:jobs', group = 'ringpoll', consumer, error } = options;
  const { retryIf = () => true } = options;
  for (const [name, value] of Object.entries({ run, retryIf, error })) {
    if (value !== undefined && typeof value !== 'function') {
      throw invalidArgType(`options.${name}`, 'a function', value);
    }
  }
  for (const [name, value] of Object.entries({ stream, group, consumer: consumer ?? 'one' })) {
    if (typeof value === 'string' && value !== '') continue;
    throw invalidArgType(`options.${name}`, 'a string that is not empty', value);
  }
  const visibilityMs = integer(
    ...(['options.visibility', options.visibility, 1, INT32_MAX, VISIBILITY_MS] as const),
  );
  const retries = checkRetries(options.retries);
  // While it waits, nobody else may take it.
  const tooLong = retries.find((ms) => ms >= visibilityMs);
  if (tooLong !== undefined) {
    throw outOfRange('options.retries', `below options.visibility, ${visibilityMs}`, tooLong);
  }
  return {
    run,
    stream,
    group,
    consumer,
    visibilityMs,
    retries,
    retryIf,
    concurrency: integer('options.concurrency', options.concurrency, 1, INT32_MAX, 16),
    maxJobs: integer('options.maxJobs', options.maxJobs, 1, INT32_MAX, 10_000),
    maxDead: integer('options.maxDead', options.maxDead, 1, INT32_MAX, 1000),
    keyMs: integer('options.keyTime', options.keyTime, 1, INT32_MAX, 3_600_000),
    error,
  };
}
