// Workers for functions that would hold up the event loop, as many as a policy finds right.
//
// A pool of our own, because the size has to follow decisions from outside: the kept pools fix
// their bounds when they are made, grow by their own demand, shrink by an idle timer, and neither
// warm a worker before it gets work nor let one finish its job and leave on request.
import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { invalidArgType, invalidArgValue, RingpollError } from '../../errors.js';
import { checkOptions, optionNames } from '../../option_names.js';
import { packageFolder } from '../../runtime/package_folder.js';
import { Deque } from '../deque.js';
import { integerIn, numberIn, timeoutOf } from '../options.js';
import type { ComputeMetrics } from '../types.js';
import { CodeBook } from './code.js';
import { Job, type JobOptions } from './job.js';
import { Measure } from './measure.js';
import type { FromWorker } from './messages.js';
import { dynamicP, type PoolPolicy, poolPolicy, type ScaleEvent } from './policy.js';
import { Slot } from './slot.js';

export type { JobOptions } from './job.js';

export interface ComputeOptions {
  /** Workers that always stay, 1 to 1024. Default 1. */
  min?: number;
  /** Workers at most, `min` to 1024. Default: 4 or the available parallelism, what is more. */
  max?: number;
  /** Workers at the start. Default: the available parallelism less one, within the bounds. */
  size?: number;
  /** What decides on the size. Default `pool`; `fixed` leaves it to `resize()`. */
  policy?: 'pool' | 'dynamicP' | 'fixed' | PoolPolicy<unknown>;
  /** Jobs that may wait for a worker; more are refused. Default 100000. */
  queueMax?: number;
  /** Milliseconds until a worker that should leave or warm up is ended by force. Default 5000. */
  killAfter?: number;
  /** Modules that every worker loads before it gets work. */
  warm?: readonly (URL | string)[];
  /** The file that workers run, for bundles that moved it. */
  entry?: URL;
}

const OPTIONS = optionNames<ComputeOptions>(
  'the compute pool',
  {
    min: true,
    max: true,
    size: true,
    policy: true,
    queueMax: true,
    killAfter: true,
    warm: true,
    entry: true,
  },
  {
    minThreads: 'min',
    maxThreads: 'max',
    threads: 'size',
    workers: 'size',
    maxQueue: 'queueMax',
    closeTimeout: 'killAfter',
    filename: 'run() takes the module of each job; warm loads it before',
  },
);
const JOB_OPTIONS = optionNames<JobOptions>(
  'compute()',
  { export: true, transfer: true, timeout: true, deadline: true, signal: true },
  { transferList: 'transfer', name: 'export' },
  { deadline: 'timeout' },
);
const WORKERS_MAX = 1024;
const FAILED_STARTS_MAX = 3;
const TIMER_MS_MAX = 2 ** 31 - 1;

function policyOf(policy: ComputeOptions['policy']): PoolPolicy<unknown> | undefined {
  if (policy === 'fixed') return undefined;
  if (policy === undefined || policy === 'pool') return poolPolicy() as PoolPolicy<unknown>;
  if (policy === 'dynamicP') return dynamicP() as PoolPolicy<unknown>;
  if (typeof policy?.decide !== 'function') {
    throw invalidArgValue('compute.policy', 'pool, dynamicP, fixed or a policy', policy);
  }
  numberIn('compute.policy.interval', policy.interval, 1, TIMER_MS_MAX);
  return policy;
}

/** Before there is a pool: it is made when the first job comes. */
export function checkComputeNames(options: ComputeOptions): void {
  checkOptions(OPTIONS, options, 'compute');
}

function checkJobOptions(options: JobOptions): void {
  checkOptions(JOB_OPTIONS, options);
  const { signal } = options;
  const timeout = timeoutOf('compute()', options);
  if (timeout !== undefined) numberIn('options.timeout', timeout, 0, TIMER_MS_MAX);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
}

export class ComputePool extends EventEmitter<{ scale: [ScaleEvent] }> {
  readonly min: number;
  readonly max: number;
  readonly #queueMax: number;
  readonly #killAfterMs: number;
  readonly #entry: URL;
  readonly #policy: PoolPolicy<unknown> | undefined;
  #policyState: unknown;
  #policyTimer: NodeJS.Timeout | undefined;
  readonly #codes = new CodeBook();
  readonly #measure = new Measure();
  readonly #slots = new Set<Slot>();
  readonly #idle = new Deque<Slot>();
  readonly #queue = new Deque<Job>();
  #queued = 0;
  #pending = 0;
  #target: number;
  #failedStarts = 0;
  #completed = 0;
  #failed = 0;
  #killed = 0;
  #crashed = 0;
  #closing: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @throws TypeError or RangeError for an option that makes no sense */
  constructor(options: ComputeOptions = {}) {
    super();
    checkComputeNames(options);
    const parallelism = availableParallelism();
    this.min = integerIn('compute.min', options.min ?? 1, 1, WORKERS_MAX);
    const max = options.max ?? Math.max(4, parallelism, this.min);
    this.max = integerIn('compute.max', max, this.min, WORKERS_MAX);
    const size = options.size ?? Math.min(Math.max(parallelism - 1, this.min), this.max);
    this.#target = integerIn('compute.size', size, this.min, this.max);
    this.#queueMax = integerIn('compute.queueMax', options.queueMax ?? 100_000, 1, Infinity);
    this.#killAfterMs = numberIn('compute.killAfter', options.killAfter ?? 5000, 0, 2 ** 31 - 1);
    this.#entry = options.entry ?? new URL('dist/scheduler/compute/worker.js', packageFolder());
    for (const module of options.warm ?? []) this.#codes.codeFor(module);
    this.#policy = policyOf(options.policy);
    this.#policyState = this.#policy?.initial;
    if (this.#policy !== undefined) {
      this.#policyTimer = setInterval(() => this.#decide(), this.#policy.interval).unref();
    }
    this.#adjust();
  }

