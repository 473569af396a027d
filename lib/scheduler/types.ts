// What users of the scheduler see of tasks: the names of classes and states, options and reports.
import type { LoopLevels } from '../gauges.js';
import type { Clock } from './clock.js';

/** The three levels of work, in falling order of default weight. */
export type TaskClass = 'connection' | 'request' | 'business';

/**
 * ```
 *           first turn           settles
 *   new ───────────────▶ running ───────▶ done
 *    │                   ▲     │
 *    │ suspend()    turn │     │ wait, sleep, receive, plain await ...
 *    ▼                   │     ▼
 *   suspended ◀──────▶ ready ◀── waiting
 *       suspend() / resume()
 * ```
 */
export type TaskState = 'new' | 'ready' | 'running' | 'suspended' | 'waiting' | 'done';

/** What a task may be: a plain function, an async function or a generator function. */
export type TaskFunction<R> = (context: TaskContext) => R;

/** What a task of that return type resolves with. */
export type TaskResult<R> = R extends Generator<unknown, infer T, never> ? T : Awaited<R>;

export interface TaskOptions {
  /** Level of the work. Default `business`. */
  class?: TaskClass;
  /** Tasks of one class take turns by key (a connection, a tenant). Compared like a Map key. */
  key?: unknown;
  /** Milliseconds from now after which the task is cancelled; above 0. Default none. */
  timeout?: number;
  /** @deprecated Its name is `timeout`. */
  deadline?: number;
  /** Cancels the task when it aborts. */
  signal?: AbortSignal;
  /** Shown in `tasks()` and in reports. Default: the name of the function. */
  name?: string;
}

/** What the scheduler hands to a task. It is of use only while that task lives. */
export interface TaskContext {
  /** Number of the task, from 1, never used twice. */
  readonly id: number;
  readonly name: string;
  readonly class: TaskClass;
  readonly key: unknown;
  /** Aborts when the task is cancelled. Made on first use. */
  readonly signal: AbortSignal;
  /** Milliseconds until its timeout, at least 0; Infinity without one. */
  readonly remaining: number;

  /**
   * Whether the slice of the task is used up (or the task is cancelled): then `await yield()`.
   * Cheap enough for an inner loop: one load from shared memory, and a look at the clock every
   * 32 calls at most as long as no watchdog writes to that memory.
   */
  shouldYield(): boolean;

  /**
   * Goes to the end of the queue and resolves when the task has its next turn.
   * Rejects with the reason when the task is cancelled.
   */
  yield(): Promise<void>;

  /**
   * Awaits `promise`, seen by `tasks()` as waiting for `reason`, and goes on in turn with the
   * others. Rejects early with the reason when the task is cancelled.
   */
  wait<T>(promise: PromiseLike<T>, reason?: string): Promise<T>;

  /** Waits for `ms` milliseconds (0 to 2^31-1) and then for its turn. */
  sleep(ms: number): Promise<void>;

  /** Waits for another task; resolves or rejects with what that one does. */
  join<T>(task: TaskHandle<T>): Promise<T>;

  /** Throws the reason if the task is cancelled. */
  throwIfCancelled(): void;
}

/** A started task and the ways to steer it. */
export interface TaskHandle<T> {
  readonly id: number;
  /** Settles as the task does; rejects at once when it is cancelled. */
  readonly promise: Promise<T>;
  /** Resolves when the code of the task has really ended, also after `cancel()`. */
  readonly ended: Promise<void>;
  readonly state: TaskState;
  /** Takes the task out of the queue until `resume()`. It runs on to its next wait or yield. */
  suspend(): void;
  resume(): void;
  /** Cancels the task; `reason` is what its promise rejects with. */
  cancel(reason?: unknown): void;
}

/** One line of `tasks()`. */
export interface TaskInfo {
  id: number;
  name: string;
  class: TaskClass;
  key: unknown;
  state: TaskState;
  /** What it waits for: `await` stands for a wait that JavaScript does not tell more about. */
  reason: string | undefined;
  /** Milliseconds in this state. */
  stateMs: number;
  /** Milliseconds since the task was made. */
  ageMs: number;
  /** Milliseconds that it ran in its slices. */
  ranMs: number;
  /** How often it had a turn. */
  turns: number;
  cancelled: boolean;
  /** Where it was made, with `captureSites`. */
  site: string | undefined;
}

