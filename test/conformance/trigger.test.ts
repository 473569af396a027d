// loop.trigger: whatever it is, nothing is lost, and what it did is told.
import { Loop, type Trigger } from 'ringpoll';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';

const TRIGGERS: readonly Trigger[] = ['edge', 'level', 'adaptive'];
const loop = Loop.current();

afterEach(() => {
  loop.trigger = 'edge';
});

describe('loop.trigger', () => {
  it.each(TRIGGERS)('%s: messages, pauses and the end arrive', async (trigger) => {
    loop.trigger = trigger;
    expect(loop.trigger).toBe(trigger);
    const { peer, server } = await pair();
    let expected = '';
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 3) server.connection.pause();
      peer.send(`${i};`);
      expected += `${i};`;
      if (i % 10 === 7) server.connection.resume();
      if (i % 10 > 7) await server.received(expected.length);
    }
    const burst = 'b'.repeat(500_000);
    peer.send(burst);
    await server.received(expected.length + burst.length);
    expect(server.text === expected + burst).toBe(true);
    peer.end();
    await peer.untilEnd();
    const { trigger: told } = loop.explain().receive;
    const { triggersToLevel, triggersToEdge } = loop.metrics();
    expect(told).toEqual({ is: trigger, toLevel: triggersToLevel, toEdge: triggersToEdge });
    expect(triggersToEdge).toBeLessThanOrEqual(triggersToLevel!);
  });

  it('level has epoll tell by levels, and the ring knows edges alone', async () => {
    const before = loop.metrics().triggersToLevel!;
    loop.trigger = 'level';
    const { peer, server } = await pair();
    peer.send('x');
    await server.received(1);
    const after = loop.metrics().triggersToLevel!;
    if (loop.engine === 'poll' && process.platform === 'linux') {
      expect(after).toBeGreaterThan(before);
    } else {
      expect(after).toBe(before);
    }
  });

  it('begins with edge, which never changes', async () => {
    const { triggersToLevel } = loop.metrics();
    const { peer, server } = await pair();
    peer.send('x');
    await server.received(1);
    expect(loop.metrics().triggersToLevel).toBe(triggersToLevel);
  });

  it('refuses anything else', () => {
    let code: unknown;
    try {
      loop.trigger = 'both' as Trigger;
    } catch (error) {
      code = codeOf(error);
    }
    expect(code).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(loop.trigger).toBe('edge');
  });
});
