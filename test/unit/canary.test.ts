// Canaries: the policy by numbers, and whole releases on a virtual clock, at random.
import { describe, expect, it } from 'vitest';
import { type CanaryRules, faultOf, stepAfter } from '../../lib/upstream/canary_policy.js';
import {
  Canary,
  type CanaryOptions,
  type CanaryReport,
  Upstream,
} from '../../lib/upstream/index.js';
import { Random } from '../support/random.js';

const RULES: CanaryRules = {
  steps: [
    { share: 0.05, time: 30_000 },
    { share: 0.5, time: 60_000 },
  ],
  maxFailedShare: 0.01,
  maxSlower: 2,
  consecutive: 5,
  answersMin: 20,
};
const seen = (answers: number, failures: number, p95Ms: number, consecutive = 0) => ({
  ...{ answers, failures, p95Ms, consecutive },
});

describe('a canary is rolled back', () => {
  const good = seen(1000, 0, 20);
  it.each([
    ['after failures in a row', seen(5, 5, 1, 5), good, /5 failures in a row/],
    ['when it fails more often', seen(100, 2, 20), good, /2.0 % fail, 0.0 % of the others/],
    ['when it is slower', seen(100, 0, 41), good, /41.0 ms, 20.0 ms of the others/],
  ])('%s', (_, candidate, stable, reason) => {
    expect(faultOf(RULES, candidate, stable)).toMatch(reason);
  });

  it.each([
    ['with few answers', seen(19, 4, 900, 4), good],
    ['that is as bad as the others', seen(100, 5, 20), seen(1000, 45, 20)],
    ['that is fast, though slower', seen(100, 0, 19), seen(1000, 0, 2)],
    ['when nobody knows how fast others are', seen(100, 0, 500), seen(3, 0, 1)],
  ])('not %s', (_, candidate, stable) => {
    expect(faultOf(RULES, candidate, stable)).toBe(undefined);
  });

  it('not by a step that had its time and no answers', () => {
    const state = { phase: 'stepping', step: 0, sinceMs: 0 } as const;
    expect(stepAfter(RULES, state, 90_000, 19)).toBe(state);
    expect(stepAfter(RULES, state, 29_999, 500)).toBe(state);
    expect(stepAfter(RULES, state, 30_000, 20)).toEqual({ ...state, step: 1, sinceMs: 30_000 });
    const last = { ...state, step: 1 };
    expect(stepAfter(RULES, last, 60_000, 20)).toMatchObject({ phase: 'done' });
  });
});

/** Requests every 10 ms, each answered at once. */
function release(seed: number, behaves: (nowMs: number, random: Random) => [number, boolean]) {
  const random = new Random(seed);
  const reports: CanaryReport[] = [];
  const upstream = new Upstream({ targets: ['http://127.0.0.1:1'] });
  let nowMs = 0;
  let toCandidate = 0;
  let failed = 0;
  const canary = new Canary({
    candidate: upstream,
    changed: (report) => reports.push(report),
    random: () => random.next(),
    now: () => nowMs,
  });
  for (; nowMs < 120_000; nowMs += 10) {
    if (canary._takes()) {
      toCandidate++;
      const [tookMs, fails] = behaves(nowMs, random);
      if (fails) failed++;
      canary._answered(true, tookMs, fails);
    } else {
      canary._answered(false, 10 + 10 * random.next(), false);
    }
  }
  upstream.destroy();
  return { canary, reports, toCandidate, failed };
}

describe('a release', () => {
  it.each([1, 2, 3, 4])('that is good gets 5 %, then 50 %, then all (seed %i)', (seed) => {
    const { canary, reports, toCandidate } = release(seed, (_, random) => [
      10 + 10 * random.next(),
      false,
    ]);
    expect(reports.map(({ phase, share }) => [phase, share])).toEqual([
      ['stepping', 0.5],
      ['done', 1],
    ]);
    // 5 % of 3,000, half of 6,000, and 3,000.
    expect(toCandidate).toBeGreaterThan(5800);
    expect(toCandidate).toBeLessThan(6500);
    expect(canary.report.share).toBe(1);
  });

  it.each([1, 2, 3, 4])('that fails costs few requests (seed %i)', (seed) => {
    const { canary, failed } = release(seed, () => [1, true]);
    expect(canary.report).toMatchObject({ phase: 'rolled-back', share: 0 });
    expect(failed).toBe(5);
  });

  it.each([1, 2, 3, 4])('that fails now and then goes back in its first step (seed %i)', (seed) => {
    const { reports, toCandidate } = release(seed, (_, random) => [15, random.chance(0.2)]);
    expect(reports.map(({ phase }) => phase)).toEqual(['rolled-back']);
    expect(toCandidate).toBeLessThan(60);
  });

  it.each([1, 2, 3, 4])('that gets slow in its second step goes back (seed %i)', (seed) => {
    const { canary, reports } = release(seed, (nowMs) => [nowMs > 50_000 ? 200 : 15, false]);
    expect(reports.map(({ phase }) => phase)).toEqual(['stepping', 'rolled-back']);
    expect(canary.report.reason).toMatch(/95th percentile/);
  });

  it('may be rolled back by hand', () => {
    const { canary } = release(1, () => [10, false]);
    canary.rollBack('a person has seen it');
    expect(canary._takes()).toBe(false);
    expect(canary.report.reason).toBe('a person has seen it');
  });
});

it('a canary refuses options that are wrong', () => {
  const candidate = new Upstream({ targets: ['http://127.0.0.1:1'] });
  const codeOf = (options: object): string => {
    try {
      new Canary({ candidate, ...options } as CanaryOptions);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return 'taken';
  };
  expect(codeOf({})).toBe('taken');
  expect(codeOf({ candidate: {} })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  expect(codeOf({ steps: [] })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  expect(codeOf({ steps: [{ share: 2, time: 1 }] })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
  expect(codeOf({ steps: [{ share: 0.1, ms: 1 }] })).toBe('ERR_RINGPOLL_UNKNOWN_OPTION');
  expect(codeOf({ stable: candidate })).toBe('ERR_RINGPOLL_UNKNOWN_OPTION');
  candidate.destroy();
});
