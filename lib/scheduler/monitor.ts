// What debug mode looks after: transfers that stall, tasks that wait in a circle, tasks that stay.
// Without debug mode the same reports can still be asked for; nobody looks by himself then.
import type { LiveTasks } from './live_tasks.js';
import type { ResolvedOptions } from './options.js';
import { type Task, WAITING } from './task.js';
import type { DeadlockReport, DebugOptions, StallReport, TaskInfo } from './types.js';
import { findDeadlocks, type Wakers } from './wait_graph.js';

const DEFAULT_LIMITS: Required<DebugOptions> = { stall: 2000, leak: 60_000, interval: 500 };

/** Each returns whether anybody listens. */
export interface Listeners {
  stall(report: StallReport): boolean;
  deadlock(report: DeadlockReport): boolean;
  leak(report: TaskInfo): boolean;
}

const named = ({ name, id }: TaskInfo) => `${name} (task ${id})`;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

export class Monitor {
  readonly limits: Required<DebugOptions>;
  readonly #live: LiveTasks;
  readonly #options: ResolvedOptions;
  readonly #listeners: Listeners;
  readonly #stalled = new Map<number, number>();
  readonly #locked = new Set<number>();
  readonly #leaked = new Set<number>();
  #timer: unknown = null;

  constructor(live: LiveTasks, options: ResolvedOptions, listeners: Listeners) {
    this.limits = options.debug ?? DEFAULT_LIMITS;
    this.#live = live;
    this.#options = options;
    this.#listeners = listeners;
    if (options.debug === null) return;
    this.#arm();
    process.on('beforeExit', this.#onBeforeExit);
  }

  stalls(now: number): StallReport[] {
    return this.#stalledTasks(now).map((task) => ({
      task: task.info(now),
      operation: task.reason ?? '',
      waitedMs: now - task.since,
    }));
  }

  deadlocks(now: number): DeadlockReport[] {
    const waiting = new Map<number, Task>();
    const waits = new Map<number, Wakers>();
    const lives = new Set<number>();
    for (const task of this.#live) {
      lives.add(task.id);
      if (task.state !== WAITING || task.target === null) continue;
      waiting.set(task.id, task);
      waits.set(task.id, task.target.wakers(task));
    }
    const infoOf = (id: number) => (waiting.get(id) as Task).info(now);
    return findDeadlocks(waits, (id) => lives.has(id)).map(({ cycle, stuck }) => ({
      cycle: cycle.map(infoOf),
      tasks: stuck.map(infoOf),
    }));
  }

  close(): void {
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    process.off('beforeExit', this.#onBeforeExit);
  }

  #arm(): void {
    const { clock } = this.#options;
    const look = () => {
      this.#arm();
      this.#look(clock.now());
    };
    this.#timer = clock.setTimer(look, this.limits.interval, false);
  }

  #look(now: number): void {
    this.#forgetEnded();
    for (const task of this.#stalledTasks(now)) {
      if (this.#stalled.get(task.id) === task.since) continue;
      this.#stalled.set(task.id, task.since);
      const info = task.info(now);
      const waitedMs = now - task.since;
      const heard = this.#listeners.stall({ task: info, operation: task.reason ?? '', waitedMs });
      if (!heard) warn(`${named(info)} waits for ${seconds(waitedMs)}: ${task.reason}`);
    }
    for (const report of this.deadlocks(now)) {
      // Young waits may still be on their way to somebody who has not shown up yet.
      if (report.cycle.some(({ stateMs }) => stateMs < this.limits.interval)) continue;
      this.#reportDeadlock(report);
    }
    for (const task of this.#live) {
      if (now - task.madeAt < this.limits.leak) break;
      if (this.#leaked.has(task.id)) continue;
      this.#leaked.add(task.id);
      const info = task.info(now);
      if (this.#listeners.leak(info)) continue;
      const where = info.site === undefined ? '' : `, made at ${info.site}`;
      warn(`${named(info)} is ${seconds(info.ageMs)} old and ${info.state}${where}`);
    }
  }

  #reportDeadlock(report: DeadlockReport): void {
    if (report.tasks.every(({ id }) => this.#locked.has(id))) return;
    for (const { id } of report.tasks) this.#locked.add(id);
    if (this.#listeners.deadlock(report)) return;
    const steps = report.cycle.map((info) => `${named(info)} waits: ${info.reason}`);
    const start = steps.length > 0 ? 'Tasks wait for each other' : 'Nobody is left to wake tasks';
    const others = report.tasks.map((info) => `${named(info)} waits: ${info.reason}`);
    warn(`${start}: ${(steps.length > 0 ? steps : others).join('; ')}`);
  }

  /** Nothing keeps the process any more, so nobody will come to wake those who wait here. */
  readonly #onBeforeExit = () => {
    const now = this.#options.clock.now();
    const asleep = [...this.#live].filter(({ target, state }) => {
      return state === WAITING && target !== null;
    });
    if (asleep.length === 0) return;
    this.#reportDeadlock({ cycle: [], tasks: asleep.map((task) => task.info(now)) });
  };

  #stalledTasks(now: number): Task[] {
    return [...this.#live].filter(
      ({ state, target, since }) =>
        state === WAITING && target?.isTransfer === true && now - since >= this.limits.stall,
    );
  }

  #forgetEnded(): void {
    const lives = new Set(Array.from(this.#live, ({ id }) => id));
    for (const id of this.#stalled.keys()) if (!lives.has(id)) this.#stalled.delete(id);
    for (const set of [this.#locked, this.#leaked]) {
      for (const id of set) if (!lives.has(id)) set.delete(id);
    }
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'RingpollSchedulerWarning');
}
