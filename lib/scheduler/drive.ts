// The engine room: gives ready tasks their steps, one after the other, and the event loop its turn.
//
//   run() ─▶ queue ─▶ microtask: one step ─▶ microtask: one step ─▶ ... queue empty: at rest
//                          │ tasks have used up `turn` ms
//                          ▼
//                     setImmediate: I/O, timers and everything else of Node have had their turn
//
// A step is what a task does between two waits. It starts here and ends when the microtasks that it
// queued itself have run, so each task's own continuations come before the next task.
import { RingpollError } from '../errors.js';
import type { Clock } from './clock.js';
import { Context } from './context.js';
import { pendingPromise, rejectOfLast, resolveOfLast } from './gate.js';
import { DelayHistogram } from './histogram.js';
import type { ResolvedOptions } from './options.js';
import { ReadyQueue } from './ready_queue.js';
import {
  FREE,
  PLAIN_AWAIT,
  READY,
  RUNNING,
  SUSPENDED,
  type Task,
  type TaskDrive,
  WAITING,
  type WaitTarget,
} from './task.js';
import type { Waiter } from './waiter.js';
import { createWatch, nextSlice, WATCH_SLICE, WATCH_TASK } from './watch.js';

// A continuation may come through a few nested async functions, at one microtask each.
const STEP_HOPS_MAX = 3;
// Tasks that end without a promise share a microtask, up to here.
const STEPS_AT_ONCE_MAX = 64;
// Time between two bursts of tasks counts for the turn, but an idle second must not use it up.
const GAP_MS_MAX = 1;

export interface Stage {
  /** Starts a task, or goes on with it; true when its step is over on return already. */
  dispatch(task: Task): boolean;
  /** The record of a task that ended while it was in the queue has left it. */
  recycle(task: Task): void;
}

/** Told of each step: its task's name and id, when it began, and how many milliseconds it took. */
export type StepWatcher = (name: string, id: number, start: number, ms: number) => void;

export class Drive implements TaskDrive {
  readonly clock: Clock;
  readonly random: () => number;
  readonly watch: Int32Array;
  readonly ready: ReadyQueue<Task>;
  readonly delays: readonly DelayHistogram[];
  readonly sliceMs: number;
  /** Milliseconds that each class has run. */
  readonly ranMs: Float64Array;
  readonly turns: Float64Array;
  /** The last time that was read: at most one step old while tasks run. */
  now: number;
  loopTurns = 0;
  overruns = 0;
  longestStepMs = 0;
  watcher: StepWatcher | undefined = undefined;

  /** Whether channels note which tasks use them, for the wait graph. */
  readonly tracksUsers: boolean;
  readonly #stage: Stage;
  readonly #turnMs: number;
  readonly #overrunMs: number;
  readonly #tick = Promise.resolve();
  readonly #onTick = () => this.#run();
  readonly #onBoundary = () => this.#loopTurned();
  #armed = false;
  #blocked = false;
  #boundary: NodeJS.Immediate | null = null;
  #usedMs = 0;
  #slice = 0;
  #step: Task | null = null;
  #stepClass = -1;
  #stepKey: unknown = undefined;
  #stepAt = 0;
  #stepName = '';
  #hops = 0;
  #passing = false;
  /** Times that work ran in its caller's stead, without a task. */
  passes = 0;

  constructor(options: ResolvedOptions, stage: Stage) {
    this.clock = options.clock;
    this.random = options.random;
    this.now = this.clock.now();
    this.sliceMs = options.slice;
    this.#turnMs = options.turn;
    this.#overrunMs = options.slice + options.check;
    this.watch = createWatch(options.slice, options.check);
    this.ready = new ReadyQueue<Task>(options.weights, options.fairness);
    this.ranMs = new Float64Array(options.weights.length);
    this.turns = new Float64Array(options.weights.length);
    this.delays = this.ready.classes.map(() => new DelayHistogram());
    this.#stage = stage;
    this.tracksUsers = options.debug !== null;
  }

