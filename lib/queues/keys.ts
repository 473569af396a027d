// Keys of jobs that were taken, so that none is taken twice.
import { INT32_MAX, integer } from '../checks.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Clock, systemClock } from '../scheduler/clock.js';

/** Remembers keys. A store that several processes share claims in one step, as SET NX of Redis. */
export interface KeyStore {
  /** True, once, until `ms` have passed or it is released: the caller has it now. */
  claim(key: string, ms: number): boolean | Promise<boolean>;
  /** Forgets it: a job with this key may come again. */
  release(key: string): void | Promise<void>;
}

export interface MemoryKeysOptions {
  /** Keys that are remembered; of more, those that came first are forgotten. Default: 65,536. */
  max?: number;
  /** Default: the system's. */
  clock?: Clock;
}

const OPTIONS = optionNames<MemoryKeysOptions>('MemoryKeys', { max: true, clock: true });
const FORGOTTEN_AT_ONCE = 16;

/** Keys of this process, in bounded memory. */
export class MemoryKeys implements KeyStore {
  readonly #max: number;
  readonly #clock: Clock;
  /** Until when, in the order in which they came. */
  readonly #keys = new Map<string, number>();

  /** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: MemoryKeysOptions = {}) {
    checkOptions(OPTIONS, options);
    this.#max = integer('options.max', options.max, 1, INT32_MAX, 65_536);
    this.#clock = options.clock ?? systemClock;
  }

  get size(): number {
    return this.#keys.size;
  }

  claim(key: string, ms: number): boolean {
    const nowMs = this.#clock.now();
    const until = this.#keys.get(key);
    if (until !== undefined && until > nowMs) return false;
    this.#keys.delete(key);
    this.#forget(nowMs);
    this.#keys.set(key, nowMs + ms);
    return true;
  }

  release(key: string): void {
    this.#keys.delete(key);
  }

  /** A few of those that are over, and one more when there is no room. */
  #forget(nowMs: number): void {
    let count = 0;
    for (const [key, until] of this.#keys) {
      const isFull = this.#keys.size >= this.#max;
      if (!isFull && (until > nowMs || ++count > FORGOTTEN_AT_ONCE)) return;
      this.#keys.delete(key);
    }
  }
}
