// The text form of Prometheus.
import { describe, expect, it } from 'vitest';
import { Exposition } from '../../lib/admin/exposition.js';
import { SECONDS } from '../../lib/admin/histogram_lines.js';
import { numberText, TextBytes } from '../../lib/admin/text_bytes.js';
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

  it('says of histograms that it has written before what it says of those that it has not', () => {
    const kept = [new Histogram(), new Histogram()];
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const text = (of: readonly Histogram[], open: boolean) => {
      const made = new Exposition(open);
      const samples = of.map((each, at): [Record<string, string>, Histogram] => [
        at === 0 ? {} : { route: `/é"${at}` },
        each,
      ]);
      made.histogram('h_seconds', 'A time.', samples);
      return textOf(made);
    };
    for (let round = 0; round < 60; round++) {
      for (const each of kept) each.add(10 ** random(11) * (1 + random(9)), 10 ** random(5));
      const copies = kept.map((each) => each.copy());
      expect(text(kept, round % 3 === 0)).toBe(text(copies, round % 3 === 0));
    }
  });
});

describe('text as bytes', () => {
  const decoded = (text: TextBytes) => new TextDecoder().decode(text.since(0));

  it('has numbers as JavaScript writes them', () => {
    const numbers = [0, 9, 10, 99, 100, 12_345, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1, 0.25, -0, 1e21];
    for (const value of numbers) expect(numberText(value)).toBe(String(value));
  });

  it('changes the digits of a number to another one of as many', () => {
    const pairs: [number, number][] = [
      [0, 9],
      [5, 5],
      [10, 99],
      [199, 200],
      [2 ** 31, 2 ** 32],
    ];
    pairs.push([1_000_000, 9_999_999], [2 ** 52, 2 ** 53 - 1], [123_456, 123_457]);
    for (const [before, now] of pairs) {
      const text = new TextBytes();
      const other = new TextBytes();
      other.text(`a ${before} b`);
      text.part(other.memory, 0, other.length);
      text.digits(`a ${before}`.length, before, now);
      expect(decoded(text)).toBe(`a ${now} b`);
      expect(decoded(other)).toBe(`a ${before} b`);
    }
  });

  it('grows, and what was taken of it before stays', () => {
    const text = new TextBytes();
    text.text('begin ');
    const taken = text.since(0);
    const other = new TextBytes();
    other.text('from another ä one');
    let whole = 'begin ';
    for (let i = 0; i < 5000; i++) {
      const part = `${i % 3 === 0 ? 'ä€😀' : 'x'.repeat(i % 50)}\n`;
      text.text(part);
      whole += part;
      if (i % 7 !== 0) continue;
      text.part(other.memory, 5, other.length);
      whole += 'another ä one';
    }
    expect(decoded(text)).toBe(whole);
    expect(new TextDecoder().decode(taken)).toBe('begin ');
    expect(text.length).toBe(Buffer.byteLength(whole));
  });
});
