// Deadlines of tasks: a binary heap and one timer, however many tasks have one.
// A task knows its slot in the heap, so that ending early takes it out at once.
import type { Clock } from './clock.js';
import type { Task } from './task.js';

export class Deadlines {
  readonly #clock: Clock;
  readonly #expire: (task: Task) => void;
  readonly #heap: Task[] = [];
  #timer: unknown = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, expire: (task: Task) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(task: Task, at: number): void {
    task.deadlineAt = at;
    task.deadlineSlot = this.#heap.length;
    this.#heap.push(task);
    this.#rise(task);
    this.#arm();
  }

  remove(task: Task): void {
    const slot = task.deadlineSlot;
    task.deadlineSlot = -1;
    const last = this.#heap.pop() as Task;
    if (last !== task) {
      this.#place(last, slot);
      this.#rise(last);
      this.#sink(last);
    }
    if (this.#heap.length === 0) this.#disarm();
  }

  close(): void {
    while (this.#heap.length > 0) this.remove(this.#heap[0]);
  }

  readonly #fire = () => {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    while (this.#heap.length > 0 && this.#heap[0].deadlineAt <= now) {
      const task = this.#heap[0];
      this.remove(task);
      this.#expire(task);
    }
    this.#arm();
  };

  #arm(): void {
    if (this.#heap.length === 0) return;
    const at = this.#heap[0].deadlineAt;
    // A timer that fires too early finds nothing to do and sets the next one.
    if (at >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = at;
    // Timers count whole milliseconds: round up, or they would fire just before their time.
    const ms = Math.ceil(at - this.#clock.now());
    this.#timer = this.#clock.setTimer(this.#fire, ms, true);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #place(task: Task, slot: number): void {
    this.#heap[slot] = task;
    task.deadlineSlot = slot;
  }

  #swap(task: Task, other: Task): void {
    const slot = task.deadlineSlot;
    this.#place(task, other.deadlineSlot);
    this.#place(other, slot);
  }

  #rise(task: Task): void {
    while (task.deadlineSlot > 0) {
      const parent = this.#heap[(task.deadlineSlot - 1) >> 1];
      if (parent.deadlineAt <= task.deadlineAt) return;
      this.#swap(task, parent);
    }
  }

  #sink(task: Task): void {
    for (;;) {
      const left = task.deadlineSlot * 2 + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const rightIsFirst =
        right < this.#heap.length && this.#heap[right].deadlineAt < this.#heap[left].deadlineAt;
      const child = this.#heap[rightIsFirst ? right : left];
      if (task.deadlineAt <= child.deadlineAt) return;
      this.#swap(task, child);
    }
  }
}
