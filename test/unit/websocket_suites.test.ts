// What the lanes autobahn and wpt have kept: nothing of it failed, and nothing was left out without
// a reason.
import { describe, expect, it } from 'vitest';
import { readKept as readAutobahn } from '../lanes/autobahn.mjs';
import { readKept as readWpt } from '../lanes/wpt.mjs';

/** Without those for limits (9) and compression (12, 13), which take hours on a small machine. */
const SHORT_CASES = 247;
const WAYS = ['denied', 'hybrid', 'poll', 'tls', 'uring'];
const RUNS = ['client', 'server'].flatMap((side) => WAYS.map((way) => `${side}, ${way}`));

describe('the table of Autobahn', () => {
  const kept = readAutobahn() as { runs: string[]; cases: Record<string, string[]> };
  const column = (run: string) =>
    Object.entries(kept.cases).map(([id, cells]) => [id, cells[kept.runs.indexOf(run)]!]);

  const isLong = (id: string) => /^(9|12|13)\./.test(id);

  it('has both sides on each engine, where io_uring is denied, and over TLS', () => {
    expect(Object.keys(kept.cases).filter((id) => !isLong(id))).toHaveLength(SHORT_CASES);
    expect(kept.runs).toEqual(RUNS);
  });

  it.each(RUNS)('has no failure: %s', (run) => {
    const good = ['OK', 'NON-STRICT', 'INFORMATIONAL, close INFORMATIONAL', 'not run'];
    expect(column(run).filter(([, cell]) => !good.includes(cell!))).toEqual([]);
    const short = column(run).filter(([id]) => !isLong(id!));
    expect(short.filter(([, cell]) => cell === 'not run')).toEqual([]);
  });
});

describe('the tests of the web platform', () => {
  const kept = readWpt() as {
    tests: { file: string; test: string; status: string; reason?: string }[];
    leftOut: { file: string; wants: string }[];
  };

  it('pass, or have a reason', () => {
    expect(kept.tests.length).toBeGreaterThan(350);
    const failed = kept.tests.filter(({ status, reason }) => status !== 'pass' && !reason);
    expect(failed).toEqual([]);
    expect(kept.tests.filter(({ status }) => status !== 'pass').length).toBeLessThan(25);
  });

  it('are left out where they want a browser', () => {
    expect(kept.leftOut.filter(({ wants }) => wants === '')).toEqual([]);
  });
});
