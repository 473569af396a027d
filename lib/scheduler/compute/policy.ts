// How many workers there should be: pure functions of a state and of what was measured, so that
// they can be tried out without a clock, a worker or luck.
import { checkOptions, optionNames } from '../../option_names.js';

/** What the pool measured over one period. */
export interface PoolSample {
  /** Workers now, those that are about to leave not counted. */
  size: number;
  /** 95th percentile of the milliseconds from submission to result. */
  p95Ms: number;
  /** Share of the time that workers spent in JavaScript, 0 to 1. */
  cpu: number;
  /** Share of the time that workers had no job, 0 to 1. */
  idle: number;
  /** Jobs that wait for a worker, at the end of the period. */
  queue: number;
}

export interface PoolLimits {
  min: number;
  max: number;
}

export interface Decision<S> {
  /** How many workers there should be, within the limits. */
  size: number;
  /** Why, in words; it goes out with the `scale` event. */
  reason: string;
  /** What the next decision gets. */
  state: S;
}

/** A rule for the size of the pool. `decide` must not depend on anything but its arguments. */
export interface PoolPolicy<S> {
  readonly name: string;
  /** Milliseconds between two decisions. */
  readonly interval: number;
  readonly initial: S;
  decide(state: S, sample: PoolSample, limits: PoolLimits): Decision<S>;
}

/** The pool changed its size, or is about to (workers warm up first, and finish their job last). */
export interface ScaleEvent {
  from: number;
  to: number;
  reason: string;
  /** Name of the policy; `manual` for `resize()`. */
  policy: string;
}

const within = (size: number, { min, max }: PoolLimits) => Math.min(Math.max(size, min), max);
const percent = (share: number) => `${Math.round(share * 100)} %`;

export interface PoolPolicyOptions {
  /** Default 10000. */
  interval?: number;
  /** Milliseconds of P95 above which it grows. Default 200. */
  p95Ms?: number;
  /** Share of CPU above which it grows. Default 0.75. */
  cpu?: number;
  /** Workers that a growth adds. Default 2. */
  step?: number;
  /** Share of idle time above which a period counts as idle. Default 0.6. */
  idle?: number;
  /** Idle periods in a row after which one worker leaves. Default 3. */
  idlePeriods?: number;
}

const POOL_OPTIONS = optionNames<PoolPolicyOptions>('poolPolicy()', {
  interval: true,
  p95Ms: true,
  cpu: true,
  step: true,
  idle: true,
  idlePeriods: true,
});

export interface PoolPolicyState {
  idlePeriods: number;
}

/** Grows by two while answers are slow and workers busy; shrinks by one after idle periods. */
export function poolPolicy(options: PoolPolicyOptions = {}): PoolPolicy<PoolPolicyState> {
  checkOptions(POOL_OPTIONS, options);
  const { interval = 10_000, p95Ms = 200, cpu = 0.75 } = options;
  const { step = 2, idle = 0.6, idlePeriods = 3 } = options;
  return {
    name: 'pool',
    interval,
    initial: { idlePeriods: 0 },
    decide(state, sample, limits) {
      if (sample.p95Ms > p95Ms && sample.cpu > cpu) {
        const reason = `P95 ${Math.round(sample.p95Ms)} ms, CPU ${percent(sample.cpu)}`;
        return { size: within(sample.size + step, limits), reason, state: { idlePeriods: 0 } };
      }
      if (sample.idle <= idle) {
        return { size: within(sample.size, limits), reason: 'steady', state: { idlePeriods: 0 } };
      }
      const periods = state.idlePeriods + 1;
      if (periods < idlePeriods) {
        const reason = `idle for ${periods} of ${idlePeriods} periods`;
        return { size: within(sample.size, limits), reason, state: { idlePeriods: periods } };
      }
      const reason = `idle ${percent(sample.idle)} for ${periods} periods`;
      return { size: within(sample.size - 1, limits), reason, state: { idlePeriods: 0 } };
    },
  };
}

export interface DynamicPOptions {
  /** Default 5000. */
  interval?: number;
  /** Jobs in the queue above which a period counts as high. Default 300. */
  queue?: number;
  /** Share of CPU above which a period counts as high. Default 0.75. */
  cpu?: number;
  /** High periods in a row after which it grows. Default 2. */
  highPeriods?: number;
  /** Periods in a row below half of both after which it shrinks. Default 3. */
  lowPeriods?: number;
  /** Factor of growth; its inverse shrinks. Default 1.5. */
  factor?: number;
  /** Size that a growth reaches at least. Default 4. */
  growTo?: number;
  /** Size that a growth does not exceed. Default 32. */
  growMax?: number;
}

const DYNAMIC_OPTIONS = optionNames<DynamicPOptions>('dynamicP()', {
  interval: true,
  queue: true,
  cpu: true,
  highPeriods: true,
  lowPeriods: true,
  factor: true,
  growTo: true,
  growMax: true,
});

export interface DynamicPState {
  high: number;
  low: number;
}

/** Grows by half while queue and CPU stay high; goes back when both stay below half of that. */
export function dynamicP(options: DynamicPOptions = {}): PoolPolicy<DynamicPState> {
  checkOptions(DYNAMIC_OPTIONS, options);
  const { interval = 5000, queue = 300, cpu = 0.75, highPeriods = 2, lowPeriods = 3 } = options;
  const { factor = 1.5, growTo = 4, growMax = 32 } = options;
  return {
    name: 'dynamicP',
    interval,
    initial: { high: 0, low: 0 },
    decide(state, sample, limits) {
      const isHigh = sample.queue > queue && sample.cpu > cpu;
      const isLow = sample.queue < queue / 2 && sample.cpu < cpu / 2;
      const high = isHigh ? state.high + 1 : 0;
      const low = isLow ? state.low + 1 : 0;
      const seen = `queue ${sample.queue}, CPU ${percent(sample.cpu)}`;
      if (high >= highPeriods) {
        const grown = Math.min(Math.max(growTo, Math.ceil(sample.size * factor)), growMax);
        const size = within(Math.max(grown, sample.size), limits);
        return { size, reason: `${seen} for ${high} periods`, state: { high: 0, low: 0 } };
      }
      if (low >= lowPeriods) {
        const size = within(Math.floor(sample.size / factor), limits);
        return { size, reason: `${seen} for ${low} periods`, state: { high: 0, low: 0 } };
      }
      const reason = isHigh ? `high for ${high}` : isLow ? `low for ${low}` : 'steady';
      return { size: within(sample.size, limits), reason, state: { high, low } };
    },
  };
}
