// Sees from another thread when this one is stuck in JavaScript.
import { workerThreads } from '../builtins.js';
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import {
  createWatch,
  WATCH_LAST_TASK,
  WATCH_LAST_US,
  WATCH_LONGEST_US,
  WATCH_OVERRUNS,
} from '../scheduler/watch.js';
import { StackCapture } from './stack_capture.js';

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
  /** Is called on this thread after each overrun, when the culprit has returned. */
  overrun?: (overrun: WatchdogOverrun) => void;
  /**
   * Takes the culprit's stack while it runs, for `overrun`. Costs a worker thread, and the main
   * thread a few milliseconds in each overrun; not for other threads. Default: false.
   */
  stack?: boolean;
}

const OPTIONS = optionNames<WatchdogOptions>('Watchdog', {
  limit: true,
  check: true,
  scheduler: true,
  overrun: true,
  stack: true,
});

/** One overrun that is over. */
export interface WatchdogOverrun {
  /** How long JavaScript ran without a break, less up to `check` milliseconds. */
  ms: number;
  /** The id of the task that ran, with `scheduler`. */
  task: number | undefined;
  /**
   * The frames at the limit, innermost first, one `    at name (url:line:column)` a line. Undefined
   * without `stack`, and when the culprit returned before V8 could stop it: system calls and other
   * native code cannot be stopped, only JavaScript.
   */
  stack: string | undefined;
}

export interface WatchdogReport {
  /** How many times the loop was stuck for longer than the limit. */
  overruns: number;
  longestMs: number;
  /** The last time, which may be now: how long, and the id of the task that ran. */
  last: { ms: number; task: number | undefined } | undefined;
}

/**
 * A native thread that looks at this thread's loop while it has listeners or connections, and at
 * the tasks of a scheduler always. It costs the loop two stores a turn, and does not keep the
 * process alive.
 */
export class Watchdog {
  /** Resolves when stacks can be taken; at once without `stack`. */
  readonly ready: Promise<void>;
  readonly #words: Int32Array;
  readonly #stacks: StackCapture | undefined;
  #handle: unknown;

  /**
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_ENGINE_UNAVAILABLE when the system has no thread left, or
   * for `stack` in a worker
   */
  constructor(options: WatchdogOptions = {}) {
    checkOptions(OPTIONS, options);
    const { limit = LIMIT_DEFAULT_MS, check = CHECK_DEFAULT_MS, scheduler, overrun } = options;
    checkMs('options.limit', limit);
    checkMs('options.check', check);
    if (scheduler !== undefined && !isWatch(scheduler?.watch)) {
      throw invalidArgType('options.scheduler', 'a HybridScheduler', scheduler);
    }
    if (typeof overrun !== 'function' && (overrun !== undefined || options.stack === true)) {
      throw invalidArgType('options.overrun', 'a function', overrun);
    }
    if (options.stack === true && !workerThreads().isMainThread) {
      const message = 'Stacks can be taken of the main thread only';
      throw new RingpollError('ERR_RINGPOLL_ENGINE_UNAVAILABLE', message);
    }
    this.#words = createWatch(limit, check);
    const sets = scheduler === undefined ? [this.#words] : [this.#words, scheduler.watch];
    this.#stacks = options.stack === true ? new StackCapture(sets, check) : undefined;
    this.ready = this.#stacks?.ready ?? Promise.resolve();
    const listener =
      overrun &&
      ((ofTask: boolean, slice: number, us: number, task: number) =>
        overrun({
          ms: us / 1000,
          task: task === 0 ? undefined : task,
          stack: this.#stacks?.take(ofTask, slice),
        }));
    this.#handle = runtime().native.watch(this.#words, scheduler?.watch, listener);
    if (this.#handle === undefined) {
      this.#stacks?.stop();
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
    if (this.#handle === undefined) return;
    runtime().native.unwatch(this.#handle);
    this.#stacks?.stop();
    this.#handle = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** The thread needs all of the words, in memory that nobody can detach under its eyes. */
function isWatch(words: unknown): words is Int32Array {
  if (!(words instanceof Int32Array)) return false;
  return words.buffer instanceof SharedArrayBuffer && words.length >= createWatch(1, 1).length;
}

function checkMs(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!(value >= 1 && value <= MS_MAX)) throw outOfRange(name, `from 1 to ${MS_MAX}`, value);
}
