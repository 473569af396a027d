// The statistics of `ringpoll bench`: medians, noise, and what counts as a change.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { compare } from '../../lib/cli/bench/compare.js';
import { type Measured, measure, median, noiseOf } from '../../lib/cli/bench/measure.js';
import type { Output } from '../../lib/cli/output.js';

const silent: Output = { json: false, line() {}, document() {}, note() {} };

/** 50 us an operation, whatever the machine does. */
const steady = {
  ...{ group: 'group', name: 'steady' },
  run: (operations: number) => ({ elapsedNs: operations * 50_000, bytes: 0 }),
};

const result = (ns: number, noise: number): Measured => ({
  ...{ group: 'group', name: 'name', rounds: 25, operations: 1000 },
  ...{ ns, noise },
});

const verdict = (before: Measured, after: Measured) => compare([before], [after])[0].verdict;

describe('the statistics of the microbenchmarks', () => {
  it('take the median, which a wild round does not move', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([1, 2, 3, 4, 1e9])).toBe(3);
  });

  it('measure noise as a share of the median, without wild rounds', () => {
    expect(noiseOf([100, 100, 100, 1e9])).toBe(0);
    expect(noiseOf([90, 100, 110])).toBeCloseTo(0.148, 3);
  });

  it('call a change larger than the noise a change, in its direction', () => {
    expect(verdict(result(100, 0.01), result(120, 0.01))).toBe('slower');
    expect(verdict(result(100, 0.01), result(80, 0.01))).toBe('faster');
  });

  it('call no change what the noise of either side explains', () => {
    expect(verdict(result(100, 0.01), result(115, 0.3))).toBe('same');
    expect(verdict(result(100, 0.3), result(115, 0.01))).toBe('same');
  });

  it('call no change what a new build of the same code may do', () => {
    expect(verdict(result(100, 0), result(104, 0))).toBe('same');
  });

  it('leave out what one of the reports does not have', () => {
    const refused = { group: 'group', name: 'name', refused: 'no ring here' };
    expect(compare([refused], [result(1, 0)])).toEqual([]);
  });

  it('run every case in every round, and report those that cannot run here', async () => {
    let runs = 0;
    const works = {
      ...{ group: 'group', name: 'works' },
      run: (operations: number) => {
        runs++;
        return { elapsedNs: operations * 50_000, bytes: operations };
      },
    };
    const refuses = { group: 'group', name: 'refuses', run: () => ({ refused: 'not here' }) };
    const [first, second] = await measure([works, refuses], { rounds: 3 }, silent);
    expect(first).toMatchObject({ ns: 50_000, noise: 0, rounds: 3, megabytesPerSecond: 0.02 });
    expect(second).toEqual({ group: 'group', name: 'refuses', refused: 'not here' });
    expect(runs).toBe(4);
  });

  it('say every two seconds how far they are', async () => {
    let time = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time);
    onTestFinished(() => clock.mockRestore());
    const notes: string[] = [];
    const output = { ...silent, note: (text: string) => notes.push(text) };
    const slow = {
      ...{ group: 'group', name: 'slow' },
      run: (operations: number) => {
        time += 1100;
        return { elapsedNs: operations * 50_000, bytes: 0 };
      },
    };
    await measure([slow], { rounds: 5 }, output);
    expect(notes).toEqual(['[2/5] rounds (2 s)', '[4/5] rounds (4 s)']);
  });

  it('say which case stood still, and go on with the others', async () => {
    const notes: string[] = [];
    const output = { ...silent, note: (text: string) => notes.push(text) };
    const stands = { group: 'group', name: 'stands', run: () => new Promise<never>(() => {}) };
    const limits = { rounds: 3, sampleMsMax: 20 };
    const [first, second] = await measure([stands, steady], limits, output);
    expect(first).toMatchObject({ name: 'stands', failed: true });
    expect(second).toMatchObject({ rounds: 3 });
    expect(notes).toEqual(['group, stands: it did not end within 0.02 s']);
  });

  it('leave a case out that fails in a later round', async () => {
    let runs = 0;
    const fails = {
      ...{ group: 'group', name: 'fails' },
      run: (operations: number) =>
        ++runs < 3 ? steady.run(operations) : { refused: 'lost', failed: true },
    };
    const [result] = await measure([fails], { rounds: 10 }, silent);
    expect(result).toEqual({ group: 'group', name: 'fails', refused: 'lost', failed: true });
    expect(runs).toBe(3);
  });

  it('stop after the first rounds when the time is over, and say so', async () => {
    const notes: string[] = [];
    const output = { ...silent, note: (text: string) => notes.push(text) };
    const [result] = await measure([steady], { rounds: 31, msMax: 0 }, output);
    expect(result).toMatchObject({ rounds: 3 });
    expect(notes).toEqual([expect.stringContaining('3 of 31 rounds')]);
  });

  it('say every two seconds how far they are', async () => {
    const notes: string[] = [];
    const output = { ...silent, note: (text: string) => notes.push(text) };
    let seconds = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => seconds * 1000);
    onTestFinished(() => clock.mockRestore());
    const slow = {
      ...{ group: 'group', name: 'slow' },
      run: (operations: number) => {
        seconds++;
        return { elapsedNs: operations * 1e9, bytes: 0 };
      },
    };
    await measure([slow], { rounds: 5 }, output);
    expect(notes).toEqual(['[2/5] rounds (2 s)', '[4/5] rounds (4 s)']);
  });
});
