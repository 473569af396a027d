// All tasks that live, oldest first, and the pool of records that wait for the next ones.
import { Task, type TaskOwner } from './task.js';

const POOL_RECORDS_MAX = 1024;

export class LiveTasks {
  size = 0;
  #oldest: Task | null = null;
  #newest: Task | null = null;
  #lastId = 0;
  readonly #owner: TaskOwner;
  readonly #pool: Task[] = [];

  constructor(owner: TaskOwner) {
    this.#owner = owner;
  }

  add(): Task {
    const task = this.#pool.pop() ?? new Task(this.#owner);
    task.id = ++this.#lastId;
    task.olderTask = this.#newest;
    if (this.#newest === null) this.#oldest = task;
    else this.#newest.newerTask = task;
    this.#newest = task;
    this.size++;
    return task;
  }

  /** Takes the task out and empties its record. A record still in the queue is recycled later. */
  remove(task: Task): void {
    const { olderTask, newerTask } = task;
    if (olderTask === null) this.#oldest = newerTask;
    else olderTask.newerTask = newerTask;
    if (newerTask === null) this.#newest = olderTask;
    else newerTask.olderTask = olderTask;
    task.olderTask = null;
    task.newerTask = null;
    this.size--;
    task.clear();
    if (!task.queued) this.recycle(task);
  }

  recycle(task: Task): void {
    if (this.#pool.length < POOL_RECORDS_MAX) this.#pool.push(task);
  }

  /** The task with that number while it lives. */
  find(id: number): Task | null {
    for (const task of this) if (task.id === id) return task;
    return null;
  }

  /** Oldest first. Whoever ends tasks on the way takes a copy first. */
  *[Symbol.iterator](): Generator<Task, void, undefined> {
    for (let task = this.#oldest; task !== null; task = task.newerTask) yield task;
  }
}
