// The face of the scheduler: makes tasks, cancels them, and tells what they do.
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { invalidArgType, RingpollError } from '../errors.js';
import { loopLevels } from '../gauges.js';
import { checkOptions, optionNames } from '../option_names.js';
import { LazyCompute } from './compute/lazy.js';
import type { ScaleEvent } from './compute/policy.js';
import {
  type ComputeOptions,
  type ComputePool,
  checkComputeNames,
  type JobOptions,
} from './compute/pool.js';
import { Deadlines } from './deadlines.js';
import { isObserved, tellStart } from './diagnostics.js';
import { Drive, type StepWatcher } from './drive.js';
import { pendingPromise, rejectOfLast, resolveOfLast } from './gate.js';
import { SpawnedTask } from './handle.js';
import { LiveTasks } from './live_tasks.js';
import { classMetrics, countStates, withOldNames } from './metrics.js';
import { Monitor } from './monitor.js';
import { checkTaskOptions, numberIn, resolveOptions, SCHEDULER } from './options.js';
import { Runner } from './runner.js';
import { CLASS_INDEX, CLASS_NAMES, FREE, NEW, type OnEnded, SUSPENDED, type Task } from './task.js';
import { TaskGroup } from './task_group.js';
import { Trace } from './trace.js';
import type {
  DeadlockReport,
  SchedulerMetrics,
  SchedulerOptions,
  StallReport,
  TaskClass,
  TaskFunction,
  TaskHandle,
  TaskInfo,
  TaskOptions,
  TaskResult,
} from './types.js';

export interface SchedulerEvents {
  stall: [StallReport];
  deadlock: [DeadlockReport];
  leak: [TaskInfo];
  scale: [ScaleEvent];
}

export interface HybridSchedulerOptions extends SchedulerOptions {
  /** Size and policy of the compute pool. */
  compute?: ComputeOptions;
}

const OPTIONS = optionNames<HybridSchedulerOptions>(
  'HybridScheduler',
  { ...SCHEDULER, compute: true },
  { pool: 'compute', workers: 'compute' },
);
const BUSINESS = CLASS_INDEX.business;
// What lies between the code that wants a task and the record of it.
const OWN_FRAME = /[\\/]scheduler[\\/](scheduler|task_group|dispatcher)\.[jt]s/;

export class HybridScheduler extends EventEmitter<SchedulerEvents> {
  static #current: HybridScheduler | undefined;

  readonly #drive: Drive;
  readonly #live: LiveTasks;
  readonly #deadlines: Deadlines;
  readonly #monitor: Monitor;
  readonly #trace: Trace;
  readonly #compute: LazyCompute;
  readonly #captureSites: boolean;
  readonly #counts = CLASS_NAMES.map(() => ({ started: 0, completed: 0, failed: 0, cancelled: 0 }));
  #lateErrors = 0;
  #closed = false;

  /** The scheduler of this thread, made with defaults on first use. */
  static current(): HybridScheduler {
    HybridScheduler.#current ??= new HybridScheduler();
    return HybridScheduler.#current;
  }

