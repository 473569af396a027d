// A counting semaphore; with one permit it is a mutex.
import { checkOptions, optionNames } from '../option_names.js';
import { block, passOnWith, refusal } from './block.js';
import { taskOf } from './context.js';
import { integerIn } from './options.js';
import type { TaskContext } from './types.js';
import { WaitList } from './waiter.js';

const PERMITS_MAX = 2 ** 31 - 1;
const OPTIONS = optionNames<{ name?: string }>('Semaphore', { name: true });

/** The right to go on; give it back with `release()` or `using`. */
export class Permit implements Disposable {
  /** Number of the task that acquired it, undefined outside of tasks. */
  readonly holder: number | undefined;
  #release: ((permit: Permit) => void) | null;

  constructor(holder: number | undefined, release: (permit: Permit) => void) {
    this.holder = holder;
    this.#release = release;
  }

  /** Gives the permit back; a second call does nothing. */
  release(): void {
    const release = this.#release;
    this.#release = null;
    release?.(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** At most `permits` holders at a time; whoever waits longest is next. */
export class Semaphore {
  readonly name: string;
  readonly #waiters = new WaitList();
  readonly #holders = new Set<Permit>();
  #free: number;

  /**
   * @param permits 1 to 2^31-1
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, RangeError ERR_RINGPOLL_OUT_OF_RANGE
   */
  constructor(permits = 1, options: { name?: string } = {}) {
    checkOptions(OPTIONS, options);
    this.#free = integerIn('permits', permits, 1, PERMITS_MAX);
    this.name = options.name ?? 'semaphore';
  }

  /** Permits that nobody holds. */
  get available(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Waits for a permit. */
  async acquire(context?: TaskContext): Promise<Permit> {
    const task = taskOf(context);
    const refused = refusal(task);
    if (refused !== null) return refused;
    const holder = task?.id;
    if (this.#free > 0) {
      this.#free--;
      return passOnWith(task, this.#grant(holder));
    }
    return block<Permit>(this.#waiters, task, `acquire of ${this.name}`, this, holder);
  }

  /** A permit if there is one now. */
  tryAcquire(context?: TaskContext): Permit | undefined {
    const holder = taskOf(context)?.id;
    if (this.#free === 0) return undefined;
    this.#free--;
    return this.#grant(holder);
  }

  /** Runs `work` with a permit and gives it back whatever happens. */
  async with<R>(work: () => R | Promise<R>, context?: TaskContext): Promise<R> {
    const permit = await this.acquire(context);
    try {
      return await work();
    } finally {
      permit.release();
    }
  }

  /** @internal */
  wakers(): { ids: number[]; all: boolean } | null {
    const ids = Array.from(this.#holders, ({ holder }) => holder);
    if (ids.includes(undefined)) return null;
    return { ids: ids as number[], all: false };
  }

  #grant(holder: number | undefined): Permit {
    const permit = new Permit(holder, (released) => this.#takeBack(released));
    this.#holders.add(permit);
    return permit;
  }

  #takeBack(permit: Permit): void {
    this.#holders.delete(permit);
    const next = this.#waiters.shift();
    if (next === null) this.#free++;
    else next.wake(this.#grant(next.payload as number | undefined));
  }
}
