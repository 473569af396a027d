// The guards in their order, around whatever they guard.

import { afterDelivery } from '../runtime/delivery_time.js';
import { admits, answered, type BreakerState, closedBreaker, trip } from './breaker.js';
import { type Gradient, gradientAfter } from './gradient.js';
import { BoundedMap } from './keyed.js';
import { Latencies } from './latencies.js';
import type { CheckedGuards } from './options.js';
import {
  type Bucket,
  countInWindow,
  emptyWindow,
  fullBucket,
  takeTokens,
  type Window,
} from './rate.js';
import { PERIOD_MS, RuleEngine } from './rules.js';
import { PRIORITIES, sheds } from './shedding.js';

/** Which guard refuses. */
export type Refusal = 'overload' | 'rate' | 'concurrency' | 'breaker' | 'bulkhead' | 'priority';

export interface Refused {
  readonly by: Refusal;
  /** Milliseconds after which it is worth trying again. */
  readonly retryMs: number;
}

/** What is under way of one key of the bulkhead. */
export interface Held {
  count: number;
}

/** What the guards have seen. */
export interface GuardCounts {
  admitted: number;
  active: number;
  /** What may be under way now; Infinity: no limit. */
  limit: number;
  breaker: 'closed' | 'open' | 'half-open' | 'none';
  /** Keys whose rate is remembered. */
  keys: number;
  refused: Record<Refusal, number>;
}

/** What has grown too fast may not grow on for so long. */
const CROWDED_MS = 60_000;
/** The limit of concurrency is found anew so often. */
const GRADIENT_MS = 1000;
/** A period of fewer answers says nothing of how long they take. */
const ANSWERS_MIN = 10;
const RETRY_MS = 1000;
/** Keys of the bulkhead that are remembered. */
const HELD_KEYS_MAX = 65_536;

