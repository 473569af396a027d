import { Loop } from 'ringpoll';
import { HybridScheduler, type SchedulerMetrics } from 'ringpoll/scheduler';
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

  it('has the numbers of metrics(), each of them', async () => {
    await pair();
    let scheduler!: HybridScheduler;
    const [line, metrics] = await new Promise<[string, SchedulerMetrics]>((resolve) => {
      const traceTo = (told: string) => resolve([told, scheduler.metrics()]);
      scheduler = new HybridScheduler({ trace: 20, traceTo });
      onTestFinished(() => scheduler.close());
      scheduler.run((context) => context.sleep(10_000)).catch(() => {});
      scheduler.run(() => 1, { class: 'request' }).catch(() => {});
    });
    const { states, classes, starved, rounds, loopTurns, overruns, loop } = metrics;
    const { connection, request, business } = classes;
    const expected = {
      ...states,
      queue: `${connection.ready}/${request.ready}/${business.ready}`,
      starved,
      rounds,
      turns: connection.turns + request.turns + business.turns,
      loops: loopTurns,
      overruns,
      workers: '0/0',
      jobs: '0+0',
      ...loop,
    };
    const [head, ...words] = line.split(' ').slice(1);
    expect(head).toMatch(/^\d+ms:$/);
    expect(Object.fromEntries(words.map((word) => word.split('=')))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, String(value)])),
    );
    expect(states.waiting).toBe(1);
    expect(loop).toMatchObject({ connections: 1 });
  });
});