  /**
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE or ERR_RINGPOLL_INVALID_ARG_VALUE,
   * RangeError ERR_RINGPOLL_OUT_OF_RANGE for an option that makes no sense.
   */
  constructor(options: HybridSchedulerOptions = {}) {
    super();
    const resolved = resolveOptions(options);
    checkOptions(OPTIONS, options);
    if (options.compute !== undefined) checkComputeNames(options.compute);
    const owner = { ended: this.#ended.bind(this) };
    const runner = new Runner(() => this.#drive, owner);
    this.#live = new LiveTasks(owner);
    this.#drive = new Drive(resolved, {
      dispatch: (task) => runner.dispatch(task),
      recycle: (task) => this.#live.recycle(task),
    });
    this.#deadlines = new Deadlines(resolved.clock, (task) => this.#expire(task));
    this.#captureSites = resolved.captureSites;
    this.#compute = new LazyCompute(options.compute ?? {}, (event) => this.emit('scale', event));
    this.#monitor = new Monitor(this.#live, resolved, {
      stall: (report) => this.emit('stall', report),
      deadlock: (report) => this.emit('deadlock', report),
      leak: (report) => this.emit('leak', report),
    });
    this.#trace = new Trace(resolved, () => this.metrics());
  }

  /** Words of shared memory for a watchdog thread; watch.ts says what each one means. */
  get watch(): Int32Array {
    return this.#drive.watch;
  }

  /**
   * Runs a plain, async or generator function as a task and resolves with its result.
   *
   * The task starts in a later microtask, in its turn, in the caller's async context. The promise
   * rejects with the task's error, with the reason of `signal`, or with ERR_RINGPOLL_DEADLINE; a
   * cancelled task is told through its context and may still be unwinding then.
   *
   * @throws TypeError or RangeError for wrong arguments, RingpollError
   * ERR_RINGPOLL_SCHEDULER_CLOSED after `close()`.
   */
  run<R>(body: TaskFunction<R>, options?: TaskOptions): Promise<TaskResult<R>> {
    const task = this.#make(body as TaskFunction<unknown>, options);
    const promise = pendingPromise<TaskResult<R>>();
    task.resolve = resolveOfLast<unknown>();
    task.reject = rejectOfLast();
    if (options !== undefined) this.#limit(task, options);
    return promise;
  }

  /** Like `run()`, and returns a handle to steer the task with. */
  spawn<R>(body: TaskFunction<R>, options?: TaskOptions): TaskHandle<TaskResult<R>> {
    return this.spawnWith(body, options, () => {});
  }

  /** @internal A task whose end somebody wants to see, after it has really ended. */
  spawnWith<R>(
    body: TaskFunction<R>,
    options: TaskOptions | undefined,
    onEnded: OnEnded,
  ): SpawnedTask<TaskResult<R>> {
    const task = this.#make(body as TaskFunction<unknown>, options);
    const promise = pendingPromise<TaskResult<R>>();
    task.resolve = resolveOfLast<unknown>();
    task.reject = rejectOfLast();
    const handle = new SpawnedTask<TaskResult<R>>(task, promise, {
      cancel: (cancelled, reason) => this.#cancel(cancelled, reason),
      suspend: (suspended) => this.#suspend(suspended),
      resume: (resumed) => this.#resume(resumed),
    });
    task.onEnded = (failed, value) => {
      handle.markEnded();
      onEnded(failed, value);
    };
    if (options !== undefined) this.#limit(task, options);
    return handle;
  }

  /**
   * Runs `scope` with a group for child tasks. When the scope is left, by return or by error, the
   * children that still run are cancelled, and the promise settles after they have ended.
   * The first child that fails cancels the group; its error is what the promise rejects with.
   */
  async group<T>(
    scope: (group: TaskGroup) => T | Promise<T>,
    options: { signal?: AbortSignal } = {},
  ): Promise<T> {
    const group = new TaskGroup(this, options);
    try {
      const result = await scope(group);
      group.throwIfFailed();
      return result;
    } catch (error) {
      group.throwIfFailed();
      throw error;
    } finally {
      await group.leave();
    }
  }

  /**
   * Runs a function or a module in a worker thread and resolves with what it returns.
   *
   * A function travels as its source text: it sees nothing but its argument. A module is named by
   * URL, and its default export (or `options.export`) is called. `data` and the result are cloned
   * (one copy each) unless transferred.
   */
  compute<D, R>(
    job: ((data: D) => R) | URL | string,
    data: D,
    options?: JobOptions,
  ): Promise<Awaited<R>> {
    if (this.#closed) throw this.#closedError();
    return this.#compute.pool().run(job, data, options);
  }

  /** The compute pool; made on first use. */
  get computePool(): ComputePool {
    return this.#compute.pool();
  }

  /**
   * @internal Runs `work` now, as a step of `className` without a task, if nobody is ready or
   * running. False: somebody is, and nothing was done.
   */
  pass<T>(className: TaskClass, work: (input: T) => void, input: T): boolean {
    if (!this.#drive.idle || this.#closed) return false;
    this.#drive.pass(CLASS_INDEX[className], work, input);
    return true;
  }

  /** @internal Whether a task has become ready in the pass under way. */
  get passOvertakes(): boolean {
    return this.#drive.passOvertakes;
  }

  /** @internal told of every step from now on. */
  _watchSteps(watcher: StepWatcher | undefined): void {
    this.#drive.watcher = watcher;
  }

  /** Every task that lives, oldest first. */
  tasks(): TaskInfo[] {
    const now = this.#drive.clock.now();
    return Array.from(this.#live, (task) => task.info(now));
  }

  /** Tasks older than `ms` (default: the limit of the debug options, 60 s). */
  leaks(ms?: number): TaskInfo[] {
    const limit = ms === undefined ? this.#monitor.limits.leak : numberIn('ms', ms, 0, Infinity);
    return this.tasks().filter(({ ageMs }) => ageMs >= limit);
  }

  /** Sends and receives of tasks that have waited for longer than the limit (default 2 s). */
  stalls(): StallReport[] {
    return this.#monitor.stalls(this.#drive.clock.now());
  }

  /** Groups of tasks that wait for each other and for nobody else. */
  deadlocks(): DeadlockReport[] {
    return this.#monitor.deadlocks(this.#drive.clock.now());
  }

  /** A snapshot of all counters. */
  metrics(): SchedulerMetrics {
    const { ready, loopTurns, passes, overruns, longestStepMs } = this.#drive;
    return withOldNames({
      states: countStates(this.#live),
      classes: classMetrics(this.#drive, this.#counts),
      starved: ready.starvedCount,
      starvations: ready.starvations,
      rounds: ready.rounds,
      loopTurns,
      passes,
      overruns,
      longestStepMs,
      lateErrors: this.#lateErrors,
      compute: this.#compute.metrics(),
      loop: loopLevels(),
    });
  }

  /** Adds numbers of another part (an event loop, say) to each line of the trace. */
  traceAlso(source: () => Record<string, number>): void {
    this.#trace.also(source);
  }

  /**
   * Cancels every task, ends the compute pool, and resolves when that is gone. Tasks unwind
   * meanwhile, or later: `tasks()` has those that do not heed their cancellation.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const error = this.#closedError();
    for (const task of [...this.#live]) {
      if (task.cancelled === null) this.#cancel(task, error);
    }
    this.#monitor.close();
    this.#trace.close();
    if (HybridScheduler.#current === this) HybridScheduler.#current = undefined;
    await this.#compute.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #make(body: TaskFunction<unknown>, options: TaskOptions | undefined): Task {
    if (typeof body !== 'function') throw invalidArgType('task', 'a function', body);
    if (this.#closed) throw this.#closedError();
    const classIndex = options === undefined ? BUSINESS : checkTaskOptions(options);
    const task = this.#live.add();
    task.state = NEW;
    task.classIndex = classIndex;
    task.body = body;
    if (options !== undefined) {
      task.key = options.key;
      task.givenName = options.name;
    }
    // The body must see the async context of its caller, whoever drives it.
    const bind = () => {
      task.scope = new AsyncResource('RINGPOLL_TASK');
    };
    if (isObserved()) task.event = tellStart(task.id, task.name, CLASS_NAMES[classIndex], bind);
    else bind();
    if (this.#captureSites) task.site = siteOfCaller();
    this.#counts[classIndex].started++;
    this.#drive.enqueue(task);
    task.madeAt = task.since;
    return task;
  }

  #limit(task: Task, options: TaskOptions): void {
    const { timeout = options.deadline, signal } = options;
    if (timeout !== undefined) this.#deadlines.add(task, this.#drive.clock.now() + timeout);
    if (signal === undefined) return;
    if (signal.aborted) {
      this.#cancel(task, signal.reason);
      return;
    }
    task.signal = signal;
    task.onAbort = () => this.#cancel(task, signal.reason);
    signal.addEventListener('abort', task.onAbort, { once: true });
  }

  #expire(task: Task): void {
    const ms = Math.round(task.deadlineAt - task.madeAt);
    const message = `Task ${task.id} (${task.name}) did not end within its ${ms} ms`;
    this.#cancel(task, new RingpollError('ERR_RINGPOLL_DEADLINE', message));
  }

  #cancel(task: Task, reason: unknown): void {
    if (task.state === FREE || task.cancelled !== null) return;
    task.cancelled = { reason };
    // Its timer would keep a process whose task never ends for nothing.
    if (task.deadlineSlot >= 0) this.#deadlines.remove(task);
    this.#counts[task.classIndex].cancelled++;
    task.reject?.(reason);
    task.context?.cancel(reason);
    task.held = false;
    if (task.waiter !== null) {
      task.waiter.fail(reason);
    } else if (task.yielding) {
      task.wakeValue = reason;
      task.wakeFailed = true;
    }
    if (task.state === SUSPENDED && !task.queued) this.#drive.enqueue(task);
  }

  #suspend(task: Task): void {
    task.held = true;
  }

  #resume(task: Task): void {
    if (!task.held) return;
    task.held = false;
    if (task.state === SUSPENDED && !task.queued) this.#drive.enqueue(task);
  }

  #ended(task: Task, failed: boolean, value: unknown): void {
    const counts = this.#counts[task.classIndex];
    const { cancelled, onEnded } = task;
    if (cancelled !== null) {
      if (failed && value !== cancelled.reason) this.#lateErrors++;
    } else if (failed) {
      counts.failed++;
      task.reject?.(value);
    } else {
      counts.completed++;
      task.resolve?.(value);
    }
    if (task.deadlineSlot >= 0) this.#deadlines.remove(task);
    if (task.onAbort !== null) {
      task.signal?.removeEventListener('abort', task.onAbort);
      task.signal = null;
      task.onAbort = null;
    }
    if (task.event !== null) {
      task.event._end(failed, value, cancelled !== null, task.ranMs);
      task.event = null;
    }
    task.waiter?.detach();
    task.context?.end();
    this.#drive.forget(task);
    this.#live.remove(task);
    onEnded?.(failed, value);
  }

  #closedError(): RingpollError {
    return new RingpollError('ERR_RINGPOLL_SCHEDULER_CLOSED', 'The scheduler is closed');
  }
}

function siteOfCaller(): string {
  const [, ...frames] = (new Error('site').stack ?? '').split('\n');
  const caller = frames.find((frame) => !OWN_FRAME.test(frame));
  return caller?.trim().replace(/^at /, '') ?? '';
}
