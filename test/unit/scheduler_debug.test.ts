// What debug mode reports: stalls, deadlocks, leaks; and the trace.
import { execFile } from 'node:child_process';
import { setImmediate as loopTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Channel,
  type DeadlockReport,
  HybridScheduler,
  Semaphore,
  type StallReport,
  type TaskInfo,
} from '../../lib/scheduler/index.js';
import { findDeadlocks, type Wakers } from '../../lib/scheduler/wait_graph.js';
import { VirtualClock } from '../support/virtual-clock.js';

const any = (...ids: number[]): Wakers => ({ ids, all: false });
const all = (...ids: number[]): Wakers => ({ ids, all: true });

function deadlocks(waits: [number, Wakers][], living: number[] = []) {
  const map = new Map(waits);
  const found = findDeadlocks(map, (id) => map.has(id) || living.includes(id));
  return found.map(({ cycle, stuck }) => ({ cycle: cycle.sort(), stuck: stuck.sort() }));
}

describe('the wait graph', () => {
  it('finds a cycle, and who else is stuck because of it', () => {
    const found = deadlocks([
      [1, any(2)],
      [2, any(1)],
      [3, any(1)],
    ]);
    expect(found).toEqual([{ cycle: [1, 2], stuck: [1, 2, 3] }]);
  });

  it('finds none while somebody can still be woken', () => {
    expect(
      deadlocks(
        [
          [1, any(2)],
          [2, any(1, 9)],
        ],
        [9],
      ),
    ).toEqual([]);
    expect(
      deadlocks([
        [1, any(2)],
        [2, null],
      ]),
    ).toEqual([]);
    expect(deadlocks([[1, any(2)]], [2])).toEqual([]);
  });

  it('tells waiting for all from waiting for one', () => {
    expect(
      deadlocks(
        [
          [1, all(2, 9)],
          [2, any(1)],
        ],
        [9],
      ),
    ).toEqual([{ cycle: [1, 2], stuck: [1, 2] }]);
    expect(
      deadlocks(
        [
          [1, any(2, 9)],
          [2, any(1)],
        ],
        [9],
      ),
    ).toEqual([]);
  });

  it('does not take a wait for tasks that have ended for a deadlock', () => {
    expect(deadlocks([[1, any(7)]])).toEqual([]);
  });

  it('finds a task that waits for itself', () => {
    expect(deadlocks([[1, any(1)]])).toEqual([{ cycle: [1], stuck: [1] }]);
  });

  it('keeps separate cycles apart', () => {
    const found = deadlocks([
      [1, any(2)],
      [2, any(1)],
      [3, any(4)],
      [4, any(3)],
    ]);
    expect(found).toEqual([
      { cycle: [1, 2], stuck: [1, 2] },
      { cycle: [3, 4], stuck: [3, 4] },
    ]);
  });
});