  /** Workers that take jobs or will, once warm. */
  get size(): number {
    let size = 0;
    for (const { leaving } of this.#slots) if (!leaving) size++;
    return size;
  }

  /** Jobs that each present worker has completed. */
  get spread(): number[] {
    return Array.from(this.#slots, ({ completed }) => completed);
  }

  /** See `HybridScheduler.compute()`. */
  run<D, R>(
    work: ((data: D) => R) | URL | string,
    data: D,
    options: JobOptions = {},
  ): Promise<Awaited<R>> {
    if (this.#closing !== undefined) throw closedError();
    if (typeof options !== 'object' || options === null) {
      throw invalidArgType('options', 'an object', options);
    }
    const code = this.#codes.codeFor(work, options.export);
    checkJobOptions(options);
    if (this.#queued >= this.#queueMax) {
      const message = `${this.#queued} jobs wait for a worker already`;
      return Promise.reject(new RingpollError('ERR_RINGPOLL_OVERLOADED', message));
    }
    const now = performance.now();
    const job = new Job(code, data, now, options, (given) => this.#givenUp(given));
    if (!job.settled) {
      this.#setPending(this.#pending + 1);
      this.#queue.push(job);
      this.#queued++;
      this.#assign();
    }
    return job.promise as Promise<Awaited<R>>;
  }

  /**
   * Sets the number of workers. New ones warm up before they get work; superfluous ones finish
   * their job first, and are ended by force after `killAfter`.
   */
  resize(size: number, reason = 'resize()'): void {
    this.#resize(integerIn('size', size, this.min, this.max), reason, 'manual');
  }

  metrics(): ComputeMetrics {
    const states = { warming: 0, idle: 0, busy: 0, draining: 0, gone: 0 };
    for (const { state } of this.#slots) states[state]++;
    return {
      size: this.size,
      target: this.#target,
      warming: states.warming,
      busy: states.busy,
      draining: states.draining,
      queue: this.#queued,
      completed: this.#completed,
      failed: this.#failed,
      killed: this.#killed,
      crashed: this.#crashed,
      ...this.#measure.last,
    };
  }

  /**
   * Lets running jobs end (by force after `killAfter`), refuses the rest, ends the workers, and
   * resolves when they are gone. Further calls get the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#policyTimer);
    const gone = new Promise<void>((resolve) => {
      this.#closing = resolve;
    });
    this.#refuseAll(closedError());
    this.#target = 0;
    // Somebody waits for their end now: without a reference the process could end before them.
    for (const { worker } of this.#slots) worker.ref();
    this.#adjust();
    if (this.#slots.size > 0) await gone;
  }

  #decide(): void {
    const policy = this.#policy as PoolPolicy<unknown>;
    const { size } = this;
    const shares = this.#measure.close(Array.from(this.#slots, (slot) => slot.sample()));
    const limits = { min: this.min, max: this.max };
    const sample = { ...shares, size, queue: this.#queued };
    const decision = policy.decide(this.#policyState, sample, limits);
    this.#policyState = decision.state;
    if (decision.size !== this.#target) {
      this.#resize(decision.size, decision.reason, policy.name);
    }
  }

  #resize(to: number, reason: string, policy: string): void {
    const from = this.#target;
    if (to === from || this.#closing !== undefined) return;
    this.#target = to;
    this.#adjust();
    this.emit('scale', { from, to, reason, policy });
  }

  #adjust(): void {
    let surplus = this.size - this.#target;
    for (; surplus < 0; surplus++) if (!this.#keepLeaver()) this.#start();
    if (surplus === 0) return;
    // Who has the least to lose goes first: those still warming, then idle ones, then busy ones.
    const order = { warming: 0, idle: 1, busy: 2, draining: 3, gone: 3 };
    const staying = [...this.#slots].filter(({ leaving }) => !leaving);
    staying.sort((one, other) => order[one.state] - order[other.state]);
    for (const slot of staying.slice(0, surplus)) {
      slot.leaving = true;
      if (slot.state !== 'busy') this.#drain(slot);
      else if (this.#closing !== undefined) this.#killLater(slot);
    }
  }

  /** A busy worker that was to leave may as well stay. */
  #keepLeaver(): boolean {
    for (const slot of this.#slots) {
      if (!slot.leaving || slot.state !== 'busy' || slot.job?.settled === true) continue;
      slot.leaving = false;
      return true;
    }
    return false;
  }

  #start(): void {
    const slot = new Slot(this.#entry, this.#codes.recent(), {
      ready: (ready, checked) => this.#ready(ready, checked),
      answer: (answering, message) => this.#answered(answering, message),
      gone: (gone, error) => this.#gone(gone, error),
    });
    this.#slots.add(slot);
    if (this.#pending === 0) slot.worker.unref();
    const late = setTimeout(() => {
      if (slot.state === 'warming') void slot.worker.terminate();
    }, this.#killAfterMs).unref();
    slot.worker.once('message', () => clearTimeout(late));
  }

  #ready(slot: Slot, checked: boolean): void {
    if (slot.state !== 'warming') return;
    if (!checked) {
      void slot.worker.terminate();
      return;
    }
    this.#failedStarts = 0;
    slot.state = 'idle';
    this.#idle.push(slot);
    this.#assign();
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#queued > 0) {
      const slot = this.#idle.shift() as Slot;
      if (slot.state !== 'idle' || slot.leaving) continue;
      const job = this.#nextJob();
      if (job === undefined) {
        this.#idle.push(slot);
        return;
      }
      try {
        slot.give(job);
        job.given = true;
      } catch (error) {
        this.#settle(job, true, error);
        this.#idle.push(slot);
      }
    }
  }

  #nextJob(): Job | undefined {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      // One that was given up while it waited has been counted off already.
      if (job.settled) continue;
      this.#queued--;
      return job;
    }
    return undefined;
  }

