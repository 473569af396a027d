import { Loop } from 'ringpoll';
import { describe, expect, it } from 'vitest';

const configuration = process.env.RINGPOLL_TEST_CONFIG ?? '';
const running: Record<string, string[]> = {
  poll: ['poll'],
  uring: ['uring'],
  // Where io_uring is refused, hybrid falls back.
  hybrid: ['hybrid', 'poll'],
  denied: ['poll'],
};

describe('the engine', () => {
  it('is the one that this run of the suite is for', () => {
    expect(running[configuration]).toContain(Loop.current().engine);
  });

  it('is reported available, and each that is not with a reason', () => {
    const { engine, capabilities } = Loop.current();
    const names = engine === 'hybrid' ? ['uring', 'poll'] : [engine];
    for (const name of names) {
      const report = capabilities.engines.find((candidate) => candidate.name === name);
      expect(report?.available).toBe(true);
    }
    for (const { available, reason } of capabilities.engines) {
      if (!available) expect(reason).toMatch(/\w/);
    }
  });

  if (configuration === 'denied') {
    it('that the system forbids is named with the reason', () => {
      const { engines } = Loop.current().capabilities;
      const uring = engines.find(({ name }) => name === 'uring');
      expect(uring?.available).toBe(false);
      expect(uring?.reason).toMatch(/not permitted.*seccomp/);
    });
  }

  it('is one for each thread', () => {
    expect(Loop.current()).toBe(Loop.current());
  });
});

describe('metrics()', () => {
  it('is a plain object of numbers', () => {
    const metrics = Loop.current().metrics();
    expect(Object.keys(metrics).length).toBeGreaterThan(10);
    for (const value of Object.values(metrics)) expect(typeof value).toBe('number');
    expect(Object.getPrototypeOf(metrics)).toBe(Object.prototype);
  });
});
