// The tasks that have used one end of a channel: who could end the wait at the other end.
// Only tasks of a scheduler in debug mode are noted, so everybody else pays nothing.
import type { Task, WaitTarget } from './task.js';

// A channel that this many tasks have used is none whose deadlock can be told.
const USERS_MAX = 4096;

export class Users implements WaitTarget {
  readonly isTransfer = true;
  /** What waiting for these users is called. */
  readonly reason: string;
  readonly #ids = new Set<number>();
  #unknown = false;

  constructor(reason: string) {
    this.reason = reason;
  }

  note(task: Task | null): void {
    if (task === null) this.#unknown = true;
    else if (task.context?.drive.tracksUsers === true) this.#add(task.id);
  }

  /** Null as soon as code outside of any task has used this end: it may come back. */
  wakers(): { ids: number[]; all: boolean } | null {
    return this.#unknown || this.#ids.size === 0 ? null : { ids: [...this.#ids], all: false };
  }

  #add(id: number): void {
    if (this.#ids.size < USERS_MAX) this.#ids.add(id);
    else this.#unknown = true;
  }
}
