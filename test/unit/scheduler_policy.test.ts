// The policies of the compute pool: pure functions, tried without a clock or a worker.
import { describe, expect, it } from 'vitest';
import {
  dynamicP,
  type PoolLimits,
  type PoolPolicy,
  type PoolSample,
  poolPolicy,
} from '../../lib/scheduler/index.js';
import { Random } from '../support/random.js';

const LIMITS: PoolLimits = { min: 1, max: 16 };
const CALM: PoolSample = { size: 4, p95Ms: 10, cpu: 0.5, idle: 0.3, queue: 0 };
const SLOW: PoolSample = { ...CALM, p95Ms: 300, cpu: 0.9, idle: 0 };
const IDLE: PoolSample = { ...CALM, cpu: 0.1, idle: 0.8 };
const HIGH: PoolSample = { ...CALM, queue: 400, cpu: 0.9 };
const LOW: PoolSample = { ...CALM, queue: 10, cpu: 0.1 };

/** The sizes that the policy arrives at, period after period; each sample gets the size so far. */
function sizes<S>(
  policy: PoolPolicy<S>,
  samples: readonly PoolSample[],
  limits = LIMITS,
): number[] {
  let { initial: state } = policy;
  let { size } = samples[0];
  return samples.map((sample) => {
    const decision = policy.decide(state, { ...sample, size }, limits);
    ({ state, size } = decision);
    return size;
  });
}

describe('the policy pool', () => {
  const policy = poolPolicy();

  it('looks every 10 s', () => {
    expect([policy.name, policy.interval]).toEqual(['pool', 10_000]);
  });

  it('adds two while P95 is above 200 ms and CPU above 75 %', () => {
    expect(sizes(policy, [SLOW, SLOW, CALM])).toEqual([6, 8, 8]);
    expect(policy.decide(policy.initial, SLOW, LIMITS).reason).toBe('P95 300 ms, CPU 90 %');
  });

  it('needs both: slow answers of idle workers are not helped by more of them', () => {
    const slowOnly = { ...SLOW, cpu: 0.75 };
    const busyOnly = { ...SLOW, p95Ms: 200 };
    expect(sizes(policy, [slowOnly, busyOnly])).toEqual([4, 4]);
  });

  it('takes one away after three idle periods in a row', () => {
    expect(sizes(policy, [IDLE, IDLE, IDLE, IDLE, IDLE, IDLE])).toEqual([4, 4, 3, 3, 3, 2]);
    expect(sizes(policy, [IDLE, IDLE, CALM, IDLE, IDLE])).toEqual([4, 4, 4, 4, 4]);
    expect(sizes(policy, [{ ...IDLE, idle: 0.6 }, IDLE, IDLE])).toEqual([4, 4, 4]);
  });

  it('keeps within its hard limits', () => {
    expect(sizes(policy, Array(9).fill(SLOW))[8]).toBe(16);
    expect(sizes(policy, Array(30).fill(IDLE))[29]).toBe(1);
    expect(sizes(policy, [CALM], { min: 6, max: 8 })).toEqual([6]);
  });
});

describe('the policy dynamicP', () => {
  const policy = dynamicP();

  it('looks every 5 s', () => {
    expect([policy.name, policy.interval]).toEqual(['dynamicP', 5000]);
  });

  it('grows by half after two high periods, to 4 at least and 32 at most', () => {
    expect(sizes(policy, [HIGH, HIGH, HIGH, HIGH])).toEqual([4, 6, 6, 9]);
    expect(sizes(policy, [{ ...HIGH, size: 1 }, HIGH])).toEqual([1, 4]);
    const wide = { min: 1, max: 64 };
    expect(sizes(policy, Array(20).fill(HIGH), wide)[19]).toBe(32);
    expect(sizes(policy, [HIGH, CALM, HIGH])).toEqual([4, 4, 4]);
  });

  it('needs queue and CPU', () => {
    const queueOnly = { ...HIGH, cpu: 0.75 };
    const cpuOnly = { ...HIGH, queue: 300 };
    expect(sizes(policy, [queueOnly, queueOnly, cpuOnly, cpuOnly])).toEqual([4, 4, 4, 4]);
  });

  it('shrinks after three periods below half of both', () => {
    expect(sizes(policy, Array(9).fill({ ...LOW, size: 9 }))).toEqual([9, 9, 6, 6, 6, 4, 4, 4, 2]);
    const halfQueue = { ...LOW, queue: 150 };
    expect(sizes(policy, [LOW, LOW, halfQueue, LOW, LOW])).toEqual([4, 4, 4, 4, 4]);
  });

  it('does not shrink a pool that was made larger by hand when it is to grow', () => {
    const limits = { min: 1, max: 64 };
    expect(sizes(policy, [{ ...HIGH, size: 40 }, HIGH], limits)).toEqual([40, 40]);
  });
});

describe('both policies', () => {
  it.each([poolPolicy() as PoolPolicy<unknown>, dynamicP() as PoolPolicy<unknown>])(
    'are pure and stay within the limits whatever they are told',
    (policy) => {
      const random = new Random(3);
      let state = policy.initial;
      for (let round = 0; round < 5000; round++) {
        const min = 1 + random.below(8);
        const limits = { min, max: min + random.below(30) };
        const sample: PoolSample = {
          size: random.below(70),
          p95Ms: random.next() * 500,
          cpu: random.next(),
          idle: random.next(),
          queue: random.below(1000),
        };
        const frozen = Object.freeze(sample);
        const decision = policy.decide(state, frozen, limits);
        expect(policy.decide(state, frozen, limits)).toEqual(decision);
        expect(decision.size).toBeGreaterThanOrEqual(limits.min);
        expect(decision.size).toBeLessThanOrEqual(limits.max);
        expect(Number.isInteger(decision.size)).toBe(true);
        expect(decision.reason).not.toBe('');
        state = decision.state;
      }
    },
  );
});
