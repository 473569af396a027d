// Options of the guards, checked.
import { INT32_MAX, integer, milliseconds, within } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import { deliveryTime } from '../runtime/delivery_time.js';
import type { BreakerRules } from './breaker.js';
import type { GradientRules } from './gradient.js';
import type { BucketRules, WindowRules } from './rate.js';
import type { GuardRule, RuleAction, RuleMetric } from './rules.js';
import type { Priority } from './shedding.js';

export interface OverloadOptions {
  /** Milliseconds that a timer of the event loop may be late, before 503. Default: 1,000. */
  maxDelay?: number;
}

export interface RateOptions<Of> {
  /** In a second, by key. Default: 100,000. */
  rate?: number;
  /** At once; a token bucket. Default: `rate`. */
  burst?: number;
  /** Instead of both: at most `limit` in any window of `window` milliseconds. */
  limit?: number;
  window?: number;
  /** Keys that are remembered. Default: 65,536. */
  maxKeys?: number;
  /** Default: the address of the client. */
  key?(of: Of): string;
}

export interface ConcurrencyOptions {
  /** Under way at a time. A number, or 'adaptive', which finds it. Default: 'adaptive'. */
  limit?: number | 'adaptive';
  /** Of 'adaptive'. Default: 1,000. */
  min?: number;
  /** Of 'adaptive'. Default: 10,000. */
  max?: number;
}

export interface BreakerOptions {
  /** Share of answers of 500 to 599 over which a period is bad. Default: 0.05. */
  failedShare?: number;
  /** Bad periods of 15 s in a row until it opens. Default: 8, which is 2 min. */
  failedPeriods?: number;
  /** Milliseconds of the 95th percentile over which a period is slow. Default: 800. */
  p95?: number;
  /** Slow periods in a row until it opens. Default: 3. */
  slowPeriods?: number;
  /** Failures in a row that open it at once. Default: 50. */
  consecutive?: number;
  /** Milliseconds until it lets probes through. Default: 10,000. */
  open?: number;
  /** Good probes until it closes. Default: 5. */
  probes?: number;
}

export interface BulkheadOptions<Of> {
  /** Under way at a time, of one key. Default: 1,000. */
  limit?: number;
  /** Default: the address of the client. */
  key?(of: Of): string;
}

/** Each may be false: then there is no such guard. Left out, it has its defaults. */
export interface GuardOptions<Of> {
  overload?: false | OverloadOptions;
  rate?: false | RateOptions<Of>;
  concurrency?: false | ConcurrencyOptions;
  breaker?: false | BreakerOptions;
  bulkhead?: false | BulkheadOptions<Of>;
  /** Looked at every 15 s; false: none is. Default: defaultRules(), with what `breaker` says. */
  rules?: false | readonly GuardRule[];
  /** The class of a request: which are shed first when it gets tight. Default: 'normal'. */
  priority?(of: Of): Priority;
  /**
   * Milliseconds, monotonic. Default: performance.now. What comes with one delivery of events has
   * one time then, so an answer takes as long as it waited behind the others, too; and one that a
   * handler has given when it returns takes until all events are told, which is when it is sent.
   */
  now?(): number;
}

export const GUARD_NAMES: NamesOf<GuardOptions<unknown>> = {
  overload: true,
  rate: true,
  concurrency: true,
  breaker: true,
  bulkhead: true,
  rules: true,
  priority: true,
  now: true,
};
const OPTIONS = optionNames<GuardOptions<unknown>>('guards', GUARD_NAMES);
const OVERLOAD = optionNames<OverloadOptions>('overload', { maxDelay: true });
const RATE = optionNames<RateOptions<unknown>>('rate', {
  rate: true,
  burst: true,
  limit: true,
  window: true,
  maxKeys: true,
  key: true,
});
const CONCURRENCY = optionNames<ConcurrencyOptions>('concurrency', {
  limit: true,
  min: true,
  max: true,
});
const BREAKER = optionNames<BreakerOptions>('breaker', {
  failedShare: true,
  failedPeriods: true,
  p95: true,
  slowPeriods: true,
  consecutive: true,
  open: true,
  probes: true,
});
const BULKHEAD = optionNames<BulkheadOptions<unknown>>('bulkhead', { limit: true, key: true });

