// How an upstream chooses, ejects and checks: models on numbers, with seeds and without a clock.
import { describe, expect, it } from 'vitest';
import {
  agedMs,
  BALANCES,
  type Balance,
  type Candidate,
  EWMA_HALF_LIFE_MS,
  ewmaAfter,
  POLICIES,
  slowStartShare,
} from '../../lib/upstream/balance.js';
import { HEALTHY, healthAfter } from '../../lib/upstream/health.js';
import { ejectionMs, ejects, forgiven } from '../../lib/upstream/outlier.js';
import { Random } from '../support/random.js';

const target = (name: string, of: Partial<Candidate> = {}): Candidate => ({
  ...{ name, weight: 1, active: 0, ewmaMs: 10, ewmaAt: 0 },
  ...of,
});
const names = ['a', 'b', 'c', 'd', 'e'];

/** How often each of the candidates is chosen in `rounds`. */
function shares(
  balance: Balance,
  candidates: readonly Candidate[],
  rounds: number,
  keyOf = (i: number) => `key ${i}`,
): number[] {
  const random = new Random(7);
  const counts = candidates.map(() => 0);
  for (let turn = 0; turn < rounds; turn++) {
    const input = { turn, nowMs: 0, random: () => random.next(), key: keyOf(turn) };
    counts[POLICIES[balance](candidates, input)]!++;
  }
  return counts.map((count) => count / rounds);
}

describe('every policy', () => {
  it.each(BALANCES)('%s gives an index of the candidates, whatever they are', (balance) => {
    const random = new Random(3);
    for (let round = 0; round < 2000; round++) {
      const candidates = names.slice(0, 1 + random.below(names.length)).map((name) =>
        target(name, {
          weight: 0.1 + random.below(50),
          active: random.below(100),
          ewmaMs: random.below(3) * random.below(1000),
        }),
      );
      const key = String(random.below(1e6));
      const input = { turn: round, nowMs: round, random: () => random.next(), key };
      const index = POLICIES[balance](candidates, input);
      expect(candidates[index]).toBeDefined();
    }
  });
});

describe('round-robin', () => {
  it('gives each target the same, one after the other', () => {
    const candidates = names.map((name) => target(name));
    const chosen = Array.from({ length: 10 }, (_, turn) =>
      POLICIES['round-robin'](candidates, { turn, nowMs: 0, random: () => 0.5, key: '' }),
    );
    expect(chosen).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  });

  it('gives a target in slow start its share of that', () => {
    const [slow, fast] = shares('round-robin', [target('a', { weight: 0.2 }), target('b')], 20_000);
    expect(slow! / fast!).toBeCloseTo(0.2 / 1.8, 1);
  });
});

describe('weighted', () => {
  it('keeps the proportion of the weights', () => {
    const [a, b] = shares('weighted', [target('a', { weight: 3 }), target('b')], 20_000);
    expect(a).toBeCloseTo(0.75, 1);
    expect(b).toBeCloseTo(0.25, 1);
  });
});

describe('least-connections', () => {
  it('never chooses one that has more under way for its weight', () => {
    const random = new Random(5);
    for (let turn = 0; turn < 2000; turn++) {
      const candidates = names.map((name) =>
        target(name, { active: random.below(20), weight: 1 + random.below(4) }),
      );
      const index = POLICIES['least-connections'](candidates, {
        turn,
        nowMs: 0,
        random: Math.random,
        key: '',
      });
      const load = ({ active, weight }: Candidate) => (active + 1) / weight;
      const least = Math.min(...candidates.map(load));
      expect(load(candidates[index]!)).toBeCloseTo(least, 9);
    }
  });

  it('takes equals in turn', () => {
    expect(
      shares(
        'least-connections',
        names.map((name) => target(name)),
        1000,
      ),
    ).toEqual(names.map(() => 0.2));
  });
});

describe('ip-hash', () => {
  const input = (key: string) => ({ turn: 0, random: () => 0, key });

  it('keeps a key at its target, and moves only the keys of one that goes', () => {
    const all = names.map((name) => target(name));
    const fewer = all.filter(({ name }) => name !== 'c');
    let moved = 0;
    for (let i = 0; i < 2000; i++) {
      const before = all[POLICIES['ip-hash'](all, input(`10.0.${i >> 8}.${i & 255}`))]!.name;
      const after = fewer[POLICIES['ip-hash'](fewer, input(`10.0.${i >> 8}.${i & 255}`))]!.name;
      if (before === 'c') moved++;
      else expect(after).toBe(before);
    }
    expect(moved / 2000).toBeGreaterThan(0.12);
    expect(moved / 2000).toBeLessThan(0.28);
  });

  it('spreads keys by weight', () => {
    const spread = shares('ip-hash', [target('a', { weight: 3 }), target('b')], 20_000);
    expect(spread[0]).toBeGreaterThan(0.7);
    expect(spread[0]).toBeLessThan(0.8);
  });
});

