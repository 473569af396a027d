// Counts work that is under way and lets others wait until none is.
import { invalidArgValue } from '../errors.js';
import { block, passOn } from './block.js';
import { taskOf } from './context.js';
import { integerIn } from './options.js';
import type { TaskContext } from './types.js';
import { WaitList } from './waiter.js';

const COUNT_MAX = 2 ** 31 - 1;

export class WaitGroup {
  readonly #waiters = new WaitList();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * More work is under way.
   * @param count 1 to 2^31-1
   */
  add(count = 1): void {
    this.#count += integerIn('count', count, 1, COUNT_MAX - this.#count);
  }

  /**
   * One piece of work is done; at zero everybody who waits goes on.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE when nothing is under way
   */
  done(): void {
    if (this.#count === 0) throw invalidArgValue('count', 'above 0 in done()', 0);
    this.#count--;
    if (this.#count > 0) return;
    for (let waiter = this.#waiters.shift(); waiter !== null; waiter = this.#waiters.shift()) {
      waiter.wake(undefined);
    }
  }

  /** Resolves when the count is zero, at once when it is already. */
  wait(context?: TaskContext): Promise<void> {
    const task = taskOf(context);
    if (this.#count === 0) return passOn(task);
    return block<void>(this.#waiters, task, 'wait group', this);
  }

  /** @internal Anybody may call `done()`. */
  wakers(): null {
    return null;
  }
}
