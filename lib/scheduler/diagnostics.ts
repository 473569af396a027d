// What a scheduler tells node:diagnostics_channel of its tasks. While nobody has subscribed no
// object is made.
import { channel } from 'node:diagnostics_channel';
import type { TaskClass } from './types.js';

/** A task is made; what is bound to the channel's stores holds in its body. */
export const taskStart = channel('ringpoll:task:start');
/** Its body has ended, in whatever way. */
export const taskEnd = channel('ringpoll:task:end');

/** The message of both channels: for each task one object. */
export class TaskEvent {
  /** Other tasks of the scheduler have it later. */
  readonly id: number;
  readonly name: string;
  readonly taskClass: TaskClass;
  /** From `end` on: what the body has thrown; undefined: nothing. */
  error: unknown = undefined;
  /** From `end` on: it was cancelled, whatever its body did then. */
  cancelled = false;
  /** From `start` to `end`, in milliseconds; */
  ms = 0;
  /** of these, how long it ran. */
  ranMs = 0;
  readonly #from = performance.now();

  /** @internal */
  constructor(id: number, name: string, taskClass: TaskClass) {
    this.id = id;
    this.name = name;
    this.taskClass = taskClass;
  }

  /** @internal */
  _end(failed: boolean, value: unknown, cancelled: boolean, ranMs: number): void {
    this.ms = performance.now() - this.#from;
    if (failed) this.error = value;
    this.cancelled = cancelled;
    this.ranMs = ranMs;
    observer?.end(this);
    taskEnd.publish(this);
  }
}

/** One that makes tasks in a context of its own, and does not throw. */
export interface TaskObserver {
  /** What makes the task. */
  start(event: TaskEvent): (run: () => void) => void;
  end(event: TaskEvent): void;
}

let observer: TaskObserver | undefined;

/** Of all schedulers of this thread; undefined: none. */
export function setTaskObserver(one: TaskObserver | undefined): void {
  observer = one;
}

export const isObserved = (): boolean =>
  observer !== undefined || taskStart.hasSubscribers || taskEnd.hasSubscribers;

/** Tells, and runs `make`, which takes the async context along. */
export function tellStart(
  id: number,
  name: string,
  taskClass: TaskClass,
  make: () => void,
): TaskEvent {
  const event = new TaskEvent(id, name, taskClass);
  const around = observer?.start(event);
  taskStart.runStores(event, around === undefined ? make : () => around(make));
  return event;
}
