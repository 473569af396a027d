// Each guard under a model of its own: seeded, on a virtual clock.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SECONDS } from '../../lib/admin/histogram_lines.js';
import {
  admits,
  answered,
  type BreakerRules,
  closedBreaker,
  trip,
} from '../../lib/guards/breaker.js';
import { GuardChain } from '../../lib/guards/chain.js';
import { type Gradient, gradientAfter } from '../../lib/guards/gradient.js';
import { BoundedMap } from '../../lib/guards/keyed.js';
import { Latencies } from '../../lib/guards/latencies.js';
import { checkGuards, defaultRules, type GuardOptions } from '../../lib/guards/options.js';
import { countInWindow, emptyWindow, fullBucket, takeTokens } from '../../lib/guards/rate.js';
import {
  type GuardRule,
  PERIOD_MS,
  type Period,
  prometheusRules,
  RuleEngine,
} from '../../lib/guards/rules.js';
import { sheds } from '../../lib/guards/shedding.js';
import { findProgram } from '../../scripts/steps.mjs';
import { Random } from '../support/random.js';
import { fileWith } from '../support/temporary.js';

function heapBytes(): number {
  gc?.();
  return process.memoryUsage().heapUsed;
}

const promtool = findProgram('promtool');

describe('a token bucket', () => {
  it('lets through at most burst and rate, in any span of time', () => {
    const rules = { rate: 50, burst: 20 };
    const random = new Random(1);
    const bucket = fullBucket(rules, 0);
    const passed: number[] = [];
    let now = 0;
    for (let i = 0; i < 20_000; i++) {
      now += random.next() * 8;
      if (takeTokens(rules, bucket, now, 1) === 0) passed.push(now);
    }
    for (let from = 0; from < passed.length; from += 37) {
      for (const span of [100, 1000, 10_000]) {
        const end = passed[from]! + span;
        let count = 0;
        while (from + count < passed.length && passed[from + count]! <= end) count++;
        expect(count).toBeLessThanOrEqual(rules.burst + (span * rules.rate) / 1000 + 1);
      }
    }
    expect(passed.length).toBeGreaterThan(((now * rules.rate) / 1000) * 0.99);
  });

  it('says when it is worth trying again', () => {
    const rules = { rate: 10, burst: 1 };
    const bucket = fullBucket(rules, 0);
    expect(takeTokens(rules, bucket, 0, 1)).toBe(0);
    const wait = takeTokens(rules, bucket, 0, 1);
    expect(wait).toBeCloseTo(100);
    expect(takeTokens(rules, bucket, wait - 1, 1)).toBeGreaterThan(0);
    expect(takeTokens(rules, bucket, wait + 0.01, 1)).toBe(0);
  });

  it('gives nothing for a clock that goes back', () => {
    const rules = { rate: 1000, burst: 5 };
    const bucket = fullBucket(rules, 1000);
    let passed = 0;
    for (const now of [1000, 0, 1000, 0, 1000, 0, 1000, 0, 1000, 0]) {
      if (takeTokens(rules, bucket, now, 1) === 0) passed++;
    }
    expect(passed).toBe(5);
  });
});

describe('a sliding window', () => {
  it('never lets through more than the limit within one window, and half more within any', () => {
    const rules = { limit: 100, windowMs: 1000 };
    const random = new Random(2);
    const window = emptyWindow(rules, 0);
    const passed: number[] = [];
    let now = 0;
    for (let i = 0; i < 30_000; i++) {
      now += random.chance(0.001) ? 900 : random.next();
      if (countInWindow(rules, window, now, 1) === 0) passed.push(now);
    }
    const counts = new Map<number, number>();
    for (const at of passed) {
      const number = Math.floor(at / 1000);
      counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(100);
    for (let from = 0; from + 151 < passed.length; from++) {
      expect(passed[from + 151]! - passed[from]!).toBeGreaterThan(500);
    }
  });
});

describe('what is kept by key', () => {
  it('stays within its bound, and keeps what is asked for', () => {
    const map = new BoundedMap<number>(1000);
    for (let i = 0; i < 1_000_000; i++) {
      map.set(`key ${i}`, i);
      if (i % 100 === 0) {
        if (i === 0) map.set('kept', 1);
        expect(map.get('kept')).toBe(1);
        expect(map.size).toBeLessThanOrEqual(1000);
      }
    }
    expect(map.get('key 5')).toBeUndefined();
    expect(map.get('key 999999')).toBe(999_999);
  });
});

describe('the limit that finds itself', () => {
  const rules = { min: 10, max: 1000, tolerance: 2 };

  /** A server of `slots` places: more than that waits. */
  function run(slotsAt: (second: number) => number, seconds: number, start = 1000) {
    let state: Gradient = { limit: start, usualMs: 0 };
    const limits: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const active = state.limit;
      const tookMs = 20 * Math.max(1, active / slotsAt(second));
      state = gradientAfter(rules, state, tookMs, active);
      limits.push(state.limit);
    }
    return limits;
  }

  it('falls when answers take longer, and comes back when they do not', () => {
    const limits = run((second) => (second >= 100 && second < 160 ? 50 : 600), 400, 300);
    expect(limits[99]).toBeGreaterThan(400);
    expect(limits[159]).toBeLessThan(300);
    expect(limits[399]).toBeGreaterThan(400);
    expect(Math.max(...limits)).toBeLessThanOrEqual(1000);
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(10);
  });

  it('learns nothing while it is idle', () => {
    let state: Gradient = { limit: 100, usualMs: 20 };
    for (let i = 0; i < 1000; i++) state = gradientAfter(rules, state, 20, 3);
    expect(state.limit).toBe(100);
  });
});

