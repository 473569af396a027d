// loop.wait: whatever the strategy, everything is served, and a loop that is idle does not poll.
import { setTimeout as sleep } from 'node:timers/promises';
import { Loop, type WaitStrategy } from 'ringpoll';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';

const STRATEGIES: readonly WaitStrategy[] = ['block', 'spin', 'adaptive'];
const IDLE_MS = 120;
const loop = Loop.current();

afterEach(() => {
  loop.wait = 'block';
});

const spins = () => loop.metrics().waitSpins;

/** Messages there and back, one at a time. */
async function messages(count: number): Promise<void> {
  const { peer, server } = await pair();
  let expected = 0;
  for (let i = 0; i < count; i++) {
    peer.send(`${i};`);
    expected += `${i};`.length;
    await server.received(expected);
  }
  expect(server.text).toBe(Array.from({ length: count }, (_, i) => `${i};`).join(''));
}

describe('loop.wait', () => {
  it.each(STRATEGIES)('%s: every message arrives, and timers keep their time', async (strategy) => {
    loop.wait = strategy;
    expect(loop.wait).toBe(strategy);
    await messages(50);
    const start = performance.now();
    await sleep(20);
    expect(performance.now() - start).toBeGreaterThan(18);
  });

  it('begins with block, which never polls', async () => {
    expect(loop.wait).toBe('block');
    const before = spins();
    await messages(20);
    expect(spins()).toBe(before);
  });

  it('spin polls before it blocks', async () => {
    loop.wait = 'spin';
    const before = spins();
    await messages(20);
    expect(spins()).toBeGreaterThan(before);
  });

  it('adaptive does not poll while there is nothing to do', async () => {
    loop.wait = 'adaptive';
    await messages(50);
    const { peer } = await pair();
    await sleep(10);
    const before = spins();
    const { waits } = loop.metrics();
    await sleep(IDLE_MS);
    expect(peer.closed).toBe(false);
    expect(loop.metrics().waits - waits).toBeLessThan(IDLE_MS);
    // What polling had earned before may be used up once.
    expect(spins() - before).toBeLessThanOrEqual(4);
  });

  it('takes nothing but the name of a strategy', () => {
    for (const wrong of ['', 'busy', 'SPIN', 1, undefined, null, {}]) {
      let error: unknown;
      try {
        loop.wait = wrong as never;
      } catch (thrown) {
        error = thrown;
      }
      expect(codeOf(error)).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
      expect(loop.wait).toBe('block');
    }
  });
});
