// The handle of a spawned task. It outlives the task's record, so it asks for the number first.
import { joinables } from './context.js';
import { FREE, type Task } from './task.js';
import type { TaskHandle, TaskState } from './types.js';

/** What the handle asks of the scheduler. */
export interface Steering {
  cancel(task: Task, reason: unknown): void;
  suspend(task: Task): void;
  resume(task: Task): void;
}

export class SpawnedTask<T> implements TaskHandle<T> {
  readonly id: number;
  readonly promise: Promise<T>;
  readonly ended: Promise<void>;
  /** `cancel()` was called, which a group does not take for a failure. */
  cancelledByHand = false;
  #markEnded!: () => void;
  readonly #task: Task;
  readonly #steering: Steering;

  constructor(task: Task, promise: Promise<T>, steering: Steering) {
    this.id = task.id;
    this.promise = promise;
    this.ended = new Promise((resolve) => {
      this.#markEnded = resolve;
    });
    this.#task = task;
    this.#steering = steering;
    joinables.set(this, { taskId: task.id, find: () => this.#find() });
  }

  get state(): TaskState {
    return this.#find()?.stateName ?? 'done';
  }

  suspend(): void {
    const task = this.#find();
    if (task !== null) this.#steering.suspend(task);
  }

  resume(): void {
    const task = this.#find();
    if (task !== null) this.#steering.resume(task);
  }

  cancel(reason: unknown = new DOMException('The task was cancelled', 'AbortError')): void {
    const task = this.#find();
    this.cancelledByHand = true;
    if (task !== null) this.#steering.cancel(task, reason);
  }

  /** The scheduler says that the body has ended. */
  markEnded(): void {
    this.#markEnded();
  }

  #find(): Task | null {
    return this.#task.id === this.id && this.#task.state !== FREE ? this.#task : null;
  }
}