  /** Puts a task at the end of its queue. */
  enqueue(task: Task): void {
    if (!this.#armed) this.#arm();
    task.since = this.now;
    task.queued = true;
    this.ready.push(task, task.classIndex, task.key);
  }

  /** Nobody is ready or running, so whoever runs now overtakes nobody. */
  get idle(): boolean {
    return !this.#armed && !this.#passing;
  }

  /** Whether a task became ready in this pass: what is left of it has to queue up behind. */
  get passOvertakes(): boolean {
    return this.#armed;
  }

  /** Runs `work` at once, as a step of that class without a task. Call it only when idle. */
  pass<T>(classIndex: number, work: (input: T) => void, input: T): void {
    const start = this.clock.now();
    this.#slice = nextSlice(this.#slice);
    this.watch[WATCH_TASK] = 0;
    this.watch[WATCH_SLICE] = this.#slice;
    this.#passing = true;
    try {
      work(input);
    } finally {
      this.#passing = false;
      this.watch[WATCH_SLICE] = 0;
      this.now = this.clock.now();
      this.passes++;
      this.turns[classIndex]++;
      this.#count(classIndex, this.now - start);
    }
  }

  /** Makes the task wait until `waiter` is woken; the promise is what its body awaits. */
  park<T>(task: Task, waiter: Waiter<T>, reason: string, target: WaitTarget | null): Promise<T> {
    const refusal = this.refusal(task);
    if (refusal !== null) {
      waiter.settled = true;
      return refusal;
    }
    waiter.task = task;
    const gate = pendingPromise<T>();
    task.openGate = resolveOfLast<unknown>();
    task.failGate = rejectOfLast();
    task.waiter = waiter as Waiter;
    task.target = target;
    task.reason = reason;
    task.state = WAITING;
    task.since = this.now;
    return gate;
  }

  /** Makes a generator wait that yielded a promise: it is no gate that anyone awaits. */
  parkGenerator(task: Task, waiter: Waiter): void {
    waiter.task = task;
    task.waiter = waiter;
    task.reason = 'promise';
    task.state = WAITING;
    task.since = this.now;
  }

  /** The wait of a parked task has ended: it goes on in its turn. */
  wake(task: Task, value: unknown, failed: boolean): void {
    task.waiter = null;
    task.target = null;
    task.wakeValue = value;
    task.wakeFailed = failed;
    task.state = READY;
    if (task.held) {
      task.state = SUSPENDED;
      task.since = this.now;
    } else {
      this.enqueue(task);
    }
  }

  /** Gives the others their turn, then goes on with `value`. */
  yield<T>(task: Task, value?: T): Promise<T> {
    const refusal = this.refusal(task);
    if (refusal !== null) return refusal;
    const gate = pendingPromise<T>();
    task.openGate = resolveOfLast<unknown>();
    task.failGate = rejectOfLast();
    task.yielding = value === undefined;
    this.wake(task, value, false);
    return gate;
  }

  /** The same for a generator, which goes on from its own yield. */
  yieldGenerator(task: Task): void {
    task.yielding = true;
    this.wake(task, undefined, false);
  }

  /** The task ended or its record goes back to the pool: its step is nobody's any more. */
  forget(task: Task): void {
    if (this.#step === task) this.#step = null;
  }

  /** Why the task cannot wait for anything now: it is cancelled, or waits already. */
  refusal(task: Task): Promise<never> | null {
    if (task.cancelled !== null) return Promise.reject(task.cancelled.reason);
    if (task.openGate === null) return null;
    const message = `Task ${task.id} already waits (${task.reason ?? 'yield'}): a task waits for
 one thing at a time, use select or child tasks for more`.replace('\n', '');
    return Promise.reject(new RingpollError('ERR_RINGPOLL_TASK_BUSY', message));
  }

  #arm(): void {
    this.#armed = true;
    const now = this.clock.now();
    if (this.#boundary === null) {
      this.#usedMs = 0;
      // Without a reference: at rest it must not make the event loop spin or the process stay.
      this.#boundary = setImmediate(this.#onBoundary).unref();
    } else {
      this.#usedMs += Math.min(now - this.now, GAP_MS_MAX);
    }
    this.now = now;
    this.#next();
  }

  #next(): void {
    if (this.#usedMs < this.#turnMs) {
      this.#tick.then(this.#onTick);
      return;
    }
    this.#blocked = true;
    this.loopTurns++;
    if (this.#boundary === null) this.#boundary = setImmediate(this.#onBoundary);
    else this.#boundary.ref();
  }

  #loopTurned(): void {
    this.#boundary = null;
    this.#usedMs = 0;
    if (!this.#blocked) return;
    this.#blocked = false;
    this.now = this.clock.now();
    this.#boundary = setImmediate(this.#onBoundary).unref();
    this.#run();
  }

  #run(): void {
    if (this.#stepClass >= 0) {
      const step = this.#step;
      if (step !== null && step.state === RUNNING && this.#hops < STEP_HOPS_MAX) {
        this.#hops++;
        this.#tick.then(this.#onTick);
        return;
      }
      this.#endLeg();
    }
    for (let steps = 0; steps < STEPS_AT_ONCE_MAX && this.#usedMs < this.#turnMs; steps++) {
      const task = this.ready.shift();
      if (task === null) {
        this.#armed = false;
        this.watch[WATCH_SLICE] = 0;
        return;
      }
      task.queued = false;
      if (task.state === FREE) {
        this.#stage.recycle(task);
        continue;
      }
      if (task.held && task.cancelled === null) {
        task.state = SUSPENDED;
        continue;
      }
      this.#beginLeg(task);
      if (!this.#stage.dispatch(task)) break;
      this.#endLeg();
    }
    this.#next();
  }

  #beginLeg(task: Task): void {
    const { now } = this;
    this.delays[task.classIndex].add(now - task.since);
    task.state = RUNNING;
    task.since = now;
    task.sliceAt = now;
    task.turns++;
    this.turns[task.classIndex]++;
    this.#slice = nextSlice(this.#slice);
    this.watch[WATCH_TASK] = task.id;
    this.watch[WATCH_SLICE] = this.#slice;
    task.context ??= new Context(task, this);
    task.context.beginSlice(this.#slice, now);
    if (this.watcher !== undefined) this.#stepName = task.name;
    this.#step = task;
    this.#stepClass = task.classIndex;
    this.#stepKey = task.key;
    this.#stepAt = now;
    this.#hops = 0;
  }

  #endLeg(): void {
    const now = this.clock.now();
    const ms = now - this.#stepAt;
    this.now = now;
    this.#usedMs += ms;
    this.ready.charge(this.#stepClass, this.#stepKey, ms);
    this.#count(this.#stepClass, ms);
    const step = this.#step;
    this.watcher?.(this.#stepName, this.watch[WATCH_TASK], this.#stepAt, ms);
    this.#step = null;
    this.#stepClass = -1;
    this.#stepKey = undefined;
    if (step === null) return;
    step.ranMs += ms;
    if (step.state === RUNNING) {
      step.state = WAITING;
      step.reason = PLAIN_AWAIT;
      step.since = now;
    }
  }

  #count(classIndex: number, ms: number): void {
    this.ranMs[classIndex] += ms;
    if (ms > this.longestStepMs) this.longestStepMs = ms;
    if (ms > this.#overrunMs) this.overruns++;
  }
}
