// Jobs that are tried until they succeed, or have failed too often.
import { asError, RingpollError } from '../errors.js';
import { begin, closedError, isWorth } from './attempts.js';
import type { DeadLetter, Job } from './job.js';
import {
  type CheckedQueue,
  checkPush,
  checkQueue,
  checkStop,
  type JobQueueOptions,
  type PushOptions,
  type QueueStopOptions,
} from './options.js';

export interface JobQueueCounts {
  /** Jobs whose turn has not come. */
  waiting: number;
  /** Jobs that wait for their delay, or for another attempt. */
  delayed: number;
  running: number;
  /** Dead letters that are kept. */
  dead: number;
  done: number;
  /** Attempts that failed. */
  failures: number;
  /** Jobs that were not taken, since their key was known. */
  duplicates: number;
}

/**
 * A queue in memory, whose jobs are done at least once: an attempt that has taken too long may
 * still go on beside the next one. Jobs begin in the order in which they came.
 */
export class JobQueue<T> {
  readonly #options: CheckedQueue<T>;
  readonly #waiting = new Set<Job<T>>();
  readonly #delayed = new Set<Job<T>>();
  readonly #running = new Set<Job<T>>();
  #claiming = 0;
  #dead: DeadLetter<T>[] = [];
  #done = 0;
  #failures = 0;
  #duplicates = 0;
  #closed = false;
  #destroyed = false;
  #idle: (() => void)[] = [];

