// Percentiles, held to those of the sorted values.
import { describe, expect, it } from 'vitest';
import { SHARED_LOCKS } from '../../lib/admin/lock_waits.js';
import { HISTOGRAM_BUCKETS, Histogram } from '../../lib/histogram.js';
import { LAYERS, LayerWord } from '../../lib/runtime/layer_words.js';
import { native } from '../../lib/runtime/native.js';
import {
  METER_DELAYS,
  METER_LAYERS,
  METER_WORDS,
  TURN_ROW_WORDS,
} from '../../lib/runtime/turn_meter.js';
import { Random } from '../support/random.js';

const SHARES = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1];
const ERROR_MAX = 0.01;

function exact(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1];
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

function expectClose(histogram: Histogram, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  for (const share of SHARES) {
    const wanted = exact(sorted, share);
    const got = histogram.quantile(share);
    expect(Math.abs(got - wanted), `${share}: ${got} for ${wanted}`).toBeLessThanOrEqual(
      ERROR_MAX * wanted,
    );
  }
}

/** Nanoseconds between two looks at the clock, with whatever came between them. */
function recorded(count: number): number[] {
  let before = process.hrtime.bigint();
  return Array.from({ length: count }, (_, index) => {
    if (index % 1000 === 0) JSON.stringify(Array.from({ length: 2000 }, String));
    const now = process.hrtime.bigint();
    const took = Number(now - before);
    before = now;
    return took;
  });
}

describe('percentiles are within 1 % of the exact ones', () => {
  const random = new Random(1);
  const next = () => random.next();
  const count = 50_000;
  const made = (value: () => number) => Array.from({ length: count }, () => Math.floor(value()));

  it.each<[string, () => number[]]>([
    ['times that were taken', () => recorded(count)],
    ['values that are all alike', () => made(() => 123_457)],
    ['every length from nanoseconds to minutes alike', () => made(() => 10 ** (next() * 11))],
    ['two humps', () => made(() => (next() < 0.99 ? 2e5 : 4e7) * (1 + next() / 5))],
    ['a long tail', () => made(() => 8e4 / (1 - next()) ** 0.8)],
    ['values of a few bits', () => made(() => next() * 130)],
  ])('of %s', (_, values) => {
    const all = values();
    expectClose(histogramOf(all), all);
  });

  it('of parts that were merged, passed as JSON, and subtracted', () => {
    const parts = [0, 1, 2].map((part) => made(() => 10 ** (3 + 2 * part + next())));
    const all = new Histogram();
    for (const part of parts) {
      all.merge(Histogram.from(JSON.parse(JSON.stringify(histogramOf(part)))));
    }
    expect(all.count).toBe(3 * count);
    expectClose(all, parts.flat());
    const rest = all.since(histogramOf(parts[0]));
    expect(rest.count).toBe(2 * count);
    expectClose(rest, [...parts[1], ...parts[2]]);
  });
});

describe('a histogram', () => {
  it('says 0 of nothing', () => {
    const nothing = {
      count: 0,
      mean: 0,
      min: 0,
      max: 0,
      p50: 0,
      p90: 0,
      p99: 0,
      p999: 0,
      p9999: 0,
    };
    expect(new Histogram().summary()).toEqual(nothing);
    expect(Histogram.from(new Histogram().toJSON()).summary()).toEqual(nothing);
  });

  it('counts a value as often as it is told', () => {
    const histogram = new Histogram();
    histogram.add(10, 99);
    histogram.add(1000);
    expect(histogram.summary()).toMatchObject({ count: 100, mean: 19.9, p99: 10, max: 1000 });
  });

  it('takes what no duration is without falling over', () => {
    const histogram = histogramOf([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 60, 0.5]);
    expect(histogram.count).toBe(5);
    expect(histogram.quantile(0.5)).toBe(0);
    const longest = histogramOf([2 ** 41 - 1, 2 ** 41, 2 ** 45]).toJSON().buckets;
    expect(longest).toEqual([HISTOGRAM_BUCKETS - 1, 3]);
  });

  it('counts what is at most as large as each bound, and all in the end', () => {
    const histogram = histogramOf([1, 10, 100, 100, 1000, 5000]);
    expect(histogram.atMost([0, 1, 50, 100, 999, 10_000])).toEqual([0, 1, 2, 4, 4, 6]);
  });

  it('has neighbours side by side: no value is in a bucket of others', () => {
    let last = 0;
    for (let value = 1; value < 2 ** 41; value = Math.ceil(value * 1.003)) {
      const [bucket] = histogramOf([value]).toJSON().buckets;
      expect(bucket - last).toBeGreaterThanOrEqual(0);
      expect(bucket - last).toBeLessThanOrEqual(1);
      last = bucket;
    }
  });
});

describe('the words of layers', () => {
  it('begin with as many sums as there are layers', () => {
    expect(LayerWord.laps).toBe(LAYERS.length);
  });
});

describe('the words that native code measures turns into', () => {
  it('are the same on both sides', () => {
    expect(native().protocol()).toMatchObject({
      meterWords: METER_WORDS,
      meterDelay: METER_DELAYS,
      turnRowWords: TURN_ROW_WORDS,
      meterLayers: METER_LAYERS,
      layers: LAYERS.length,
      sharedLocks: SHARED_LOCKS.length,
    });
  });
});
