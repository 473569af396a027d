import { Loop } from 'ringpoll';
import { HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pair } from '../support/serve.js';

describe('the trace of a scheduler beside a loop', () => {
  it("ends with how full the ring's queues were, and the connections now", async () => {
    const { peer, server } = await pair({ data: () => {} });
    peer.send('x');
    await server.received(1);
    const line = await new Promise<string>((traceTo) => {
      const scheduler = new HybridScheduler({ trace: 5, traceTo });
      onTestFinished(() => scheduler.close());
    });
    const { ringCompleted } = Loop.current().metrics();
    expect(line).toMatch(/^SCHED \d+ms: .* jobs=0\+0 sq=\d+ cq=\d+ connections=1$/);
    const [, sq, cq] = /sq=(\d+) cq=(\d+)/.exec(line)?.map(Number) ?? [];
    // The levels may have moved on since then, but without a ring they are 0 for ever.
    if (Loop.current().engine === 'poll') expect([sq, cq]).toEqual([0, 0]);
    else expect(Math.max(cq, ringCompleted)).toBeGreaterThan(0);
  });
});
