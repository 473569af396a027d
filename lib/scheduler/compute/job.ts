// One job on its way through the pool.
import type { Transferable } from 'node:worker_threads';
import { RingpollError } from '../../errors.js';
import type { Code } from './messages.js';

export interface JobOptions {
  /** Name of the function that a module exports. Default `default`. */
  export?: string;
  /** What of `data` moves to the worker (when one takes the job) instead of being copied. */
  transfer?: Transferable[];
  /** Milliseconds from submission after which the job fails, and its worker is ended. */
  timeout?: number;
  /** @deprecated Its name is `timeout`. */
  deadline?: number;
  /** Fails the job, and ends its worker if it has begun. */
  signal?: AbortSignal;
}

export class Job {
  /** A worker has it, or had it. */
  given = false;
  settled = false;
  readonly promise: Promise<unknown>;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  readonly #options: JobOptions;
  readonly #onAbort = () => this.#giveUp(this.#options.signal?.reason);
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly code: Code,
    readonly data: unknown,
    readonly submittedAt: number,
    options: JobOptions,
    private readonly onGivenUp: (job: Job) => void,
  ) {
    this.#options = options;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeout = options.deadline, signal } = options;
    if (timeout !== undefined) this.#timer = setTimeout(() => this.#expire(timeout), timeout);
    // Given up before it was taken: nobody has counted it yet.
    if (signal?.aborted === true) this.reject(signal.reason);
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get transfer(): Transferable[] {
    return this.#options.transfer ?? [];
  }

  resolve(value: unknown): void {
    if (this.#settle()) this.#resolve(value);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }

  #expire(ms: number): void {
    const message = `The job did not end within its ${ms} ms`;
    this.#giveUp(new RingpollError('ERR_RINGPOLL_DEADLINE', message));
  }

  #giveUp(reason: unknown): void {
    this.reject(reason);
    this.onGivenUp(this);
  }
}