describe('a breaker', () => {
  const rules: BreakerRules = { consecutive: 50, openMs: 10_000, probes: 5 };

  it('opens when a rule holds, and only then', () => {
    const state = closedBreaker();
    trip(rules, state, 100);
    expect(state).toMatchObject({ phase: 'open', untilMs: 10_100 });
    trip(rules, state, 200);
    expect(state.untilMs).toBe(10_100);
  });

  it('in a model never lets more than its probes through while it is half-open', () => {
    const random = new Random(4);
    for (let round = 0; round < 300; round++) {
      const state = closedBreaker();
      const out: { phase: string }[] = [];
      let now = 0;
      let down = true;
      for (let step = 0; step < 500; step++) {
        now += random.below(500);
        if (random.chance(0.01)) down = !down;
        const before = state.phase;
        if (random.chance(0.6)) {
          const admitted = admits(rules, state, now);
          if (before === 'open' && now < state.untilMs) expect(admitted).toBe(false);
          if (admitted) out.push({ phase: state.phase });
        } else if (out.length > 0) {
          out.splice(random.below(out.length), 1);
          answered(rules, state, now, down && random.chance(0.9));
        }
        if (state.phase === 'half-open') {
          expect(state.probesOut + state.probesGood).toBeLessThanOrEqual(rules.probes);
        }
      }
    }
  });

  it('closes when its probes are good, and opens again when one is not', () => {
    const state = closedBreaker();
    for (let i = 0; i < 50; i++) answered(rules, state, 0, true);
    expect(state.phase).toBe('open');
    expect(admits(rules, state, 9999)).toBe(false);
    expect(Array.from({ length: 7 }, () => admits(rules, state, 10_000))).toEqual([
      ...[true, true, true, true, true, false, false],
    ]);
    answered(rules, state, 10_001, false);
    answered(rules, state, 10_002, false);
    expect(state.phase).toBe('half-open');
    answered(rules, state, 10_003, false);
    answered(rules, state, 10_004, false);
    answered(rules, state, 10_005, false);
    expect(state.phase).toBe('closed');
    for (let i = 0; i < 50; i++) answered(rules, state, 0, true);
    expect(admits(rules, state, 20_000)).toBe(true);
    answered(rules, state, 20_001, true);
    expect(state).toMatchObject({ phase: 'open', untilMs: 30_001 });
  });
});

