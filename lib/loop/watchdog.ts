// Sees from another thread when this one is stuck in JavaScript.
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import {
  createWatch,
  WATCH_LAST_TASK,
  WATCH_LAST_US,
  WATCH_LONGEST_US,
  WATCH_OVERRUNS,
} from '../scheduler/watch.js';
import { runtime } from './runtime.js';

const LIMIT_DEFAULT_MS = 50;
const CHECK_DEFAULT_MS = 10;
const MS_MAX = 60_000;

export interface WatchdogOptions {
  /** Milliseconds that JavaScript may run without a break, 1 to 60,000. Default: 50. */
  limit?: number;
  /** Milliseconds between two looks, 1 to 60,000. Default: 10; durations are so exact. */
  check?: number;
  /** Whose tasks are named, and asked to yield at the limit: a HybridScheduler. */
  scheduler?: { readonly watch: Int32Array };
}

export interface WatchdogReport {
  /** How many times the loop was stuck for longer than the limit. */
  overruns: number;
  longestMs: number;
  /** The last time, which may be now: how long, and the id of the task that ran. */
  last: { ms: number; task: number | undefined } | undefined;
}

/**
 * A native thread that looks at this thread's loop while it has listeners or connections. Nothing
 * is sent or called: report() tells what was seen. It costs the loop two stores a turn, and does
 * not keep the process alive.
 */
export class Watchdog {
  readonly #words: Int32Array;
  #handle: unknown;

  /**
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_ENGINE_UNAVAILABLE when the system has no thread left
   */
  constructor(options: WatchdogOptions = {}) {
    const { limit = LIMIT_DEFAULT_MS, check = CHECK_DEFAULT_MS, scheduler } = options;
    checkMs('options.limit', limit);
    checkMs('options.check', check);
    if (scheduler !== undefined && !(scheduler.watch instanceof Int32Array)) {
      throw invalidArgType('options.scheduler', 'a HybridScheduler', scheduler);
    }
    this.#words = createWatch(limit, check);
    this.#handle = runtime().native.watch(this.#words, scheduler?.watch);
    if (this.#handle === undefined) {
      throw new RingpollError('ERR_RINGPOLL_ENGINE_UNAVAILABLE', 'No thread for the watchdog');
    }
  }

  report(): WatchdogReport {
    const words = this.#words;
    const overruns = Atomics.load(words, WATCH_OVERRUNS);
    const task = Atomics.load(words, WATCH_LAST_TASK) || undefined;
    const ms = Atomics.load(words, WATCH_LAST_US) / 1000;
    return {
      overruns,
      longestMs: Atomics.load(words, WATCH_LONGEST_US) / 1000,
      last: overruns === 0 ? undefined : { ms, task },
    };
  }

  /** Ends the thread. What was seen can still be read. */
  stop(): void {
    if (this.#handle !== undefined) runtime().native.unwatch(this.#handle);
    this.#handle = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

function checkMs(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!(value >= 1 && value <= MS_MAX)) throw outOfRange(name, `from 1 to ${MS_MAX}`, value);
}
