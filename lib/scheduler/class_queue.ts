// The ready tasks of one class: a FIFO per key, and the keys take turns.
//
//   head ─▶ key A ─▶ key B ─▶ key C        one task of the first key, then that key goes last
//           a1 a2    b1       c1 c2 c3      order out: a1 b1 c1 a2 c2 c3
//
// A key whose task has just run for long is passed over until as many tasks have left as there were
// then: turns by number alone would let one long step go between any two short ones.

/** What can be queued: it carries its own link, so that queueing allocates nothing. */
export interface Queueable {
  queueNext: Queueable | null;
}

class KeyQueue<T extends Queueable> {
  head: T | null = null;
  tail: T | null = null;
  next: KeyQueue<T> | null = null;
  /** It is passed over while fewer tasks than this have left the class. */
  notBefore = 0;

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
  /** The round that was missed last. */
  missedRound = -1;
  starved = false;
  #left = 0;
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
    let before: KeyQueue<T> | null = null;
    let queue = this.#head as KeyQueue<T>;
    // Usually the first will do. If all are to be passed over, nobody is.
    while (queue.notBefore > this.#left && queue.next !== null) {
      before = queue;
      queue = queue.next;
    }
    if (queue.notBefore > this.#left) {
      before = null;
      queue = this.#head as KeyQueue<T>;
    }
    const task = queue.head as T;
    const rest = task.queueNext as T | null;
    task.queueNext = null;
    queue.head = rest;
    this.count--;
    this.#left++;
    if (rest !== null && queue === this.#tail) return task;
    this.#unlink(queue, before);
    if (rest !== null) {
      this.#append(queue);
    } else {
      queue.tail = null;
      queue.notBefore = 0;
      if (queue !== this.#unkeyed) this.#keyed.delete(queue.key);
    }
    return task;
  }

  /** A task of that key has just run for long. */
  defer(key: unknown): void {
    const queue = key === undefined ? this.#unkeyed : this.#keyed.get(key);
    // Without tasks it is not in line: who comes back later has waited already.
    if (queue !== undefined && queue.head !== null) queue.notBefore = this.#left + this.count;
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

  #unlink(queue: KeyQueue<T>, before: KeyQueue<T> | null): void {
    if (before === null) this.#head = queue.next;
    else before.next = queue.next;
    if (this.#tail === queue) this.#tail = before;
    queue.next = null;
  }
}