export interface CheckedGuards<Of> {
  maxDelayMs: number | undefined;
  bucket: BucketRules | undefined;
  window: WindowRules | undefined;
  maxKeys: number;
  rateKey: ((of: Of) => string) | undefined;
  fixedLimit: number | undefined;
  gradient: GradientRules | undefined;
  breaker: BreakerRules | undefined;
  bulkhead: number | undefined;
  bulkheadKey: ((of: Of) => string) | undefined;
  rules: readonly GuardRule[];
  priority: ((of: Of) => Priority) | undefined;
  now: () => number;
  /** The same for what has come with the events that are told: one time for all of them. */
  arrived: () => number;
}

const TOLERANCE = 2;
const METRICS: readonly RuleMetric[] = ['failed-share', 'slow-share', 'p95', 'growth'];
const ACTIONS: readonly RuleAction[] = ['open', 'limit'];
const RULE = optionNames<GuardRule>('rules', {
  ...{ name: true, metric: true, over: true, periods: true, action: true, slow: true, min: true },
});
const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkGuards<Of>(options: GuardOptions<Of>): CheckedGuards<Of> {
  checkOptions(OPTIONS, options);
  const { overload = {}, rate = {}, concurrency = {}, breaker = {}, bulkhead = {} } = options;
  for (const name of ['priority', 'now'] as const) checkFunction(`options.${name}`, options[name]);
  return {
    maxDelayMs: overload === false ? undefined : checkOverload(overload),
    ...checkRate(rate),
    ...checkConcurrency(concurrency),
    breaker: breaker === false ? undefined : checkBreaker(breaker),
    ...checkBulkhead(bulkhead),
    rules: checkRules(options.rules, breaker),
    priority: options.priority,
    now: options.now ?? (() => performance.now()),
    arrived: options.now ?? deliveryTime,
  };
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidArgType(name, 'a function', value);
  }
}

function checkOverload(overload: OverloadOptions): number {
  checkOptions(OVERLOAD, overload, 'options.overload');
  return milliseconds('options.overload.maxDelay', overload.maxDelay, 1000);
}

function checkRate<Of>(rate: false | RateOptions<Of>) {
  const none = { bucket: undefined, window: undefined, maxKeys: 0, rateKey: undefined };
  if (rate === false) return none;
  checkOptions(RATE, rate, 'options.rate');
  checkFunction('options.rate.key', rate.key);
  const maxKeys = integer('options.rate.maxKeys', rate.maxKeys, 2, INT32_MAX, 65_536);
  const kept = { ...none, maxKeys, rateKey: rate.key };
  if (rate.limit !== undefined || rate.window !== undefined) {
    const limit = integer('options.rate.limit', rate.limit, 1, INT32_MAX, 1);
    const windowMs = integer('options.rate.window', rate.window, 1, INT32_MAX, 1000);
    return { ...kept, window: { limit, windowMs } };
  }
  const each = within('options.rate.rate', rate.rate, 1e-6, 1e9, 100_000);
  return {
    ...kept,
    bucket: {
      rate: each,
      burst: within('options.rate.burst', rate.burst, 1, 1e9, Math.max(1, each)),
    },
  };
}

function checkConcurrency(concurrency: false | ConcurrencyOptions) {
  if (concurrency === false) return { fixedLimit: undefined, gradient: undefined };
  checkOptions(CONCURRENCY, concurrency, 'options.concurrency');
  const { limit = 'adaptive' } = concurrency;
  if (limit !== 'adaptive') {
    const fixedLimit = integer('options.concurrency.limit', limit, 1, INT32_MAX, 1);
    return { fixedLimit, gradient: undefined };
  }
  const min = integer('options.concurrency.min', concurrency.min, 1, INT32_MAX, 1000);
  const max = integer(
    'options.concurrency.max',
    concurrency.max,
    min,
    INT32_MAX,
    Math.max(min, 10_000),
  );
  return { fixedLimit: undefined, gradient: { min, max, tolerance: TOLERANCE } };
}

