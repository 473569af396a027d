// What a task gets to know of itself, and how it gives way. One small object a task: it forgets its
// task at the end, so that a context kept for too long cannot steer the next user of the record.

import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { CLASS_NAMES, type SteeredContext, type Task, type TaskDrive } from './task.js';
import type { TaskClass, TaskContext, TaskHandle } from './types.js';
import { Waiter } from './waiter.js';
import { WATCH_ATTACHED, WATCH_YIELD } from './watch.js';

// Calls of shouldYield() between two looks at the clock: it doubles while calls come fast.
const CALLS_MAX = 32;
const CALLS_FAST_MS = 0.25;
const CALLS_UNWATCHED = 2 ** 30;
const SLEEP_MS_MAX = 2 ** 31 - 1;

/** What can be joined: the handle of `spawn()` tells its promise and how to find its task. */
export interface Joinable {
  taskId: number;
  find(): Task | null;
}

export const joinables = new WeakMap<object, Joinable>();

export class Context implements SteeredContext {
  readonly id: number;
  /** Null once the task has ended. */
  task: Task | null;
  slice = 0;
  callsLeft = 1;
  /** @internal */
  readonly drive: TaskDrive;
  readonly #watch: Int32Array;
  #calls = 1;
  #lookedAt = 0;
  #controller: AbortController | null = null;

  constructor(task: Task, drive: TaskDrive) {
    this.id = task.id;
    this.task = task;
    this.drive = drive;
    this.#watch = drive.watch;
  }

  get name(): string {
    return this.task?.name ?? '';
  }

  get class(): TaskClass {
    return CLASS_NAMES[this.task?.classIndex ?? CLASS_NAMES.length - 1];
  }

  get key(): unknown {
    return this.task?.key;
  }

  shouldYield(): boolean {
    if (this.#watch[WATCH_YIELD] === this.slice) return true;
    if (--this.callsLeft > 0) return false;
    return this.#lookAtClock();
  }

  yield(): Promise<void> {
    const task = this.task;
    if (task === null) return Promise.reject(this.#gone());
    return this.drive.yield(task);
  }

  wait<T>(promise: PromiseLike<T>, reason = 'promise'): Promise<T> {
    const task = this.task;
    if (task === null) return Promise.reject(this.#gone());
    const waiter = new Waiter<T>();
    const gate = this.drive.park<T>(task, waiter, reason, null);
    // Whatever it is: what is no promise, or throws when it is asked, must not leave a task parked.
    Promise.resolve(promise).then(
      (value) => waiter.wake(value),
      (error) => waiter.fail(error),
    );
    return gate;
  }

  sleep(ms: number): Promise<void> {
    if (typeof ms !== 'number') throw invalidArgType('ms', 'a number', ms);
    if (!(ms >= 0 && ms <= SLEEP_MS_MAX)) throw outOfRange('ms', `0 to ${SLEEP_MS_MAX}`, ms);
    const task = this.task;
    if (task === null) return Promise.reject(this.#gone());
    const { clock } = this.drive;
    const waiter = new Waiter<void>();
    const gate = this.drive.park<void>(task, waiter, 'sleep', null);
    if (waiter.settled) return gate;
    const timer = clock.setTimer(() => waiter.wake(), ms, true);
    waiter.cleanup = () => clock.clearTimer(timer);
    return gate;
  }

  join<T>(handle: TaskHandle<T>): Promise<T> {
    const joinable = joinables.get(handle);
    if (joinable === undefined) throw invalidArgType('task', 'a handle from spawn()', handle);
    const task = this.task;
    if (task === null) return Promise.reject(this.#gone());
    const waiter = new Waiter<T>();
    const target = {
      wakers: () => (joinable.find() === null ? null : { ids: [joinable.taskId], all: false }),
    };
    const gate = this.drive.park<T>(task, waiter, `join of task ${handle.id}`, target);
    handle.promise.then(
      (value) => waiter.wake(value),
      (error) => waiter.fail(error),
    );
    return gate;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      const task = this.task;
      if (task === null) this.#controller.abort(this.#gone());
      else if (task.cancelled !== null) this.#controller.abort(task.cancelled.reason);
    }
    return this.#controller.signal;
  }

  get remaining(): number {
    const task = this.task;
    if (task === null) return 0;
    if (task.deadlineAt === 0) return Number.POSITIVE_INFINITY;
    return Math.max(task.deadlineAt - this.drive.clock.now(), 0);
  }

  throwIfCancelled(): void {
    if (this.task === null) throw this.#gone();
    if (this.task.cancelled !== null) throw this.task.cancelled.reason;
  }

  /** A new slice begins: the next call looks at the clock again. */
  beginSlice(slice: number, now: number): void {
    this.slice = slice;
    this.#calls = 1;
    this.#lookedAt = now;
    this.callsLeft = this.#watch[WATCH_ATTACHED] === 0 ? 1 : CALLS_UNWATCHED;
  }

  /** The task was cancelled: `shouldYield()` says so, whatever the clock. */
  cancel(reason: unknown): void {
    this.callsLeft = 1;
    this.#controller?.abort(reason);
  }

  end(): void {
    this.task = null;
    this.callsLeft = 1;
  }

  #lookAtClock(): boolean {
    this.callsLeft = 1;
    const task = this.task;
    if (task === null || task.cancelled !== null) return true;
    const now = this.drive.clock.now();
    if (now - task.sliceAt >= this.drive.sliceMs) {
      this.#watch[WATCH_YIELD] = this.slice;
      return true;
    }
    this.#calls = now - this.#lookedAt < CALLS_FAST_MS ? Math.min(this.#calls * 2, CALLS_MAX) : 1;
    this.#lookedAt = now;
    this.callsLeft = this.#calls;
    return false;
  }

  #gone(): RingpollError {
    return new RingpollError('ERR_RINGPOLL_TASK_DONE', `Task ${this.id} has ended`);
  }
}

/** The task behind a context, for operations that take one; null without a context. */
export function taskOf(context: TaskContext | undefined): Task | null {
  if (context === undefined) return null;
  if (!(context instanceof Context)) throw invalidArgType('context', 'the one of a task', context);
  if (context.task === null) {
    throw new RingpollError('ERR_RINGPOLL_TASK_DONE', `Task ${context.id} has ended`);
  }
  return context.task;
}