describe('debug mode', () => {
  let clock: VirtualClock;
  let scheduler: HybridScheduler;
  let stalls: StallReport[];
  let deadlocks: DeadlockReport[];
  let leaks: TaskInfo[];

  beforeEach(() => {
    clock = new VirtualClock();
    scheduler = new HybridScheduler({ clock, debug: true });
    stalls = [];
    deadlocks = [];
    leaks = [];
    scheduler.on('stall', (report) => stalls.push(report));
    scheduler.on('deadlock', (report) => deadlocks.push(report));
    scheduler.on('leak', (report) => leaks.push(report));
  });

  afterEach(() => scheduler.close());

  /** Starts tasks whose promises nobody looks at. */
  function start(name: string, body: Parameters<HybridScheduler['spawn']>[0]) {
    const task = scheduler.spawn(body, { name });
    task.promise.catch(() => {});
    return task;
  }

  it('reports a send or receive that is stalled for 2 s, once', async () => {
    const channel = new Channel<number>({ name: 'orders' });
    start('reader', (context) => channel.receive(context));
    await loopTurn();
    clock.advance(1999);
    expect(stalls).toEqual([]);
    clock.advance(5000);
    expect(stalls).toMatchObject([{ task: { name: 'reader' }, operation: 'receive from orders' }]);
    expect(scheduler.stalls()).toMatchObject([{ waitedMs: 6999 }]);
  });

  it('does not call a plain wait a stall', async () => {
    start('sleeper', (context) => context.sleep(100_000));
    start('awaiter', () => new Promise(() => {}));
    await loopTurn();
    clock.advance(10_000);
    expect([stalls, deadlocks]).toEqual([[], []]);
  });

  it('reports two tasks that wait for what the other holds', async () => {
    const [one, other] = [new Semaphore(1, { name: 'one' }), new Semaphore(1, { name: 'other' })];
    const takeBoth = (first: Semaphore, second: Semaphore) => async (context: never) => {
      using _first = await first.acquire(context);
      await (context as { yield(): Promise<void> }).yield();
      using _second = await second.acquire(context);
    };
    start('a', takeBoth(one, other) as never);
    start('b', takeBoth(other, one) as never);
    await loopTurn();
    expect(scheduler.deadlocks()).toHaveLength(1);
    clock.advance(5000);
    expect(deadlocks).toHaveLength(1);
    expect(deadlocks[0].cycle).toMatchObject([
      { name: 'a', reason: 'acquire of other' },
      { name: 'b', reason: 'acquire of one' },
    ]);
  });

  it('reports tasks that wait for each other over two channels', async () => {
    const [there, back] = [new Channel<number>(), new Channel<number>()];
    const pingPong =
      (mine: Channel<number>, theirs: Channel<number>, first: boolean) =>
      async (context: never) => {
        if (first) await mine.send(1, context);
        for (;;) {
          await theirs.receive(context);
          if (!first) await mine.send(2, context);
        }
      };
    start('a', pingPong(there, back, true) as never);
    start('b', pingPong(back, there, false) as never);
    await loopTurn();
    clock.advance(1000);
    expect(deadlocks).toHaveLength(1);
    expect(deadlocks[0].tasks.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('does not report tasks whose channel is also used by plain code', async () => {
    const channel = new Channel<number>(1);
    await channel.send(1);
    start('a', async (context) => {
      for (;;) await channel.receive(context);
    });
    await loopTurn();
    clock.advance(1000);
    expect(deadlocks).toEqual([]);
  });

  it('reports a task that joins itself through others', async () => {
    const handles: ReturnType<typeof start>[] = [];
    for (const index of [0, 1, 2]) {
      handles.push(start(`task ${index}`, (context) => context.join(handles[(index + 1) % 3])));
    }
    await loopTurn();
    clock.advance(1000);
    expect(deadlocks).toMatchObject([{ cycle: [{}, {}, {}] }]);
  });

  it('reports tasks older than the limit, once', async () => {
    start('old', () => new Promise(() => {}));
    await loopTurn();
    clock.advance(59_000);
    expect(leaks).toEqual([]);
    clock.advance(10_000);
    expect(leaks).toMatchObject([{ name: 'old', state: 'waiting', reason: 'await' }]);
    expect(scheduler.leaks()).toHaveLength(1);
  });

  it('warns when nobody listens', async () => {
    scheduler.removeAllListeners();
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    start('reader', (context) => new Channel<number>({ name: 'orders' }).receive(context));
    await loopTurn();
    clock.advance(3000);
    await loopTurn();
    process.off('warning', listener);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^reader \(task 1\) waits for 2\.0 s: receive from orders$/),
    ]);
  });

  it('leaves no timer behind when the scheduler is closed', async () => {
    await scheduler.close();
    expect(clock.timers).toBe(0);
  });
});

describe('a process that runs out of work', () => {
  it('is told of tasks that wait for nobody who is left', async () => {
    const index = new URL('../../dist/scheduler/index.js', import.meta.url);
    const script = `
      import { Channel, HybridScheduler } from '${index}';
      const scheduler = new HybridScheduler({ debug: true });
      const channel = new Channel({ name: 'orders' });
      scheduler.run((context) => channel.receive(context), { name: 'reader' });`;
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { timeout: 8000 },
    );
    expect(stderr).toContain(
      'Nobody is left to wake tasks: reader (task 1) waits: receive from orders',
    );
  });
});

describe('the trace', () => {
  it('prints one line each period, with what metrics() says and further sources', async () => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    const scheduler = new HybridScheduler({
      clock,
      trace: 1000,
      traceTo: (line) => lines.push(line),
    });
    scheduler.traceAlso(() => ({ sq: 3, connections: 2 }));
    const task = scheduler.spawn((context) => context.sleep(10_000), { class: 'request' });
    task.promise.catch(() => {});
    await loopTurn();
    clock.advance(2500);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(
      'SCHED 1000ms: new=0 ready=0 running=0 suspended=0 waiting=1 queue=0/0/0 starved=0 ' +
        'rounds=0 turns=1 loops=0 overruns=0 workers=0/0 jobs=0+0 sq=3 connections=2',
    );
    await scheduler.close();
    clock.advance(5000);
    expect(lines).toHaveLength(2);
  });

  it('is off without the option and without RINGPOLL_SCHEDTRACE', async () => {
    const clock = new VirtualClock();
    const scheduler = new HybridScheduler({ clock, debug: false });
    expect(clock.timers).toBe(0);
    await scheduler.close();
  });

  it('is on with RINGPOLL_SCHEDTRACE', async () => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    process.env.RINGPOLL_SCHEDTRACE = '500';
    const scheduler = new HybridScheduler({ clock, traceTo: (line) => lines.push(line) });
    delete process.env.RINGPOLL_SCHEDTRACE;
    clock.advance(1000);
    expect(lines).toHaveLength(2);
    await scheduler.close();
  });
});