function checkBreaker(breaker: BreakerOptions): BreakerRules {
  checkOptions(BREAKER, breaker, 'options.breaker');
  const count = (name: keyof BreakerOptions, otherwise: number) =>
    integer(`options.breaker.${name}`, breaker[name], 1, INT32_MAX, otherwise);
  return {
    consecutive: count('consecutive', 50),
    openMs: milliseconds('options.breaker.open', breaker.open, 10_000),
    probes: count('probes', 5),
  };
}

/**
 * The rules that hold without others: over 5 % of the answers are 500 to 599 for 2 min, the 95th
 * percentile is over 800 ms in 3 periods in a row, half of the answers take more than 500 ms for 2
 * min; and no more may be under way than now when that has grown by 200 % within a minute.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function defaultRules(breaker: BreakerOptions = {}): GuardRule[] {
  checkOptions(BREAKER, breaker, 'options.breaker');
  const count = (name: keyof BreakerOptions, otherwise: number) =>
    integer(`options.breaker.${name}`, breaker[name], 1, INT32_MAX, otherwise);
  const [failedPeriods, slowPeriods] = [count('failedPeriods', 8), count('slowPeriods', 3)];
  const share = within('options.breaker.failedShare', breaker.failedShare, 0, 1, 0.05);
  const p95 = milliseconds('options.breaker.p95', breaker.p95, 800);
  const opens = { action: 'open' } as const;
  return [
    { name: 'Failing', metric: 'failed-share', over: share, periods: failedPeriods, ...opens },
    { name: 'SlowTail', metric: 'p95', over: p95, periods: slowPeriods, ...opens },
    { name: 'Slow', metric: 'slow-share', slow: 500, over: 0.5, periods: failedPeriods, ...opens },
    { name: 'Growing', metric: 'growth', over: 3, min: 1000, periods: 1, action: 'limit' },
  ];
}

function checkRules(rules: unknown, breaker: false | BreakerOptions): readonly GuardRule[] {
  if (rules === false) return [];
  if (rules === undefined) {
    const all = defaultRules(breaker === false ? {} : breaker);
    return breaker === false ? all.filter(({ action }) => action !== 'open') : all;
  }
  if (!Array.isArray(rules)) throw invalidArgType('options.rules', 'an array', rules);
  return rules.map((rule: GuardRule, index) => {
    const path = `options.rules[${index}]`;
    const { name, metric, over, periods, action, slow, min } = rule ?? {};
    checkOptions(RULE, rule, path);
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw invalidArgType(`${path}.name`, 'letters and digits', name);
    }
    if (!METRICS.includes(metric)) {
      throw invalidArgType(`${path}.metric`, METRICS.join(', '), metric);
    }
    if (!ACTIONS.includes(action)) {
      throw invalidArgType(`${path}.action`, ACTIONS.join(', '), action);
    }
    return {
      ...{ name, metric, action },
      over: within(`${path}.over`, over, 0, Number.MAX_VALUE, 0),
      periods: integer(`${path}.periods`, periods, 1, INT32_MAX, 1),
      ...(slow !== undefined && { slow: milliseconds(`${path}.slow`, slow, 0) }),
      ...(min !== undefined && { min: integer(`${path}.min`, min, 0, INT32_MAX, 0) }),
    };
  });
}

function checkBulkhead<Of>(bulkhead: false | BulkheadOptions<Of>) {
  if (bulkhead === false) return { bulkhead: undefined, bulkheadKey: undefined };
  checkOptions(BULKHEAD, bulkhead, 'options.bulkhead');
  checkFunction('options.bulkhead.key', bulkhead.key);
  const limit = integer('options.bulkhead.limit', bulkhead.limit, 1, INT32_MAX, 1000);
  return { bulkhead: limit, bulkheadKey: bulkhead.key };
}