/** How turns are shared out; docs/scheduler.md says what these mean together. */
export interface FairnessOptions {
  /** Weight of each class, above 0. Default connection 4, request 2, business 1. */
  weights?: Partial<Record<TaskClass, number>>;
  /** Milliseconds that a weight of 1 may run in one round; above 0. Default 1. */
  quantum?: number;
  /** Factor on the weight for each turn had, above 0 to 1. Default 0.95. */
  decay?: number;
  /** Share of its own weight that decay does not go below, above 0 to 1. Default 0.25. */
  floor?: number;
  /** Rounds without a turn after which a class counts as starved; at least 1. Default 3. */
  starveAfter?: number;
  /** Factor on the weight of a starved class, at least 1. Default 3 (that is +200 %). */
  boost?: number;
}

export interface DebugOptions {
  /** Milliseconds after which a send or receive counts as stalled. Default 2000. */
  stall?: number;
  /** Age in milliseconds from which a task counts as a leak. Default 60000. */
  leak?: number;
  /** Milliseconds between two looks. Default 500. */
  interval?: number;
}

export interface SchedulerOptions extends FairnessOptions {
  /** Milliseconds that a task may run before `shouldYield()` says so. Default 50. */
  slice?: number;
  /** Milliseconds between two looks of a watchdog at the running task. Default 10. */
  check?: number;
  /** Milliseconds of tasks after which the event loop gets a turn. Default 10. */
  turn?: number;
  /** Reports stalls, deadlocks and leaks. Default: whether RINGPOLL_CHECK is 1. */
  debug?: boolean | DebugOptions;
  /** Keeps the stack of each `run()`. Costs microseconds a task. Default false. */
  captureSites?: boolean;
  /** Milliseconds between lines of the trace; 0 is off. Default RINGPOLL_SCHEDTRACE, or 0. */
  trace?: number;
  /** Receives the lines of the trace. Default: standard error. */
  traceTo?: (line: string) => void;
  /** Where time comes from. Default: the clock of the machine. */
  clock?: Clock;
  /** What `select()` of its tasks chooses by, see SelectOptions. Default: Math.random. */
  random?: () => number;
}

/** A send or receive that has waited for too long. */
export interface StallReport {
  task: TaskInfo;
  operation: string;
  waitedMs: number;
}

/** Tasks that wait for each other, or for nobody who is left. */
export interface DeadlockReport {
  /** One cycle: each waits for the next one, the last for the first. */
  cycle: TaskInfo[];
  /** All tasks that cannot go on because of it. */
  tasks: TaskInfo[];
}

/** Counters of one class since the scheduler was made. */
export interface ClassMetrics {
  /** Tasks in the queue now. */
  ready: number;
  /** Weight now, between floor and boost. */
  weight: number;
  started: number;
  completed: number;
  failed: number;
  cancelled: number;
  turns: number;
  ranMs: number;
  /** Milliseconds from ready to running: the upper end of the bucket (powers of 2 of a µs). */
  delayMs: { p50: number; p99: number; max: number };
}

export interface SchedulerMetrics {
  /** Tasks alive in each state, now. */
  states: Record<Exclude<TaskState, 'done'>, number>;
  classes: Record<TaskClass, ClassMetrics>;
  /** Classes in the starved queue now, and how often one got there. */
  starved: number;
  starvations: number;
  rounds: number;
  /** Turns of the event loop that tasks had to wait for. */
  loopTurns: number;
  /** Times that a direct lane was served without a task, because nobody waited. */
  passes: number;
  /** Steps that ran for longer than slice + check, and the longest of all. */
  overruns: number;
  longestStepMs: number;
  /** @deprecated Its name is `longestStepMs`. */
  readonly longestLegMs?: number;
  /** Errors of tasks whose promise was already rejected by a cancellation. */
  lateErrors: number;
  /** Undefined until the first `compute()`. */
  compute: ComputeMetrics | undefined;
  /** Undefined until ringpoll's loop runs in this thread. */
  loop: LoopLevels | undefined;
}

/** The compute pool, now. */
export interface ComputeMetrics {
  size: number;
  target: number;
  warming: number;
  busy: number;
  draining: number;
  queue: number;
  completed: number;
  failed: number;
  /** Workers that were ended by force, and workers that ended by themselves. */
  killed: number;
  crashed: number;
  /** Milliseconds from submission to result, over the last window. */
  p95Ms: number;
  /** Share of the last window that workers spent in JavaScript, 0 to 1. */
  cpu: number;
  /** Share of the last window that workers had no job, 0 to 1. */
  idle: number;
}
