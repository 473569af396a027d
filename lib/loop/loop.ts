// The public face of this thread's loop.

import { outOfRange } from '../errors.js';
import type { EngineReport } from '../runtime/native.js';
import type { TlsReport } from '../runtime/native_tls.js';
import { type Runtime, runtime, TRIGGERS, WAIT_STRATEGIES } from '../runtime/runtime.js';
import { type Explanation, explain } from './explain.js';
import { type FaultOptions, type Faults, startFaults } from './faults.js';

export interface Capabilities {
  /** Every engine, whether it runs, and if not, why. */
  engines: EngineReport[];
  /** Whether TLS can be had: the version of the OpenSSL that Node carries, or why not. */
  tls: TlsReport;
}

/** How the loop waits for events; docs/engines.md says when each pays. */
export type WaitStrategy = (typeof WAIT_STRATEGIES)[number];

/** How epoll tells of connections; docs/engines.md says when each pays. */
export type Trigger = (typeof TRIGGERS)[number];

/**
 * The loop of this thread. There is one per thread, made at its first use; it waits for sockets,
 * and on libuv's behalf for everything else.
 */
export class Loop {
  readonly #runtime: Runtime;

  private constructor(thread: Runtime) {
    this.#runtime = thread;
  }

  static #current: Loop | undefined;

  /**
   * This thread's loop. `RINGPOLL_ENGINE` (uring, poll or hybrid, the default) is read at the first
   * call. An engine that the system refuses is replaced by the other; `capabilities` says why.
   * @throws RingpollError ERR_RINGPOLL_ENGINE_UNAVAILABLE when there is no addon for this platform
   */
  static current(): Loop {
    Loop.#current ??= new Loop(runtime());
    return Loop.#current;
  }

  /** What runs: 'hybrid' is io_uring and epoll in one loop. */
  get engine(): 'hybrid' | 'uring' | 'poll' {
    return this.#runtime.native.describe().engine as 'hybrid' | 'uring' | 'poll';
  }

  get capabilities(): Capabilities {
    const { native } = this.#runtime;
    return { engines: native.describe().engines, tls: native.tlsStatus() };
  }

  /**
   * How the loop waits: 'block' (the default) blocks at once, 'spin' polls for up to 100 us before
   * it blocks, 'adaptive' does so only while that has paid. `RINGPOLL_WAIT` says what it begins
   * with. It holds for all that this thread serves.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE for anything else
   */
  get wait(): WaitStrategy {
    return WAIT_STRATEGIES[this.#runtime.native.wait()];
  }

  set wait(strategy: WaitStrategy) {
    const index = WAIT_STRATEGIES.indexOf(strategy);
    if (index < 0) throw outOfRange('wait', `one of ${WAIT_STRATEGIES.join(', ')}`, strategy);
    this.#runtime.native.setWait(index);
  }

  /**
   * How epoll tells that a connection can be read: 'edge' (the default), 'level', or 'adaptive',
   * which goes down to levels after three wake-ups that found nothing. It holds for connections
   * that begin, and for others as they are told next. The ring and kqueue know edges alone.
   * `RINGPOLL_TRIGGER` says what the loop begins with.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE for anything else
   */
  get trigger(): Trigger {
    return TRIGGERS[this.#runtime.native.trigger()];
  }

  set trigger(trigger: Trigger) {
    const index = TRIGGERS.indexOf(trigger);
    if (index < 0) throw outOfRange('trigger', `one of ${TRIGGERS.join(', ')}`, trigger);
    this.#runtime.native.setTrigger(index);
  }

  /** Counters since the loop began; each is explained in docs/metrics.md. */
  metrics(): Record<string, number> {
    const counters = this.#runtime.native.metrics();
    return {
      ...counters,
      // Its name until version 0.2; kevent is counted too.
      epollWaits: counters.pollWaits,
      chunksForgotten: this.#runtime.chunksForgotten,
      bytesCopiedByRetain: this.#runtime.bytesCopiedByRetain,
    };
  }

  /**
   * Where each kind of operation went, how many, why, and what they cost; docs/engines.md has the
   * rules. `formatExplanation()` makes text of it.
   */
  explain(): Explanation {
    return explain(this.#runtime);
  }

  /**
   * Lets reads, writes and connects of this thread's connections go wrong, for tests of your
   * handlers: docs/how-to/testing.md. Sockets of UDP, files and pipelines are left alone.
   * @throws TypeError, RangeError for wrong options, before anything happens
   * @throws RingpollError ERR_RINGPOLL_FAULTS_RUNNING when there are faults in this thread
   */
  faults(options: FaultOptions): Faults {
    return startFaults(() => this.#runtime, options);
  }

  /** Keeps the process alive while there are listeners or connections (the default). */
  ref(): this {
    this.#runtime.native.setReferenced(true);
    return this;
  }

  /** Lets the process exit although there are listeners or connections. */
  unref(): this {
    this.#runtime.native.setReferenced(false);
    return this;
  }
}
