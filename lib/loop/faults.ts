// Faults on the connections of a thread, for tests.
import { INT32_MAX, integer, within } from '../checks.js';
import { invalidArgValue, outOfRange, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { NativeFaultCounts } from '../runtime/native.js';
import type { Runtime } from '../runtime/runtime.js';

/** In the order of FaultSide in native/core/loop/faults.h. */
const SIDES = ['all', 'accepted', 'outgoing'] as const;

/**
 * How often each fault happens: shares from 0, never, to 1, always. Each read and each write of a
 * connection is judged anew.
 */
export interface FaultOptions {
  /** Of the reads: a part of what has come is delivered, the rest in the next turn. Default: 0. */
  shortReads?: number;
  /** Of the writes: the kernel takes a part. Default: 0. */
  shortWrites?: number;
  /** Of reads and writes: the connection ends with ECONNRESET, its peer gets RST. Default: 0. */
  resets?: number;
  /** Of the writes: the kernel has no memory; it is asked again after 10 ms. Default: 0. */
  enobufs?: number;
  /** Of the reads: bytes or the end come later, and what follows behind them. Default: none. */
  delays?: number | FaultDelays;
  /** Of the connects that succeed: they fail with ECONNREFUSED. Default: 0. */
  refusals?: number;
  /** 0 to 2^53 - 1. Default: a random one, see `Faults.seed`. */
  seed?: number;
  /** Whose faults: of connections that listeners accepted, or of outgoing ones. Default: 'all'. */
  connections?: (typeof SIDES)[number];
}

export interface FaultDelays {
  /** Of the reads, 0 to 1. */
  share: number;
  /** Milliseconds, 0 to 60,000. Default: 1. */
  min?: number;
  /** Milliseconds, from `min` to 60,000. Default: 10, or `min` when that is more. */
  max?: number;
}

/** How many faults there were. */
export type FaultCounts = NativeFaultCounts;

const OPTIONS = optionNames<FaultOptions>('faults()', {
  shortReads: true,
  shortWrites: true,
  resets: true,
  enobufs: true,
  delays: true,
  refusals: true,
  seed: true,
  connections: true,
});
const DELAYS = optionNames<FaultDelays>('faults()', { share: true, min: true, max: true });
const DELAY_MS_MIN = 1;
const DELAY_MS_MAX = 10;
const DELAY_MS_LIMIT = 60_000;

let running: Faults | undefined;

/** What loop.faults() has made: until `stop()`, or the end of a `using` block. */
export class Faults implements Disposable {
  /** What repeats this run. */
  readonly seed: number;
  readonly #runtime: Runtime;
  #last: FaultCounts | undefined;

  /** @internal */
  constructor(thread: Runtime, plan: Float64Array, seed: number) {
    this.#runtime = thread;
    this.seed = seed;
    thread.native.setFaults(plan);
    running = this;
  }

  /** Since it began. */
  get counts(): FaultCounts {
    return this.#last ?? this.#runtime.native.faultCounts();
  }

  /** No more faults. What is delayed is delivered at once. A second call does nothing. */
  stop(): void {
    if (this.#last) return;
    this.#last = this.counts;
    this.#runtime.native.setFaults(undefined);
    running = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

export function startFaults(thread: () => Runtime, options: FaultOptions): Faults {
  const { plan, seed } = planOf(options);
  if (running) {
    const message = 'there are faults in this thread already: stop() those first';
    throw new RingpollError('ERR_RINGPOLL_FAULTS_RUNNING', message);
  }
  return new Faults(thread(), plan, seed);
}

function planOf(options: FaultOptions): { plan: Float64Array; seed: number } {
  checkOptions(OPTIONS, options);
  const share = (name: keyof FaultOptions) => within(`options.${name}`, options[name], 0, 1, 0);
  const random = Math.floor(Math.random() * INT32_MAX);
  const seed = integer('options.seed', options.seed, 0, Number.MAX_SAFE_INTEGER, random);
  const { connections = 'all' } = options;
  const side = SIDES.indexOf(connections);
  if (side < 0) {
    throw invalidArgValue('options.connections', `one of ${SIDES.join(', ')}`, connections);
  }
  const delays = delaysOf(options.delays);
  // In the order of PlanWord in native/binding/faults.cc.
  const plan = Float64Array.of(
    share('shortReads'),
    share('shortWrites'),
    share('resets'),
    share('enobufs'),
    delays.share,
    share('refusals'),
    delays.min,
    delays.max,
    seed,
    side,
  );
  return { plan, seed };
}

function delaysOf(value: FaultOptions['delays'] = 0): Required<FaultDelays> {
  if (typeof value !== 'object') {
    const share = within('options.delays', value, 0, 1, 0);
    return { share, min: DELAY_MS_MIN, max: DELAY_MS_MAX };
  }
  checkOptions(DELAYS, value, 'options.delays');
  const share = within('options.delays.share', value.share, 0, 1, 0);
  const min = integer('options.delays.min', value.min, 0, DELAY_MS_LIMIT, DELAY_MS_MIN);
  const most = Math.max(min, DELAY_MS_MAX);
  const max = integer('options.delays.max', value.max, 0, DELAY_MS_LIMIT, most);
  if (max < min) throw outOfRange('options.delays.max', `at least options.delays.min`, max);
  return { share, min, max };
}