describe('rules', () => {
  const period = (of: Partial<Period> = {}): Period => ({
    ...{ answers: 1000, failures: 0, slow: () => 0, p95Ms: 10, mostActive: 100, ...of },
  });
  const holding = (engine: RuleEngine, of: Partial<Period>) =>
    engine.evaluate(period(of)).map(({ name }) => name);

  it.each([
    ['Failing', 8, { failures: 60 }],
    ['SlowTail', 3, { p95Ms: 900 }],
    ['Slow', 8, { slow: (ms: number) => (ms === 500 ? 600 : 0) }],
  ])('%s holds after %i bad periods in a row', (name, needed, bad) => {
    const engine = new RuleEngine(defaultRules());
    for (let i = 1; i < needed; i++) expect(holding(engine, bad)).toEqual([]);
    // One good one, and it begins anew.
    expect(holding(engine, {})).toEqual([]);
    for (let i = 1; i < needed; i++) expect(holding(engine, bad)).toEqual([]);
    expect(holding(engine, bad)).toEqual([name]);
    expect(holding(engine, bad)).toEqual([]);
    for (let i = 0; i < 50; i++) expect(holding(engine, { ...bad, answers: 19 })).toEqual([]);
  });

  it('Growing holds when three times as much is under way as a minute before', () => {
    const engine = new RuleEngine(defaultRules());
    for (const mostActive of [400, 400, 400]) expect(holding(engine, { mostActive })).toEqual([]);
    // There is no minute to look back on yet.
    expect(holding(engine, { mostActive: 5000 })).toEqual([]);
    expect(holding(engine, { mostActive: 1200 })).toEqual([]);
    expect(holding(engine, { mostActive: 1201 })).toEqual(['Growing']);
    const small = new RuleEngine(defaultRules());
    for (let i = 0; i < 5; i++) small.evaluate(period({ mostActive: 1 }));
    expect(holding(small, { mostActive: 999 })).toEqual([]);
  });

  it('in a model hold exactly when so many periods in a row were bad', () => {
    const random = new Random(8);
    for (let round = 0; round < 40; round++) {
      const rule: GuardRule = {
        ...{ name: 'One', metric: 'p95', action: 'open' },
        ...{ over: 100 * random.next(), periods: 1 + random.below(4) },
      };
      const engine = new RuleEngine([rule]);
      let inARow = 0;
      for (let step = 0; step < 100; step++) {
        const p95Ms = 100 * random.next();
        const answers = random.below(40);
        if (answers >= 20) inARow = p95Ms > rule.over ? inARow + 1 : 0;
        const expected = answers >= 20 && inARow === rule.periods;
        expect(holding(engine, { p95Ms, answers })).toEqual(expected ? ['One'] : []);
        if (expected) inARow = 0;
      }
    }
  });

  it('are alerts of Prometheus too', () => {
    const text = prometheusRules(defaultRules());
    expect(text).toContain('histogram_quantile(0.95, ');
    expect(text).toContain('code=~"5.."');
    expect(text.match(/- alert: Ringpoll\w+/g)).toHaveLength(4);
    expect(text.match(/for: (\d+)s/g)).toEqual(['for: 120s', 'for: 45s', 'for: 120s', 'for: 15s']);
    // Its bucket is one that admin() has.
    expect(SECONDS).toContain(0.5);
    expect(text).toContain('le="0.5"');
  });

  it('are alerts that promtool takes', (context) => {
    context.skip(promtool === undefined, 'promtool is not here');
    const file = fileWith(prometheusRules(defaultRules()));
    const { status, stdout, stderr } = spawnSync(promtool as string, ['check', 'rules', file]);
    expect(`${status} ${stderr}`).toBe('0 ');
    expect(String(stdout)).toContain('4 rules found');
  });
});

describe('a histogram of response times', () => {
  it('tells a quantile to within a quarter', () => {
    const random = new Random(6);
    const all = Array.from({ length: 5000 }, () => random.next() ** 4 * 5000 + 0.2);
    const latencies = new Latencies();
    for (const ms of all) latencies.add(ms);
    all.sort((a, b) => a - b);
    for (const share of [0.5, 0.9, 0.95, 0.99]) {
      const exact = all[Math.ceil(all.length * share) - 1]!;
      expect(latencies.quantile(share)).toBeGreaterThanOrEqual(exact * 0.99);
      expect(latencies.quantile(share)).toBeLessThanOrEqual(exact * 1.26);
    }
    latencies.clear();
    expect([latencies.quantile(0.95), latencies.count]).toEqual([0, 0]);
  });
});

describe('shedding', () => {
  it('goes by class, and the critical one goes only with the limit', () => {
    const served = (active: number) => [0, 1, 2, 3].map((rank) => !sheds(rank, active, 100));
    expect(served(69)).toEqual([true, true, true, true]);
    expect(served(70)).toEqual([false, true, true, true]);
    expect(served(90)).toEqual([false, false, true, true]);
    expect(served(97)).toEqual([false, false, false, true]);
  });
});