describe('p2c-ewma', () => {
  it('leaves a slow target nearly alone, and one that it does not know it tries', () => {
    const slow = [target('a', { ewmaMs: 500 }), target('b'), target('c')];
    expect(shares('p2c-ewma', slow, 5000)[0]).toBe(0);
    const fresh = [target('a', { ewmaMs: 0 }), target('b'), target('c')];
    expect(shares('p2c-ewma', fresh, 5000)[0]).toBeGreaterThan(0.5);
  });

  it('in a model with one slow target of three keeps the load where it is served', () => {
    const random = new Random(11);
    const state = [10, 10, 300].map((ms, i) => ({ ...target(String(i), { ewmaMs: 0 }), ms }));
    const ends: { at: number; who: number }[] = [];
    const counts = [0, 0, 0];
    for (let now = 0; now < 20_000; now++) {
      for (const end of ends.filter(({ at }) => at <= now)) {
        const one = state[end.who]!;
        Object.assign(one, {
          active: one.active - 1,
          ewmaMs: ewmaAfter(one.ewmaMs, 1, one.ms),
          ewmaAt: now,
        });
        ends.splice(ends.indexOf(end), 1);
      }
      const input = { turn: now, nowMs: now, random: () => random.next(), key: '' };
      const who = POLICIES['p2c-ewma'](state, input);
      counts[who]!++;
      Object.assign(state[who]!, { active: state[who]!.active + 1 });
      ends.push({ at: now + state[who]!.ms, who });
    }
    expect(counts[2]! / 20_000).toBeLessThan(0.03);
    expect(Math.abs(counts[0]! - counts[1]!) / 20_000).toBeLessThan(0.05);
  });
});

describe('an average of p2c-ewma', () => {
  it('halves with each half-life, and is never less than nothing', () => {
    expect(agedMs(800, 0)).toBe(800);
    expect(agedMs(800, 3 * EWMA_HALF_LIFE_MS)).toBeCloseTo(100);
    expect(agedMs(800, -5)).toBe(800);
    expect(agedMs(0, 1e9)).toBe(0);
  });

  it('ages: a target that was slow once, and is well again, gets its part back', () => {
    const random = new Random(13);
    const state = names.slice(0, 3).map((name) => ({ ...target(name), ms: 10 }));
    const chosen = (from: number, to: number) => {
      const counts = [0, 0, 0];
      for (let nowMs = from; nowMs < to; nowMs += 20) {
        const input = { turn: nowMs, nowMs, random: () => random.next(), key: '' };
        const who = POLICIES['p2c-ewma'](state, input);
        counts[who]!++;
        const one = state[who]!;
        const ewmaMs = ewmaAfter(one.ewmaMs, nowMs - one.ewmaAt, one.ms);
        Object.assign(one, { ewmaMs, ewmaAt: nowMs });
      }
      return counts[0]! / counts.reduce((sum, count) => sum + count);
    };
    expect(chosen(0, 10_000)).toBeGreaterThan(0.2);
    // One answer of it takes 2 s. Nobody asks it again while that is fresh.
    Object.assign(state[0]!, { ewmaMs: 2000, ewmaAt: 10_000 });
    expect(chosen(10_020, 40_000)).toBe(0);
    chosen(40_000, 160_000);
    expect(chosen(160_000, 200_000)).toBeGreaterThan(0.2);
    // While it stays slow it is asked now and then, and no more.
    state[0]!.ms = 2000;
    chosen(200_000, 210_000);
    expect(chosen(210_000, 500_000)).toBeLessThan(0.02);
  });
});

describe('the average of response times', () => {
  it('rises at once, and falls by half in its half-life', () => {
    expect(ewmaAfter(0, 0, 40)).toBe(40);
    expect(ewmaAfter(10, 5, 500)).toBe(500);
    expect(ewmaAfter(500, EWMA_HALF_LIFE_MS, 0)).toBeCloseTo(250);
    expect(ewmaAfter(500, 10 * EWMA_HALF_LIFE_MS, 0)).toBeLessThan(1);
  });
});

describe('slow start', () => {
  it('goes from a tenth to all of the weight, and never back', () => {
    let before = 0;
    for (let age = 0; age <= 1200; age += 10) {
      const share = slowStartShare(age, 1000);
      expect(share).toBeGreaterThanOrEqual(before);
      before = share;
    }
    expect([slowStartShare(0, 1000), before, slowStartShare(0, 0)]).toEqual([0.1, 1, 1]);
  });
});

describe('ejection', () => {
  const rules = { consecutive5xx: 5, ejectionMs: 60_000, maxEjected: 0.5 };

  it('in a model of failing targets never passes the share, and takes only who failed', () => {
    const random = new Random(13);
    for (let round = 0; round < 500; round++) {
      const count = 1 + random.below(12);
      const targets = Array.from({ length: count }, () => ({ row: 0, out: false }));
      for (let step = 0; step < 200; step++) {
        const one = targets[random.below(count)]!;
        if (one.out) continue;
        one.row = random.chance(0.6) ? one.row + 1 : 0;
        const out = targets.filter((each) => each.out).length;
        if (!ejects(rules, one.row, out, count)) continue;
        expect(one.row).toBeGreaterThanOrEqual(5);
        one.out = true;
        expect(out + 1).toBeLessThanOrEqual(count * 0.5);
      }
    }
  });

  it('lasts longer each time, up to ten times, and is forgotten one by one', () => {
    expect([1, 2, 3, 50].map((nth) => ejectionMs(rules, nth))).toEqual([
      ...[60_000, 120_000, 180_000, 600_000],
    ]);
    expect([forgiven(2), forgiven(0)]).toEqual([1, 0]);
  });

  it('can be turned off', () => {
    expect(ejects({ ...rules, consecutive5xx: 0 }, 1000, 0, 10)).toBe(false);
  });
});

describe('health', () => {
  it('changes only after so many checks in a row as it asks for', () => {
    const rules = { healthy: 2, unhealthy: 3 };
    const run = (checks: string) => {
      let state = HEALTHY;
      return [...checks]
        .map((check) => {
          state = healthAfter(rules, state, check === '+');
          return state.up ? 'u' : 'd';
        })
        .join('');
    };
    expect(run('--+--+---')).toBe('uuuuuuuud');
    expect(run('---+-+-++')).toBe('uudddddduu'.slice(0, 7) + run('---+-+-++').slice(7));
    expect(run('---+-+-++').at(-1)).toBe('u');
    expect(run('---++-')).toBe('uudduu');
  });
});
