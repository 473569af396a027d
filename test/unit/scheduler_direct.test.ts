// Direct lanes: all levels within receive() while nobody waits, in turn as soon as anybody does.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, type Frame, HybridScheduler } from '../../lib/scheduler/index.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Each byte is a request: its value is the code, its place the number. */
function* parse(bytes: Uint8Array): Generator<Frame> {
  for (const [reqId, bizCode] of bytes.entries()) yield { reqId, bizCode, payload: bizCode };
}

let clock: VirtualClock;
let scheduler: HybridScheduler;
let dispatcher: Dispatcher;
let log: unknown[];

beforeEach(() => {
  clock = new VirtualClock();
  scheduler = new HybridScheduler({ clock });
  dispatcher = new Dispatcher(scheduler);
  dispatcher.handle(1, ({ payload }) => payload, { direct: true });
  log = [];
});

afterEach(() => scheduler.close());

function open(key: unknown, options: { maxPending?: number } = {}) {
  return dispatcher.open(key, {
    direct: true,
    reply: ({ reqId }, result) => log.push([key, reqId, result]),
    fail: ({ reqId }, error) => log.push([key, reqId, (error as { code?: string }).code ?? error]),
    parse,
    ...options,
  });
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await loopTurn();
}

describe('a direct lane', () => {
  it('replies within receive() when nobody waits, without a task', () => {
    open('a').receive(Buffer.from([1, 1]));
    expect(log).toEqual([
      ['a', 0, 1],
      ['a', 1, 1],
    ]);
    const { passes, classes, states } = scheduler.metrics();
    expect(passes).toBe(1);
    expect(classes.connection).toMatchObject({ turns: 1, started: 0 });
    expect(states.new).toBe(0);
  });

  it('queues up behind a task that is ready, with a copy of the bytes', async () => {
    scheduler.run(() => log.push('before'));
    const bytes = Buffer.from([1]);
    open('a').receive(bytes);
    expect(log).toEqual([]);
    bytes[0] = 99;
    await settle();
    expect(log).toEqual(['before', ['a', 0, 1]]);
    expect(scheduler.metrics().passes).toBe(0);
  });

  it('keeps its order when input comes while earlier input is in the queue', async () => {
    scheduler.run(() => {});
    const lane = open('a');
    lane.receive(Buffer.from([1]));
    await Promise.resolve();
    lane.receive(Buffer.from([1, 1]));
    await settle();
    expect(log.map((entry) => (entry as unknown[])[1])).toEqual([0, 0, 1]);
  });

  it('stops overtaking when a handler makes a task ready', async () => {
    dispatcher.handle(2, () => void scheduler.run(() => log.push('task')), { direct: true });
    open('a').receive(Buffer.from([2, 1]));
    expect(log).toEqual([['a', 0, undefined]]);
    await settle();
    expect(log).toEqual([['a', 0, undefined], 'task', ['a', 1, 1]]);
  });

  it('does not go into itself when a reply brings new input', async () => {
    const lane = dispatcher.open('a', {
      direct: true,
      parse,
      reply({ reqId }) {
        log.push(reqId);
        if (log.length === 1) lane.receive(Buffer.from([1]));
      },
      fail: () => {},
    });
    lane.receive(Buffer.from([1, 1]));
    expect(log).toEqual([0]);
    await settle();
    expect(log).toEqual([0, 1, 0]);
  });

  it('leaves handlers that want a context to a task of their own', async () => {
    dispatcher.handle(3, async (_, context) => context.class);
    open('a').receive(Buffer.from([3]));
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual([['a', 0, 'business']]);
  });

  it('waits for a handler that goes on later, up to its deadline', async () => {
    const never = new Promise(() => {});
    dispatcher.handle(4, () => never, { direct: true, timeout: 50 });
    dispatcher.handle(5, async () => 'later', { direct: true });
    const lane = open('a');
    lane.receive(Buffer.from([4, 5]));
    await settle();
    expect(log).toEqual([['a', 1, 'later']]);
    expect(lane.pending).toBe(1);
    clock.advance(50);
    await settle();
    expect(log[1]).toEqual(['a', 0, 'ERR_RINGPOLL_DEADLINE']);
    expect(lane.pending).toBe(0);
  });

  it('fails what throws, has no handler or is too much', async () => {
    const failure = new Error('by the handler');
    dispatcher.handle(
      6,
      () => {
        throw failure;
      },
      { direct: true },
    );
    dispatcher.handle(7, () => new Promise(() => {}), { direct: true });
    const lane = open('a', { maxPending: 1 });
    lane.receive(Buffer.from([6]));
    expect(log).toEqual([['a', 0, failure]]);
    lane.receive(Buffer.from([9]));
    await settle();
    expect(log[1]).toEqual(['a', 0, 'ERR_RINGPOLL_UNKNOWN_CODE']);
    lane.receive(Buffer.from([7, 1]));
    await settle();
    expect(log[2]).toEqual(['a', 1, 'ERR_RINGPOLL_OVERLOADED']);
  });

  it('serves nothing once it is closed, also in the middle of its input', () => {
    const lane = open('a');
    dispatcher.handle(8, () => lane.close(), { direct: true });
    lane.receive(Buffer.from([1, 8, 1]));
    lane.receive(Buffer.from([1]));
    expect(log).toEqual([['a', 0, 1]]);
  });
});
