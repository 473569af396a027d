// The ready tasks of one class: a FIFO per key, and the keys take turns.
//
//   head ─▶ key A ─▶ key B ─▶ key C        one task of the first key, then that key goes last
//           a1 a2    b1       c1 c2 c3      order out: a1 b1 c1 a2 c2 c3

/** What can be queued: it carries its own link, so that queueing allocates nothing. */
export interface Queueable {
  queueNext: Queueable | null;
}

class KeyQueue<T extends Queueable> {
  head: T | null = null;
  tail: T | null = null;
  next: KeyQueue<T> | null = null;

  constructor(readonly key: unknown) {}
}

export class ClassQueue<T extends Queueable> {
  /** Tasks in here. */
  count = 0;
  /** Weight as configured; decay and boost move `weight` around it. */
  readonly base: number;
  weight: number;
  /** Milliseconds that the class may still run in this turn; below 0 is a debt. */
  credit = 0;
  /** Rounds in a row that passed without a turn although tasks were ready. */
  missed = 0;
  starved = false;
  #head: KeyQueue<T> | null = null;
  #tail: KeyQueue<T> | null = null;
  readonly #unkeyed = new KeyQueue<T>(undefined);
  readonly #keyed = new Map<unknown, KeyQueue<T>>();

  constructor(base: number) {
    this.base = base;
    this.weight = base;
  }

  push(task: T, key: unknown): void {
    const queue = key === undefined ? this.#unkeyed : this.#queueOf(key);
    task.queueNext = null;
    this.count++;
    if (queue.tail === null) {
      queue.head = task;
      queue.tail = task;
      this.#append(queue);
    } else {
      queue.tail.queueNext = task;
      queue.tail = task;
    }
  }

  /** The next task; call it only when `count` is above 0. */
  shift(): T {
    const queue = this.#head as KeyQueue<T>;
    const task = queue.head as T;
    const rest = task.queueNext as T | null;
    task.queueNext = null;
    queue.head = rest;
    this.count--;
    if (rest === null) {
      queue.tail = null;
      this.#head = queue.next;
      if (this.#head === null) this.#tail = null;
      queue.next = null;
      if (queue !== this.#unkeyed) this.#keyed.delete(queue.key);
    } else if (queue.next !== null) {
      this.#head = queue.next;
      queue.next = null;
      this.#append(queue);
    }
    return task;
  }

  #queueOf(key: unknown): KeyQueue<T> {
    const known = this.#keyed.get(key);
    if (known !== undefined) return known;
    const made = new KeyQueue<T>(key);
    this.#keyed.set(key, made);
    return made;
  }

  #append(queue: KeyQueue<T>): void {
    if (this.#tail === null) this.#head = queue;
    else this.#tail.next = queue;
    this.#tail = queue;
  }
}