  /** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: JobQueueOptions<T>) {
    this.#options = checkQueue(options);
  }

  get counts(): JobQueueCounts {
    return {
      waiting: this.#waiting.size,
      delayed: this.#delayed.size,
      running: this.#running.size,
      dead: this.#dead.length,
      done: this.#done,
      failures: this.#failures,
      duplicates: this.#duplicates,
    };
  }

  /** The dead letters that are kept, the oldest first. */
  get deadLetters(): readonly DeadLetter<T>[] {
    return [...this.#dead];
  }

  /**
   * Takes a job. The first attempt begins in a later microtask, when there is room.
   * @returns false: its key is known, and nothing was taken
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_QUEUE_FULL, ERR_RINGPOLL_QUEUE_CLOSED; and the key store's
   */
  async push(payload: T, options: PushOptions = {}): Promise<boolean> {
    const { key, delayMs } = checkPush(options);
    this.#checkRoom();
    if (key !== undefined && !(await this.#claim(key))) return false;
    const job: Job<T> = { payload, key, attempts: 0, timer: undefined, control: undefined };
    if (key !== undefined) this.#claiming--;
    if (delayMs > 0) this.#delay(job, delayMs);
    else this.#waiting.add(job);
    queueMicrotask(() => this.#next());
    return true;
  }

  /**
   * Takes the dead letters that are kept as new jobs, with all attempts.
   * @returns how many
   * @throws RingpollError ERR_RINGPOLL_QUEUE_CLOSED
   */
  revive(): number {
    if (this.#closed) throw closedError('jobs');
    const letters = this.#dead;
    this.#dead = [];
    for (const { payload, key } of letters) {
      this.#waiting.add({ payload, key, attempts: 0, timer: undefined, control: undefined });
    }
    queueMicrotask(() => this.#next());
    return letters.length;
  }

  /** Resolves when no job is left, dead letters aside. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#checkIdle();
    });
  }

  /**
   * Takes no more jobs, and finishes those that it has, with their attempts. At the timeout the
   * rest is given up, as by destroy().
   * @returns the payloads of what was given up
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  async stop(options: QueueStopOptions = {}): Promise<T[]> {
    const timeoutMs = checkStop(options);
    this.#closed = true;
    let left: T[] = [];
    const { clock } = this.#options;
    const giveUp = () => {
      left = this.destroy();
    };
    const timer = timeoutMs === undefined ? undefined : clock.setTimer(giveUp, timeoutMs, true);
    await this.drained();
    if (timer !== undefined) clock.clearTimer(timer);
    return left;
  }

  /**
   * Gives up all jobs: signals of those under way abort.
   * @returns their payloads; those that were under way come first
   */
  destroy(): T[] {
    this.#closed = this.#destroyed = true;
    const jobs = [...this.#running, ...this.#delayed, ...this.#waiting];
    const running = [...this.#running];
    for (const set of [this.#running, this.#delayed, this.#waiting]) set.clear();
    for (const { timer } of jobs) this.#options.clock.clearTimer(timer);
    for (const { control } of running) control?.abort(closedError('jobs'));
    this.#checkIdle();
    return jobs.map(({ payload }) => payload);
  }

  /** True: the job counts as one that is coming, until it has been added. */
  async #claim(key: string): Promise<boolean> {
    const { keys, keyMs } = this.#options;
    let claimed = false;
    this.#claiming++;
    try {
      claimed = await keys.claim(key, keyMs);
      if (!claimed) this.#duplicates++;
      else if (this.#destroyed) {
        claimed = false;
        await keys.release(key);
        throw closedError('jobs');
      }
      return claimed;
    } finally {
      if (!claimed) {
        this.#claiming--;
        this.#checkIdle();
      }
    }
  }

  #checkRoom(): void {
    if (this.#closed) throw closedError('jobs');
    const { maxJobs } = this.#options;
    const held = this.#waiting.size + this.#delayed.size + this.#running.size + this.#claiming;
    if (held < maxJobs) return;
    throw new RingpollError('ERR_RINGPOLL_QUEUE_FULL', `${maxJobs} jobs are not done yet`);
  }

  #checkIdle(): void {
    const held = this.#waiting.size + this.#delayed.size + this.#running.size + this.#claiming;
    if (held === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #delay(job: Job<T>, ms: number): void {
    this.#delayed.add(job);
    const come = () => {
      this.#delayed.delete(job);
      this.#waiting.add(job);
      this.#next();
    };
    job.timer = this.#options.clock.setTimer(come, ms, true);
  }

  #next(): void {
    for (const job of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(job);
      this.#attempt(job);
    }
  }

  #attempt(job: Job<T>): void {
    const { clock, run, timeoutMs } = this.#options;
    const control = new AbortController();
    job.control = control;
    job.attempts++;
    this.#running.add(job);
    const { attempts: attempt, key } = job;
    begin({
      control,
      timeoutMs,
      arm: (late) => {
        job.timer = clock.setTimer(late, timeoutMs, true);
      },
      run: () => run(job.payload, { attempt, key, signal: control.signal }),
      isCurrent: () => this.#running.has(job) && job.control === control,
      succeeded: () => this.#succeeded(job),
      failed: (error) => this.#failed(job, error),
    });
  }

  #succeeded(job: Job<T>): void {
    this.#done++;
    this.#leave(job);
  }

  #leave(job: Job<T>): void {
    this.#options.clock.clearTimer(job.timer);
    this.#running.delete(job);
    this.#next();
    this.#checkIdle();
  }

  #failed(job: Job<T>, error: Error): void {
    const { retries, retryIf } = this.#options;
    this.#failures++;
    const again = job.attempts <= retries.length && isWorth(retryIf, error, job.attempts);
    this.#options.clock.clearTimer(job.timer);
    if (again) {
      this.#running.delete(job);
      this.#delay(job, retries[job.attempts - 1]);
      this.#next();
      return;
    }
    this.#bury(job, error);
    this.#leave(job);
  }

  #bury({ payload, key, attempts }: Job<T>, error: Error): void {
    const { maxDead, dead, keys } = this.#options;
    const letter = { payload, key, attempts, error };
    this.#dead.push(letter);
    if (this.#dead.length > maxDead) this.#dead.shift();
    try {
      dead?.(letter);
    } catch (thrown) {
      process.emitWarning(asError(thrown));
    }
    if (key === undefined) return;
    // Whoever comes with this key again may try again.
    new Promise((resolve) => resolve(keys.release(key))).catch((thrown) =>
      process.emitWarning(asError(thrown)),
    );
  }
}
