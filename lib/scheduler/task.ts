// The record of one task. Records are pooled: a task that has ended leaves its record to the next.
// Nothing outside of this folder holds one longer than its `id` says.
import type { AsyncResource } from 'node:async_hooks';
import type { Queueable } from './class_queue.js';
import type { Clock } from './clock.js';
import type { TaskEvent } from './diagnostics.js';
import type { TaskClass, TaskContext, TaskFunction, TaskInfo, TaskState } from './types.js';
import type { Sleeper, Waiter } from './waiter.js';

// The record knows one state more than users see: `free` is a record in the pool.
export const FREE = 0;
export const NEW = 1;
export const READY = 2;
export const RUNNING = 3;
export const SUSPENDED = 4;
export const WAITING = 5;

const STATE_NAMES: readonly TaskState[] = [
  'done',
  'new',
  'ready',
  'running',
  'suspended',
  'waiting',
];

export const CLASS_NAMES: readonly TaskClass[] = ['connection', 'request', 'business'];
export const CLASS_INDEX: Readonly<Record<TaskClass, number>> = {
  connection: 0,
  request: 1,
  business: 2,
};

/** The reason of a wait that the task did not announce. */
export const PLAIN_AWAIT = 'await';

/** Something that tasks wait for, as far as the wait graph can tell. */
export interface WaitTarget {
  /** A send or receive: one that takes long counts as stalled. */
  readonly isTransfer?: boolean;
  /**
   * The tasks that can end the wait; null when that cannot be known.
   * With `all` every one of them has to end, otherwise one of them is enough.
   */
  wakers(waiter: Task): { ids: number[]; all: boolean } | null;
}

/** What the operations of a task ask of the drive that runs it. */
export interface TaskDrive {
  readonly clock: Clock;
  readonly random: () => number;
  readonly watch: Int32Array;
  readonly sliceMs: number;
  /** Whether channels note which tasks use them, for the wait graph. */
  readonly tracksUsers: boolean;
  /** Makes the task wait until `waiter` is woken; the promise is what its body awaits. */
  park<T>(task: Task, waiter: Waiter<T>, reason: string, target: WaitTarget | null): Promise<T>;
  /** The wait of a parked task has ended: it goes on in its turn. */
  wake(task: Task, value: unknown, failed: boolean): void;
  /** Gives the others their turn, then goes on with `value`. */
  yield<T>(task: Task, value?: T): Promise<T>;
  /** Why the task cannot wait for anything now: it is cancelled, or waits already. */
  refusal(task: Task): Promise<never> | null;
}

/** A task's context as the scheduler sees it. */
export interface SteeredContext extends TaskContext {
  readonly drive: TaskDrive;
  /** A new slice begins: the next call looks at the clock again. */
  beginSlice(slice: number, now: number): void;
  /** The task was cancelled: `shouldYield()` says so, whatever the clock. */
  cancel(reason: unknown): void;
  end(): void;
}

export interface TaskOwner {
  /** The body of the task has ended. */
  ended(task: Task, failed: boolean, value: unknown): void;
}

/** Called when the body has ended; `value` is the error of a failed one. */
export type OnEnded = (failed: boolean, value: unknown) => void;

/** What a cancelled task rejects with; a wrapper, because the reason may be undefined. */
export interface Cancellation {
  readonly reason: unknown;
}

export class Task implements Queueable, Sleeper {
  id = 0;
  state = FREE;
  classIndex = 0;
  key: unknown = undefined;
  givenName: string | undefined = undefined;
  site: string | undefined = undefined;

  // Links: the queue of ready tasks, and the list of all that live, oldest first.
  queueNext: Queueable | null = null;
  olderTask: Task | null = null;
  newerTask: Task | null = null;

  body: TaskFunction<unknown> | null = null;
  started = false;
  iterator: Generator<unknown, unknown, unknown> | null = null;
  context: SteeredContext | null = null;
  scope: AsyncResource | null = null;
  resolve: ((value: unknown) => void) | null = null;
  reject: ((error: unknown) => void) | null = null;
  onEnded: OnEnded | null = null;
  /** null: nobody listens. */
  event: TaskEvent | null = null;

  /** In the queue now (cancelled and suspended tasks stay until they come to its head). */
  queued = false;
  /** suspend() was called, and resume() not yet. */
  held = false;
  cancelled: Cancellation | null = null;
  signal: AbortSignal | null = null;
  onAbort: (() => void) | null = null;
  deadlineAt = 0;
  deadlineSlot = -1;

  // The wait under way: the gate is a promise that the body awaits.
  openGate: ((value: unknown) => void) | null = null;
  failGate: ((error: unknown) => void) | null = null;
  waiter: Waiter | null = null;
  target: WaitTarget | null = null;
  reason: string | undefined = undefined;
  wakeValue: unknown = undefined;
  wakeFailed = false;
  /** A mere yield: a cancellation may take the place of what it would deliver. */
  yielding = false;

  madeAt = 0;
  since = 0;
  sliceAt = 0;
  ranMs = 0;
  turns = 0;

  // Made once per record, so that the promise of a body costs no closures.
  readonly onFulfilled: (value: unknown) => void;
  readonly onRejected: (error: unknown) => void;

  constructor(owner: TaskOwner) {
    this.onFulfilled = (value) => owner.ended(this, false, value);
    this.onRejected = (error) => owner.ended(this, true, error);
  }

  /** Its drive has parked it, so it has a context. */
  woken(value: unknown, failed: boolean): void {
    this.context?.drive.wake(this, value, failed);
  }

  get name(): string {
    return this.givenName ?? (this.body?.name || 'anonymous');
  }

  get stateName(): TaskState {
    return this.held && this.queued ? 'suspended' : STATE_NAMES[this.state];
  }

  info(now: number): TaskInfo {
    return {
      id: this.id,
      name: this.name,
      class: CLASS_NAMES[this.classIndex],
      key: this.key,
      state: this.stateName,
      reason: this.state === WAITING ? this.reason : undefined,
      stateMs: Math.max(now - this.since, 0),
      ageMs: Math.max(now - this.madeAt, 0),
      ranMs: this.ranMs,
      turns: this.turns,
      cancelled: this.cancelled !== null,
      site: this.site,
    };
  }

  /** Drops everything that the task held, so that the pool keeps no memory of it alive. */
  clear(): void {
    this.state = FREE;
    this.key = undefined;
    this.givenName = undefined;
    this.site = undefined;
    this.body = null;
    this.started = false;
    this.deadlineAt = 0;
    this.iterator = null;
    this.context = null;
    this.scope = null;
    this.resolve = null;
    this.reject = null;
    this.onEnded = null;
    this.held = false;
    this.cancelled = null;
    this.openGate = null;
    this.failGate = null;
    this.waiter = null;
    this.target = null;
    this.wakeValue = undefined;
    this.wakeFailed = false;
    this.yielding = false;
    this.ranMs = 0;
    this.turns = 0;
  }
}
