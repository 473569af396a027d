// One blocked operation, and the list of them that a channel or semaphore keeps.
// The operation is that of a task, which then goes on in its turn, or of anybody (a plain promise).

/** Who waits, when it is a task. */
export interface Sleeper {
  /** The wait has ended, with a value or with an error. */
  woken(value: unknown, failed: boolean): void;
}

export class Waiter<T = unknown> {
  previous: Waiter | null = null;
  next: Waiter | null = null;
  list: WaitList | null = null;
  /** What a sender brings. */
  payload: unknown = undefined;
  /** Undoes what else the wait set up: a timer, the other arms of a select. */
  cleanup: (() => void) | null = null;
  settled = false;

  task: Sleeper | null = null;
  resolve: ((value: T) => void) | null = null;
  reject: ((error: unknown) => void) | null = null;

  /** Ends the wait with a value. */
  wake(value: T): void {
    if (this.settled) return;
    this.detach();
    if (this.task !== null) this.task.woken(value, false);
    else this.resolve?.(value);
  }

  /** Ends the wait with an error. */
  fail(error: unknown): void {
    if (this.settled) return;
    this.detach();
    if (this.task !== null) this.task.woken(error, true);
    else this.reject?.(error);
  }

  /** Leaves everything that could still end the wait. */
  detach(): void {
    this.settled = true;
    if (this.list !== null) this.list.remove(this as Waiter);
    if (this.cleanup !== null) this.cleanup();
  }
}

/** A queue of waiters that any of them can leave in constant time. */
export class WaitList {
  head: Waiter | null = null;
  #tail: Waiter | null = null;

  push(waiter: Waiter): void {
    waiter.list = this;
    waiter.previous = this.#tail;
    if (this.#tail === null) this.head = waiter;
    else this.#tail.next = waiter;
    this.#tail = waiter;
  }

  remove(waiter: Waiter): void {
    if (waiter.list !== this) return;
    const { previous, next } = waiter;
    if (previous === null) this.head = next;
    else previous.next = next;
    if (next === null) this.#tail = previous;
    else next.previous = previous;
    waiter.list = null;
    waiter.previous = null;
    waiter.next = null;
  }

  /** Takes out the one that waits longest. */
  shift(): Waiter | null {
    const first = this.head;
    if (first !== null) this.remove(first);
    return first;
  }

  get size(): number {
    let count = 0;
    for (let at = this.head; at !== null; at = at.next) count++;
    return count;
  }
}
