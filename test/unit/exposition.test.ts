// The text form of Prometheus.
import { describe, expect, it } from 'vitest';
import { Exposition, SECONDS } from '../../lib/admin/exposition.js';
import { Histogram } from '../../lib/histogram.js';

describe('an exposition', () => {
  it('escapes what would end a label or a line', () => {
    const text = new Exposition();
    text.counter('a_total', 'Has a \\ and\na line.', [[{ route: '/"x"\\\n', code: 200 }, 3]]);
    expect(String(text)).toBe(
      '# HELP a_total Has a \\\\ and\\na line.\n' +
        '# TYPE a_total counter\n' +
        'a_total{route="/\\"x\\"\\\\\\n",code="200"} 3\n',
    );
  });

  it('writes numbers that JSON has none for', () => {
    const text = new Exposition();
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21];
    for (const [index, value] of numbers.entries()) text.gauge(`g${index}`, 'A level.', value);
    const samples = String(text)
      .split('\n')
      .filter((line) => /^g/.test(line));
    expect(samples).toEqual(['g0 NaN', 'g1 +Inf', 'g2 -Inf', 'g3 1e+21']);
  });

  it('writes a histogram with buckets that hold all below them', () => {
    const values = new Histogram();
    values.add(75_000, 2);
    values.add(2e9);
    values.add(60e9);
    const text = new Exposition();
    text.histogram('h_seconds', 'A time.', [[{ route: '/' }, values]]);
    const lines = String(text).trimEnd().split('\n').slice(2);
    expect(lines).toHaveLength(SECONDS.length + 3);
    const bucket = (le: string) =>
      Number(lines.find((line) => line.includes(`le="${le}"`))?.split(' ')[1]);
    expect(['0.0001', '0.5', '1', '2.5', '10', '+Inf'].map(bucket)).toEqual([2, 2, 2, 3, 3, 4]);
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^h_seconds_sum\{route="\/"\} 62\.00015/),
      'h_seconds_count{route="/"} 4',
    ]);
  });
});
