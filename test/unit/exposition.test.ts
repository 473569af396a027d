// The text form of Prometheus.
import { describe, expect, it } from 'vitest';
import { Exposition, SECONDS } from '../../lib/admin/exposition.js';
import { TextBytes } from '../../lib/admin/text_bytes.js';
import { Histogram } from '../../lib/histogram.js';

const textOf = (text: Exposition) =>
  new TextDecoder('utf-8', { fatal: true }).decode(text.toBytes());

describe('an exposition', () => {
  it('escapes what would end a label or a line', () => {
    const text = new Exposition();
    text.counter('a_total', 'Has a \\ and\na line.', [[{ route: '/"x"\\\n', code: 200 }, 3]]);
    expect(textOf(text)).toBe(
      '# HELP a_total Has a \\\\ and\\na line.\n' +
        '# TYPE a_total counter\n' +
        'a_total{route="/\\"x\\"\\\\\\n",code="200"} 3\n',
    );
  });

  it('writes numbers that JSON has none for', () => {
    const text = new Exposition();
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21];
    for (const [index, value] of numbers.entries()) text.gauge(`g${index}`, 'A level.', value);
    const samples = textOf(text)
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
    const lines = textOf(text).trimEnd().split('\n').slice(2);
    expect(lines).toHaveLength(SECONDS.length + 3);
    const bucket = (le: string) =>
      Number(lines.find((line) => line.includes(`le="${le}"`))?.split(' ')[1]);
    expect(['0.0001', '0.5', '1', '2.5', '10', '+Inf'].map(bucket)).toEqual([2, 2, 2, 3, 3, 4]);
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^h_seconds_sum\{route="\/"\} 62\.00015/),
      'h_seconds_count{route="/"} 4',
    ]);
  });

  it('says the same of what is as before, and the new numbers of what is not', () => {
    const histograms = Array.from({ length: 3 }, () => new Histogram());
    const write = () => {
      const text = new Exposition();
      text.histogram('h_seconds', 'A time.', []);
      for (const [index, values] of histograms.entries()) {
        text.moreOfHistogram('h_seconds', { route: `/é${index}` }, values);
      }
      return { written: text.histogramsWritten, text: textOf(text) };
    };
    for (const values of histograms) values.add(1e9);
    const first = write();
    expect(first.written).toBe(3);
    expect(write()).toEqual({ written: 0, text: first.text });
    histograms[1].add(1e9);
    const changed = first.text.replace(/(route="\/é1".*) 1$/gm, '$1 2');
    expect(changed).not.toBe(first.text);
    expect(write()).toEqual({ written: 1, text: changed });
    expect(write()).toEqual({ written: 0, text: changed });
  });
});

describe('text as bytes', () => {
  const decoded = (text: TextBytes) => new TextDecoder().decode(text.since(0));

  it('has numbers as JavaScript writes them', () => {
    const numbers = [0, 9, 10, 99, 100, 12_345, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1, 0.25, -0, 1e21];
    for (let power = 1; power < 1e10; power *= 10) numbers.push(power - 1, power, power + 1);
    for (const value of numbers) {
      const text = new TextBytes();
      text.number(value);
      expect(decoded(text)).toBe(String(value));
    }
  });

  it('grows, and what was taken of it before stays', () => {
    const text = new TextBytes();
    text.text('begin ');
    const taken = text.since(0);
    let whole = 'begin ';
    for (let i = 0; i < 5000; i++) {
      const part = `${i % 3 === 0 ? 'ä€😀' : 'x'.repeat(i % 50)}\n`;
      text.text(part);
      text.number(i);
      text.bytes(Buffer.from(part));
      whole += part + i + part;
    }
    expect(decoded(text)).toBe(whole);
    expect(new TextDecoder().decode(taken)).toBe('begin ');
    expect(text.length).toBe(Buffer.byteLength(whole));
  });
});
