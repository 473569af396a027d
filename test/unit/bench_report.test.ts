// The page of the benchmarks' results: what it says, and that names of others do no harm in it.
import { describe, expect, it } from 'vitest';
// @ts-expect-error: the benchmarks are plain JavaScript.
import { caseInWords } from '../../bench/lib/case_words.mjs';
// @ts-expect-error: the same.
import { htmlReport } from '../../bench/lib/html.mjs';
// @ts-expect-error: the same.
import { chartsOf } from '../../bench/lib/html_bars.mjs';
// @ts-expect-error: the same.
import { duels } from '../../bench/lib/html_summary.mjs';

const trial = (competitor: string, cpuUs: number) => ({ case: '64x64B', competitor, cpuUs });

const data = (ours: number, other = 10) => ({
  suite: 'echo',
  settings: { rounds: 3, seconds: 1 },
  missing: { '<b>rival</b>': 'not "here"' },
  medians: {
    '64x64B': {
      'ringpoll-poll': { cpuUs: ours, p99Us: 100 },
      'c-epoll': { cpuUs: 4, p99Us: 90 },
      bun: { cpuUs: other, p99Us: 120 },
      '<script>': { cpuUs: 20 },
    },
  },
  trials: [
    ...[trial('ringpoll-poll', ours - 1), trial('ringpoll-poll', ours), trial('bun', other)],
    ...[trial('bun', other + 2), { ...trial('bun', Number.NaN), error: 'it failed' }],
  ],
});

describe('the names of cases', () => {
  it.each([
    ['64x64B', '64 connections × 64 bytes'],
    ['1x256KB', '1 connection × 256 KB'],
    ['c64-pipe16', '64 connections, 16 requests at once'],
    ['echo-64x64B-16', 'Echo, 64 connections × 64 bytes, 16'],
    ['accept-64', 'Short connections, as many at a time: 64'],
    ['handshake-ec', 'TLS handshakes, ECDSA'],
  ])('%s is %s', (name, words) => {
    expect(caseInWords(name)).toBe(words);
  });
});

describe('the charts', () => {
  it('have bars in order, with the rounds that lie apart', () => {
    const [cpu, latency] = chartsOf(data(5));
    expect(cpu.words).toBe('64 connections × 64 bytes');
    expect(cpu.rows).toEqual([
      { competitor: 'c-epoll', kind: 'limit', value: 4, low: 4, high: 4 },
      { competitor: 'ringpoll-poll', kind: 'ours', value: 5, low: 4, high: 5 },
      { competitor: 'bun', kind: 'rival', value: 10, low: 10, high: 12 },
      { competitor: '<script>', kind: 'rival', value: 20, low: 20, high: 20 },
    ]);
    expect(latency.rows).toHaveLength(3);
  });
});

describe('the summary', () => {
  const verdict = (ours: number) => duels(chartsOf(data(ours)))[0].verdict;

  it('compares the best of ours with the best of the others, once for each case', () => {
    const found = duels(chartsOf(data(5)));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ ratio: 0.5, rival: { competitor: 'bun' } });
    expect([verdict(9.7), verdict(9.9), verdict(10.1), verdict(10.3)]).toEqual([
      ...['less', 'even', 'even', 'more'],
    ]);
  });
});

describe('the page', () => {
  const page: string = htmlReport([data(5), { suite: 'without numbers' }]);

  it('says who needs least, by how much', () => {
    expect(page).toContain('ringpoll needs less in 1 of 1 cases: 0.50 to 0.50 times');
    expect(page).toMatch(/<td>5\.00 <small>ringpoll-poll<\/small><\/td>/);
    expect(page).toContain('<td class="range">10.0 to 12.0</td>');
    expect(page).toContain('what the machine can do');
    expect(page).toContain('1 trials failed');
  });

  it('has no script, nothing from elsewhere, and text as text', () => {
    expect(page).not.toMatch(/<script|<b>rival|https?:\/\//);
    expect(page).toContain('&#60;script&#62;');
  });

  it('has both themes from the colours of the live page', () => {
    expect(page).toMatch(/--back: light-dark\(#\w+, #\w+\)/);
    expect(page).toContain('color-scheme: light dark');
  });

  it('has links that lead somewhere', () => {
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(3);
    for (const id of links) expect(page).toContain(`id="${id}"`);
  });
});
