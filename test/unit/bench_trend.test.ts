// What the soak benchmark takes for a leak, and what it does not.
import { describe, expect, it } from 'vitest';
import { lineChart } from '../../bench/lib/line_chart.mjs';
import { judgeTrend, trendOf } from '../../bench/lib/trend.mjs';

type Point = [number, number];
const MB = 1024 * 1024;
const RSS = { share: 0.05, least: 4 * MB };

/** Noise that is the same in each run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 30 - 1;
  };
}

const series = (count: number, value: (i: number) => number): Point[] =>
  Array.from({ length: count }, (_, i) => [i * 30, value(i)]);

describe('a trend', () => {
  it('is the slope of a line, and that over its time', () => {
    const trend = trendOf(series(10, (i) => 5 + 60 * i));
    expect(trend.slope).toBeCloseTo(2);
    expect(trend.growth).toBeCloseTo(540);
    expect(trend.rises).toBe(true);
  });

  it('of few, equal or falling values is none', () => {
    for (const points of [[], series(1, () => 5), series(20, () => 5), series(20, (i) => -i)]) {
      expect(trendOf(points).rises).toBe(false);
    }
  });
});

describe('the judgement of a soak', () => {
  it('finds a leak within noise', () => {
    const random = noise(1);
    const leak = series(45, (i) => 80 * MB + i * 0.2 * MB + random() * MB);
    expect(judgeTrend(leak, RSS)).toMatchObject({ rises: true, passed: false });
  });

  it('lets noise, single peaks and small growth pass', () => {
    const random = noise(2);
    const noisy = series(45, () => 80 * MB + random() * 5 * MB);
    expect(judgeTrend(noisy, RSS).passed).toBe(true);
    const peak = series(45, (i) => (i === 44 ? 800 : 80) * MB);
    expect(judgeTrend(peak, RSS).passed).toBe(true);
    const small = series(45, (i) => 80 * MB + i * 0.02 * MB);
    expect(judgeTrend(small, RSS)).toMatchObject({ rises: true, passed: true });
  });

  it('finds one descriptor that is lost now and then', () => {
    const allowed = { share: 0, least: 0.5 };
    expect(
      judgeTrend(
        series(45, (i) => 20 + Math.floor(i / 9)),
        allowed,
      ).passed,
    ).toBe(false);
    expect(
      judgeTrend(
        series(45, (i) => 20 + (i % 2)),
        allowed,
      ).passed,
    ).toBe(true);
  });
});

describe('the picture of a soak', () => {
  it('has a line for each value, marks what has failed, and names it', () => {
    const of = (title: string, passed: boolean) => {
      return { title, passed, points: series(5, (i) => i), format: String };
    };
    const svg = lineChart([of('a <b>', true), of('c', false)]);
    expect(svg.match(/<polyline class="line"/g)).toHaveLength(1);
    expect(svg.match(/<polyline class="line bad"/g)).toHaveLength(1);
    expect(svg).toContain('a &#60;b&#62;');
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