  #answered(slot: Slot, message: FromWorker): void {
    const { job } = slot;
    if (job === undefined) return;
    slot.rest();
    if (message.kind === 'done') this.#settle(job, false, message.value);
    else if (message.kind === 'failed') this.#settle(job, true, restored(message));
    if (slot.leaving) this.#drain(slot);
    else this.#idle.push(slot);
    this.#assign();
  }

  #settle(job: Job, failed: boolean, value: unknown): void {
    if (job.settled) return;
    this.#measure.addLatency(performance.now() - job.submittedAt);
    if (failed) {
      this.#failed++;
      job.reject(value);
    } else {
      this.#completed++;
      job.resolve(value);
    }
    this.#setPending(this.#pending - 1);
  }

  /** Its timeout passed or its signal aborted; the promise has been rejected. */
  #givenUp(job: Job): void {
    const slot = [...this.#slots].find((each) => each.job === job);
    this.#failed++;
    if (!job.given) this.#queued--;
    this.#setPending(this.#pending - 1);
    if (slot === undefined) return;
    // Nothing else stops JavaScript that is running; another worker takes its place.
    this.#killed++;
    slot.kill();
    this.#adjust();
  }

  #gone(slot: Slot, error: Error | undefined): void {
    this.#slots.delete(slot);
    const { job } = slot;
    if (job !== undefined && !job.settled) {
      const message = `The worker ended before its job did${error ? `: ${error.message}` : ''}`;
      const cause = error === undefined ? undefined : { cause: error };
      this.#settle(job, true, new RingpollError('ERR_RINGPOLL_WORKER_EXITED', message, cause));
    }
    if (!slot.leaving) {
      this.#crashed++;
      if (slot.completed === 0 && job === undefined) this.#failedStarts++;
    }
    if (this.#closing !== undefined) {
      if (this.#slots.size === 0) this.#closing();
      return;
    }
    if (this.#failedStarts < FAILED_STARTS_MAX) {
      this.#adjust();
      return;
    }
    this.#failedStarts = 0;
    const message = `Workers do not start${error ? `: ${error.message}` : ''}`;
    this.#refuseAll(new RingpollError('ERR_RINGPOLL_WORKER_UNFIT', message, { cause: error }));
  }

  #refuseAll(error: RingpollError): void {
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      this.#settle(job, true, error);
    }
  }

  #drain(slot: Slot): void {
    slot.drain(this.#killAfterMs, () => {
      this.#killed++;
    });
  }

  #killLater(slot: Slot): void {
    setTimeout(() => {
      if (slot.state !== 'busy') return;
      this.#killed++;
      slot.kill();
    }, this.#killAfterMs).unref();
  }

  /** Workers keep the process alive while there is work for them, and only then. */
  #setPending(pending: number): void {
    const changed = pending > 0 !== this.#pending > 0;
    this.#pending = pending;
    // Who closes the pool waits for its workers, whether they have work or not.
    if (!changed || this.#closing !== undefined) return;
    for (const { worker } of this.#slots) {
      if (pending > 0) worker.ref();
      else worker.unref();
    }
  }
}

function closedError(): RingpollError {
  return new RingpollError('ERR_RINGPOLL_SCHEDULER_CLOSED', 'The compute pool is closed');
}

/** Cloning an error loses its code, and a name that is none of the language's own. */
function restored({ error, code, name }: FromWorker & { kind: 'failed' }): unknown {
  if (!(error instanceof Error)) return error;
  if (code !== undefined) Object.assign(error, { code });
  if (typeof name === 'string' && name !== error.name) {
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  }
  return error;
}