export class GuardChain<Of> {
  readonly #checked: CheckedGuards<Of>;
  readonly #address: (of: Of) => string;
  /** It is the key of rate or bulkhead: then it is asked for once. */
  readonly #usesAddress: boolean;
  readonly #delayMs: () => number;
  readonly #buckets: BoundedMap<Bucket>;
  readonly #windows: BoundedMap<Window>;
  /** What is under way, by key. Of more keys than these, the oldest are forgotten. */
  readonly #held = new BoundedMap<Held>(HELD_KEYS_MAX);
  /** Of the one that was let in last. */
  #last: Held | undefined;
  readonly #breaker: BreakerState = closedBreaker();
  readonly #period = new Latencies();
  readonly #engine: RuleEngine | undefined;
  #periodEndsMs: number;
  /** In this period. */
  #periodMost = 0;
  #crowdLimit = Number.POSITIVE_INFINITY;
  #crowdUntilMs = 0;
  #failures = 0;
  #gradient: Gradient;
  #gradientEndsMs: number;
  #answers = 0;
  #tookMs = 0;
  /** Served in the delivery that goes on, which began at #togetherMs. */
  #together = 0;
  #togetherMs = 0;
  readonly #delivered = () => this.#endDelivery();
  #mostActive = 0;
  #active = 0;
  #admitted = 0;
  readonly #refused: Record<Refusal, number> = {
    ...{ overload: 0, rate: 0, concurrency: 0, breaker: 0, bulkhead: 0, priority: 0 },
  };

  /** `delayMs`: how late timers of the event loop are. */
  constructor(checked: CheckedGuards<Of>, address: (of: Of) => string, delayMs: () => number) {
    this.#checked = checked;
    this.#address = address;
    const { bucket, window, rateKey, bulkhead, bulkheadKey } = checked;
    const isRated = bucket !== undefined || window !== undefined;
    this.#usesAddress =
      (isRated && rateKey === undefined) || (bulkhead !== undefined && bulkheadKey === undefined);
    this.#delayMs = delayMs;
    this.#buckets = new BoundedMap(checked.maxKeys);
    this.#windows = new BoundedMap(checked.maxKeys);
    const nowMs = checked.now();
    this.#engine = checked.rules.length === 0 ? undefined : new RuleEngine(checked.rules);
    this.#periodEndsMs = nowMs + PERIOD_MS;
    this.#gradientEndsMs = nowMs + GRADIENT_MS;
    const { gradient } = checked;
    const limit = gradient === undefined ? 0 : Math.min(gradient.max, Math.max(gradient.min, 1000));
    this.#gradient = { limit, usualMs: 0 };
  }

  get #limit(): number {
    const { fixedLimit, gradient } = this.#checked;
    const limit =
      fixedLimit ?? (gradient === undefined ? Number.POSITIVE_INFINITY : this.#gradient.limit);
    return Math.min(limit, this.#crowdLimit);
  }

  /** Undefined: it may go on, and leave() has to be called with `held` when it is over. */
  enter(of: Of, nowMs: number): Refused | undefined {
    const checked = this.#checked;
    if (checked.maxDelayMs !== undefined && this.#delayMs() > checked.maxDelayMs) {
      return this.#refuse('overload', RETRY_MS);
    }
    const address = this.#usesAddress ? this.#address(of) : '';
    const waitMs = this.#rate(of, address, nowMs);
    if (waitMs > 0) return this.#refuse('rate', waitMs);
    const limit = this.#limit;
    if (this.#active >= limit) return this.#refuse('concurrency', RETRY_MS);
    if (checked.priority !== undefined) {
      const rank = PRIORITIES.indexOf(checked.priority(of));
      if (sheds(rank < 0 ? 1 : rank, this.#active, limit))
        return this.#refuse('priority', RETRY_MS);
    }
    const { breaker, bulkhead } = checked;
    // The bulkhead first: a probe that is counted has to be sent.
    if (bulkhead !== undefined) {
      const key = checked.bulkheadKey === undefined ? address : checked.bulkheadKey(of);
      let held = this.#held.get(key);
      if (held === undefined) {
        held = { count: 0 };
        this.#held.set(key, held);
      }
      if (held.count >= bulkhead) return this.#refuse('bulkhead', RETRY_MS);
      if (breaker !== undefined && !admits(breaker, this.#breaker, nowMs))
        return this.#broken(nowMs);
      held.count++;
      this.#last = held;
    } else if (breaker !== undefined && !admits(breaker, this.#breaker, nowMs)) {
      return this.#broken(nowMs);
    }
    this.#admitted++;
    if (++this.#active > this.#mostActive) this.#mostActive = this.#active;
    if (this.#active > this.#periodMost) this.#periodMost = this.#active;
    return undefined;
  }

  #broken(nowMs: number): Refused {
    return this.#refuse('breaker', Math.max(RETRY_MS, this.#breaker.untilMs - nowMs));
  }

  #refuse(by: Refusal, retryMs: number): Refused {
    this.#refused[by]++;
    return { by, retryMs };
  }

  #rate(of: Of, address: string, nowMs: number): number {
    const { bucket, window, rateKey } = this.#checked;
    if (bucket !== undefined) {
      const key = rateKey === undefined ? address : rateKey(of);
      let known = this.#buckets.get(key);
      if (known === undefined) {
        known = fullBucket(bucket, nowMs);
        this.#buckets.set(key, known);
      }
      return takeTokens(bucket, known, nowMs, 1);
    }
    if (window === undefined) return 0;
    const key = rateKey === undefined ? address : rateKey(of);
    let known = this.#windows.get(key);
    if (known === undefined) {
      known = emptyWindow(window, nowMs);
      this.#windows.set(key, known);
    }
    return countInWindow(window, known, nowMs, 1);
  }

  /** What leave() is given for the one that enter() has let in just now. */
  get held(): Held | undefined {
    return this.#last;
  }

  /** One that was let in is over. `failed`: it was not served. */
  leave(held: Held | undefined, startedMs: number, nowMs: number, failed: boolean): void {
    this.#release(held, nowMs, failed);
    if (failed) this.#failures++;
    this.#measure(nowMs - startedMs, 1, nowMs);
  }

  /**
   * The same for one that was served within the delivery of events that it came with, which began
   * at `startedMs`: the time is read at its end, when the answers leave, once for all of them.
   */
  leaveTogether(held: Held | undefined, startedMs: number): void {
    if (this.#together === 0 && !afterDelivery(this.#delivered)) {
      this.leave(held, startedMs, this.#checked.now(), false);
      return;
    }
    this.#release(held, startedMs, false);
    this.#together++;
    this.#togetherMs = startedMs;
  }

  #endDelivery(): void {
    const nowMs = this.#checked.now();
    const times = this.#together;
    this.#together = 0;
    this.#measure(nowMs - this.#togetherMs, times, nowMs);
  }

  #release(held: Held | undefined, nowMs: number, failed: boolean): void {
    const { breaker } = this.#checked;
    this.#active--;
    if (held !== undefined) held.count--;
    if (breaker !== undefined) answered(breaker, this.#breaker, nowMs, failed);
  }

  /** So many are over that took so long. */
  #measure(tookMs: number, times: number, nowMs: number): void {
    if (this.#engine !== undefined) {
      this.#period.add(tookMs, times);
      if (nowMs >= this.#periodEndsMs) this.#endPeriod(this.#engine, nowMs);
    }
    if (this.#checked.gradient !== undefined) {
      this.#answers += times;
      this.#tookMs += tookMs * times;
      if (nowMs >= this.#gradientEndsMs) this.#findLimit(nowMs);
    }
  }

  #endPeriod(engine: RuleEngine, nowMs: number): void {
    const { breaker } = this.#checked;
    if (nowMs >= this.#crowdUntilMs) this.#crowdLimit = Number.POSITIVE_INFINITY;
    const holding = engine.evaluate({
      answers: this.#period.count,
      failures: this.#failures,
      slow: (ms) => this.#period.over(ms),
      p95Ms: this.#period.quantile(0.95),
      mostActive: this.#periodMost,
    });
    for (const { action } of holding) {
      if (action === 'limit') {
        // Once: it still has grown when it does not grow on.
        if (nowMs < this.#crowdUntilMs) continue;
        this.#crowdLimit = Math.max(1, this.#periodMost);
        this.#crowdUntilMs = nowMs + CROWDED_MS;
      } else if (breaker !== undefined) {
        trip(breaker, this.#breaker, nowMs);
        engine.clear();
      }
    }
    this.#periodMost = this.#active;
    this.#period.clear();
    this.#failures = 0;
    this.#periodEndsMs = nowMs + PERIOD_MS;
  }

  #findLimit(nowMs: number): void {
    const { gradient } = this.#checked;
    if (gradient !== undefined && this.#answers >= ANSWERS_MIN) {
      const tookMs = this.#tookMs / this.#answers;
      this.#gradient = gradientAfter(gradient, this.#gradient, tookMs, this.#mostActive);
    }
    this.#answers = this.#tookMs = 0;
    this.#mostActive = this.#active;
    this.#gradientEndsMs = nowMs + GRADIENT_MS;
  }

  get counts(): GuardCounts {
    const { breaker } = this.#checked;
    return {
      admitted: this.#admitted,
      active: this.#active,
      limit: this.#limit,
      breaker: breaker === undefined ? 'none' : this.#breaker.phase,
      keys: this.#buckets.size + this.#windows.size,
      refused: { ...this.#refused },
    };
  }
}
