// Guards for raw connections: whether one is kept.
import { GuardChain, type GuardCounts } from './chain.js';
import { loopDelayMs } from './delay.js';
import { checkGuards, type GuardOptions } from './options.js';

/** A connection, as guards see it; those of listen() are such. */
export interface Guardable {
  readonly remoteAddress: string | undefined;
  readonly closed: Promise<void>;
  reset(): void;
}

const addressOf = (connection: Guardable) => connection.remoteAddress ?? '';

/** Admits connections, each until it is closed. */
export class ConnectionGuard<Of extends Guardable = Guardable> {
  readonly #chain: GuardChain<Of>;
  readonly #now: () => number;
  readonly #arrived: () => number;

  /**
   * As guard() for HTTP; `breaker` has no part here, for nobody says whether a connection failed.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  constructor(options: Omit<GuardOptions<Of>, 'breaker'> = {}) {
    const checked = checkGuards<Of>({ concurrency: false, ...options, breaker: false });
    this.#now = checked.now;
    this.#arrived = checked.arrived;
    this.#chain = new GuardChain<Of>(checked, addressOf, loopDelayMs);
  }

  /** Call it in `open`. False: it is too much, and the connection is reset. */
  admit(connection: Of): boolean {
    const startedMs = this.#arrived();
    if (this.#chain.enter(connection, startedMs) !== undefined) {
      connection.reset();
      return false;
    }
    const { held } = this.#chain;
    const over = () => this.#chain.leave(held, startedMs, this.#now(), false);
    connection.closed.then(over, over);
    return true;
  }

  get counts(): GuardCounts {
    return this.#chain.counts;
  }
}
