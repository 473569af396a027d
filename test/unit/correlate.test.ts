// Why turns were slow.
import { describe, expect, it } from 'vitest';
import { correlated } from '../../lib/admin/correlate.js';
import type { TurnRecord } from '../../lib/runtime/turn_meter.js';

const turn = (
  start: number,
  ready: number | undefined,
  walked: number,
  end: number,
): TurnRecord => {
  const ofKernel = { minorFaults: 0, majorFaults: 0, kernelMs: 0 };
  return { start, ready, walked, end, events: 1, waited: 0, ...ofKernel };
};
const pause = (start: number, ms: number) => ({ start, ms, kind: 'major' as const });

describe('a slow turn', () => {
  it.each([
    ['javascript', turn(100, 101, 119, 120), []],
    ['receiving', turn(100, 115, 118, 120), []],
    ['receiving', turn(100, undefined, 0, 120), []],
    ['sending', turn(100, 101, 103, 120), []],
    ['collection', turn(100, 101, 119, 120), [pause(102, 12)]],
    ['javascript', turn(100, 101, 119, 120), [pause(102, 5)]],
    ['collection', turn(100, 101, 119, 120), [pause(90, 5), pause(98, 8), pause(110, 30)]],
  ] as const)('was that because of %s', (cause, slow, pauses) => {
    const { causes, slowest } = correlated([slow], pauses, 10);
    expect(slowest[0].cause).toBe(cause);
    expect(causes[cause]).toEqual({ turns: 1, share: 1, ms: 20 });
    const parts = Object.values(slowest[0].parts).reduce((sum, part) => sum + part, 0);
    expect(parts).toBeCloseTo(20);
  });
});

describe('a correlation', () => {
  it('looks at slow turns alone, and has the slowest first', () => {
    const turns = Array.from({ length: 100 }, (_, index) =>
      turn(index * 1000, index * 1000, index * 1000 + index, index * 1000 + index),
    );
    const found = correlated(turns, [], 50);
    expect(found).toMatchObject({ turns: 100, slow: 50 });
    expect(found.slowest).toHaveLength(20);
    expect(found.slowest[0].ms).toBe(99);
  });

  it('says which turns had a burst of page faults, and which were in the kernel', () => {
    const slow = turn(0, 1, 19, 20);
    const turns = [
      { ...slow, minorFaults: 255, kernelMs: 9 },
      { ...slow, minorFaults: 256, kernelMs: 10 },
      { ...slow, majorFaults: 1 },
      { ...turn(0, 0, 1, 1), majorFaults: 9, kernelMs: 1 },
    ];
    const { faults, kernel, slowest } = correlated(turns, [], 10);
    expect(faults).toEqual({ turns: 2, share: 2 / 3 });
    expect(kernel).toEqual({ turns: 1, share: 1 / 3 });
    expect(slowest[0]).toMatchObject({ minorFaults: 255, majorFaults: 0, kernelMs: 9 });
  });

  it('of nothing is nothing', () => {
    const { causes, faults, slowest } = correlated([], [pause(1, 1)], 10);
    expect(faults).toEqual({ turns: 0, share: 0 });
    expect(causes.collection).toEqual({ turns: 0, share: 0, ms: 0 });
    expect(slowest).toEqual([]);
  });
});
