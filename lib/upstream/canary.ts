// A release that gets a few requests first, then more, and goes back by itself when it is bad.
import { INT32_MAX, integer, milliseconds, within } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { Histogram } from '../histogram.js';
import { checkOptions, optionNames } from '../option_names.js';
import {
  type CanaryRules,
  type CanaryState,
  type CanaryStep,
  faultOf,
  type Seen,
  shareOf,
  stepAfter,
} from './canary_policy.js';
import { Upstream } from './upstream.js';

export interface CanaryOptions {
  /** Targets of the release. */
  candidate: Upstream;
  /** Shares of the requests, and how long each holds; after the last it is all. Default: 5 % for
   * 30 s, 50 % for 60 s. */
  steps?: readonly CanaryStep[];
  /** By how much its share of failures may be over that of the other targets, 0 to 1. Default:
   * 0.01. */
  maxFailedShare?: number;
  /** How many times as long its 95th percentile may be. Default: 2. */
  maxSlower?: number;
  /** Failures in a row that end it at once. Default: 5. */
  consecutive?: number;
  /** Answers in a step before it is judged, and below which the step goes on. Default: 20. */
  minAnswers?: number;
  /** Told of each step, and of the end. */
  changed?(report: CanaryReport): unknown;
  /** At least 0, below 1. Default: Math.random. */
  random?(): number;
  /** Milliseconds, monotonic. Default: performance.now. */
  now?(): number;
}

export interface CanaryReport {
  phase: 'stepping' | 'done' | 'rolled-back';
  /** Of the requests, that the release gets. */
  share: number;
  /** Why it was rolled back. */
  reason: string | undefined;
  /** In this step: answers of the release and of the other targets. */
  candidate: Seen;
  stable: Seen;
}

const OPTIONS = optionNames<CanaryOptions>('Canary', {
  ...{ candidate: true, steps: true, maxFailedShare: true, maxSlower: true, consecutive: true },
  ...{ minAnswers: true, changed: true, random: true, now: true },
});
const STEP = optionNames<CanaryStep>('steps', { share: true, time: true });
const STEPS: readonly CanaryStep[] = [
  { share: 0.05, time: 30_000 },
  { share: 0.5, time: 60_000 },
];
/** Latencies are looked at after so many answers. */
const LOOK_EVERY = 8;
const US_IN_MS = 1000;

/** Answers of a step. */
class Sample {
  #answers = 0;
  #failures = 0;
  #consecutive = 0;
  readonly #times = new Histogram();

  add(tookMs: number, failed: boolean): void {
    this.#answers++;
    if (failed) this.#failures++;
    this.#consecutive = failed ? this.#consecutive + 1 : 0;
    this.#times.add(tookMs * US_IN_MS);
  }

  get answers(): number {
    return this.#answers;
  }

  get seen(): Seen {
    return {
      answers: this.#answers,
      failures: this.#failures,
      consecutive: this.#consecutive,
      p95Ms: this.#times.quantile(0.95) / US_IN_MS,
    };
  }
}

/**
 * For the option `canary` of proxy(): a share of the requests goes to another upstream. When that
 * one fails more often than the usual targets, or is slower, it gets none any more. What it fails
 * with is tried again at the usual targets, if it may be sent twice.
 */
export class Canary {
  readonly candidate: Upstream;
  readonly #rules: CanaryRules;
  readonly #changed: ((report: CanaryReport) => unknown) | undefined;
  readonly #random: () => number;
  readonly #now: () => number;
  #state: CanaryState;
  #reason: string | undefined;
  #ours = new Sample();
  #others = new Sample();

  /** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: CanaryOptions) {
    checkOptions(OPTIONS, options);
    const { candidate, steps = STEPS, changed, random = Math.random } = options;
    const { now = () => performance.now() } = options;
    if (!(candidate instanceof Upstream)) {
      throw invalidArgType('options.candidate', 'an Upstream', candidate);
    }
    for (const [name, value] of Object.entries({ random, now, changed: changed ?? now })) {
      if (typeof value !== 'function') throw invalidArgType(`options.${name}`, 'a function', value);
    }
    this.candidate = candidate;
    this.#rules = {
      steps: checkSteps(steps),
      maxFailedShare: within('options.maxFailedShare', options.maxFailedShare, 0, 1, 0.01),
      maxSlower: within('options.maxSlower', options.maxSlower, 1, 1e6, 2),
      consecutive: integer('options.consecutive', options.consecutive, 1, INT32_MAX, 5),
      answersMin: integer('options.minAnswers', options.minAnswers, 1, INT32_MAX, 20),
    };
    this.#changed = changed;
    this.#random = random;
    this.#now = now;
    this.#state = { phase: 'stepping', step: 0, sinceMs: now() };
  }

  get report(): CanaryReport {
    return {
      phase: this.#state.phase,
      share: shareOf(this.#rules, this.#state),
      reason: this.#reason,
      candidate: this.#ours.seen,
      stable: this.#others.seen,
    };
  }

  /** The release gets no requests any more. */
  rollBack(reason = 'it was told to'): void {
    if (this.#state.phase === 'rolled-back') return;
    this.#reason = reason;
    this.#state = { ...this.#state, phase: 'rolled-back', sinceMs: this.#now() };
    this.#changed?.(this.report);
  }

  /** @internal Whether the release gets this request. */
  _takes(): boolean {
    const { phase } = this.#state;
    if (phase === 'rolled-back') return false;
    if (phase === 'done') return true;
    const next = stepAfter(this.#rules, this.#state, this.#now(), this.#ours.answers);
    if (next !== this.#state) {
      this.#state = next;
      this.#changed?.(this.report);
      this.#ours = new Sample();
      this.#others = new Sample();
    }
    return this.#random() < shareOf(this.#rules, next);
  }

  /** @internal */
  _answered(ours: boolean, tookMs: number, failed: boolean): void {
    if (this.#state.phase === 'rolled-back') return;
    if (!ours) {
      this.#others.add(tookMs, failed);
      return;
    }
    this.#ours.add(tookMs, failed);
    const looks = failed || this.#ours.answers % LOOK_EVERY === 0;
    if (!looks) return;
    const fault = faultOf(this.#rules, this.#ours.seen, this.#others.seen);
    if (fault !== undefined) this.rollBack(fault);
  }
}

function checkSteps(steps: readonly CanaryStep[]): readonly CanaryStep[] {
  if (!Array.isArray(steps) || steps.length === 0) {
    throw invalidArgType('options.steps', 'an array that is not empty', steps);
  }
  return steps.map((step: CanaryStep, index) => {
    const path = `options.steps[${index}]`;
    const { share, time } = step;
    checkOptions(STEP, step, path);
    return {
      share: within(`${path}.share`, share, 1e-6, 1, 1),
      time: milliseconds(`${path}.time`, time, 0),
    };
  });
}