describe('the guards together', () => {
  interface Work {
    key: string;
  }
  const chainOf = (options: GuardOptions<Work>, now: () => number, delay = () => 0) =>
    new GuardChain<Work>(checkGuards({ ...options, now }), ({ key }) => key, delay);

  it('are asked in their order, and count what they refuse', () => {
    let now = 0;
    let delay = 0;
    const options: GuardOptions<Work> = {
      rate: { rate: 10, burst: 3 },
      concurrency: { limit: 4 },
      bulkhead: { limit: 2 },
    };
    const chain = chainOf(
      options,
      () => now,
      () => delay,
    );
    const enter = (key: string) => chain.enter({ key }, now)?.by;
    expect([enter('a'), enter('a'), enter('a'), enter('a')]).toEqual([
      ...[undefined, undefined, 'bulkhead', 'rate'],
    ]);
    const { held } = chain;
    expect([enter('b'), enter('b'), enter('c')]).toEqual([undefined, undefined, 'concurrency']);
    delay = 1001;
    expect(enter('d')).toBe('overload');
    delay = 0;
    chain.leave(held, 0, 5, false);
    now = 1000;
    expect(enter('a')).toBeUndefined();
    expect(chain.counts).toMatchObject({
      ...{ active: 4, limit: 4, admitted: 5, keys: 3 },
      refused: { overload: 1, rate: 1, concurrency: 1, bulkhead: 1, breaker: 0, priority: 0 },
    });
  });

  it('in a model never have more under way than the limits, and end with none', () => {
    const random = new Random(8);
    let now = 0;
    const chain = chainOf(
      { rate: false, concurrency: { limit: 50 }, bulkhead: { limit: 7 } },
      () => now,
    );
    const out: { key: string; at: number; held: typeof chain.held }[] = [];
    for (let step = 0; step < 50_000; step++) {
      now += random.below(10);
      if (random.chance(0.55)) {
        const key = String(random.below(20) * random.below(3));
        if (chain.enter({ key }, now) === undefined) out.push({ key, at: now, held: chain.held });
      } else if (out.length > 0) {
        const [one] = out.splice(random.below(out.length), 1);
        chain.leave(one!.held, one!.at, now, random.chance(0.01));
      }
      expect(out.length).toBeLessThanOrEqual(50);
      expect(chain.counts.active).toBe(out.length);
      const ofOne = out.filter(({ key }) => key === '0').length;
      expect(ofOne).toBeLessThanOrEqual(7);
    }
    for (const { held, at } of out) chain.leave(held, at, now, false);
    expect(chain.counts.active).toBe(0);
  });

  it('break when what is behind them fails, and mend when it does not', () => {
    let now = 0;
    const chain = chainOf({ rate: false, concurrency: false, bulkhead: false }, () => now);
    let down = false;
    const ask = () => {
      const refused = chain.enter({ key: '' }, now);
      if (refused === undefined) chain.leave(undefined, now, now + 5, down);
      return refused;
    };
    const run = (ms: number) => {
      let refusals = 0;
      for (const end = now + ms; now < end; now += 10) if (ask() !== undefined) refusals++;
      return refusals / (ms / 10);
    };
    expect(run(60_000)).toBe(0);
    down = true;
    expect(run(60_000)).toBeGreaterThan(0.9);
    expect(chain.counts.breaker).toBe('open');
    down = false;
    run(11_000);
    expect(run(60_000)).toBe(0);
    expect(chain.counts.breaker).toBe('closed');
    expect(PERIOD_MS).toBe(15_000);
  });

  it('let nothing grow on for a minute that has grown threefold within one', () => {
    let now = 0;
    const chain = chainOf({ rate: false, concurrency: false, bulkhead: false }, () => now);
    const enter = (count: number) => {
      let admitted = 0;
      for (let i = 0; i < count; i++) if (chain.enter({ key: '' }, now) === undefined) admitted++;
      return admitted;
    };
    const leave = (count: number) => {
      for (let i = 0; i < count; i++) chain.leave(undefined, now - 5, now, false);
    };
    for (let i = 0; i < 5; i++) {
      enter(400);
      now += PERIOD_MS;
      leave(400);
    }
    expect(enter(1500)).toBe(1500);
    now += PERIOD_MS;
    leave(1);
    expect(chain.counts.limit).toBe(1500);
    expect(enter(10)).toBe(1);
    expect(chain.counts.refused.concurrency).toBe(9);
    for (let i = 0; i < 4; i++) {
      now += PERIOD_MS;
      leave(100);
    }
    expect(chain.counts.limit).toBe(Number.POSITIVE_INFINITY);
  });

  it('remember a million keys in less than 300 bytes each', { timeout: 60_000 }, () => {
    const MILLION = 1_000_000;
    const now = 0;
    const before = heapBytes();
    const options = { concurrency: false, bulkhead: false, breaker: false, rules: false } as const;
    const large = chainOf({ ...options, rate: { rate: 1, maxKeys: MILLION } }, () => now);
    for (let i = 0; i < MILLION; i++) large.enter({ key: `address ${i}` }, now);
    expect(large.counts.keys).toBeGreaterThan(MILLION / 2 - 1);
    expect(large.counts.keys).toBeLessThanOrEqual(MILLION);
    expect(heapBytes() - before).toBeLessThan(300 * MILLION);
  });

  it('remember no more keys than they are told', () => {
    const now = 0;
    const options = { concurrency: false, bulkhead: false, breaker: false, rules: false } as const;
    const chain = chainOf({ ...options, rate: { rate: 1, maxKeys: 1000 } }, () => now);
    for (let i = 0; i < 20_000; i++) chain.enter({ key: `address ${i}` }, now);
    expect(chain.counts.keys).toBeLessThanOrEqual(1000);
  });

  it('have options that are checked', () => {
    expect(() => checkGuards({ rates: {} } as never)).toThrow(/did you mean rate/);
    expect(() => checkGuards({ rate: { rate: 0 } })).toThrow(RangeError);
    expect(() => checkGuards({ breaker: { probes: 0 } })).toThrow(RangeError);
    expect(() => checkGuards({ concurrency: { limit: 'fast' as never } })).toThrow(TypeError);
  });
});
