// Dispatch in three levels: connection, request, business.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Dispatcher,
  type DispatchRequest,
  type Frame,
  HybridScheduler,
  type LaneOptions,
} from '../../lib/scheduler/index.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A toy protocol: `reqId:bizCode:payload;` */
function* parse(bytes: Uint8Array): Generator<Frame> {
  for (const part of Buffer.from(bytes).toString().split(';').filter(Boolean)) {
    const [reqId, bizCode, payload] = part.split(':');
    if (payload === undefined) throw new SyntaxError(`no frame: ${part}`);
    yield { reqId: Number(reqId), bizCode: Number(bizCode), payload };
  }
}

let clock: VirtualClock;
let scheduler: HybridScheduler;
let dispatcher: Dispatcher;
let replies: [unknown, unknown][];
let failures: [unknown, { code?: string; message: string }][];

beforeEach(() => {
  clock = new VirtualClock();
  scheduler = new HybridScheduler({ clock });
  dispatcher = new Dispatcher(scheduler);
  replies = [];
  failures = [];
});

afterEach(() => scheduler.close());

function open(key: unknown, options: Partial<LaneOptions> = {}) {
  return dispatcher.open(key, {
    reply: ({ reqId }, result) => replies.push([reqId, result]),
    fail: ({ reqId }, error) => failures.push([reqId, error as Error]),
    parse,
    ...options,
  });
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await loopTurn();
}

describe('the dispatcher', () => {
  it('takes bytes to the handler of their code and its result to reply', async () => {
    dispatcher.handle<number>(7, async ({ payload }) => payload * 2, {
      decode: (raw) => Number(raw),
    });
    dispatcher.handle('text', ({ payload }) => `got ${payload}`);
    const lane = open('c1');
    lane.receive(Buffer.from('1:7:21;2:7:4;'));
    lane.submit({ reqId: 3, bizCode: 'text', payload: 'words' });
    await settle();
    expect(new Map(replies as [number, unknown][])).toEqual(
      new Map<number, unknown>([
        [1, 42],
        [2, 8],
        [3, 'got words'],
      ]),
    );
    expect(lane.pending).toBe(0);
    const { connection, request, business } = scheduler.metrics().classes;
    expect([connection, request, business].map(({ completed }) => completed)).toEqual([1, 3, 3]);
  });

  it('hands over an immutable request whose payload is decoded once, when asked for', async () => {
    let decoded = 0;
    const seen: DispatchRequest<unknown>[] = [];
    const decode = (raw: unknown) => {
      decoded++;
      return { raw };
    };
    dispatcher.handle(1, (request) => void seen.push(request), { decode });
    open('c1').submit({ reqId: 9, bizCode: 1, payload: 'p' });
    await settle();
    const [request] = seen;
    expect(decoded).toBe(0);
    expect(request.payload).toEqual({ raw: 'p' });
    expect(request.payload).toBe(request.payload);
    expect(decoded).toBe(1);
    expect(request.raw).toBe('p');
    expect(Object.isFrozen(request)).toBe(true);
    expect(() => Object.assign(request, { reqId: 10 })).toThrow(TypeError);
  });

  it('fails a request without handler, whose payload is bad, or whose handler throws', async () => {
    dispatcher.handle(1, ({ payload }) => payload, { decode: (raw) => JSON.parse(`${raw}`) });
    dispatcher.handle(2, async () => {
      throw new Error('by the handler');
    });
    const lane = open('c1');
    for (const bizCode of [1, 2, 3]) lane.submit({ reqId: bizCode, bizCode, payload: '{' });
    await settle();
    const errors = new Map(failures as [number, Error][]);
    expect(errors.get(1)).toBeInstanceOf(SyntaxError);
    expect(errors.get(2)).toMatchObject({ message: 'by the handler' });
    expect(errors.get(3)).toMatchObject({ code: 'ERR_RINGPOLL_UNKNOWN_CODE' });
    expect(lane.pending).toBe(0);
  });

  it('fails a request at the deadline of its handler', async () => {
    dispatcher.handle(1, (_, context) => context.sleep(1000), { timeout: 50 });
    open('c1').submit({ reqId: 1, bizCode: 1, payload: '' });
    await settle();
    clock.advance(50);
    await settle();
    expect(failures).toMatchObject([[1, { code: 'ERR_RINGPOLL_DEADLINE' }]]);
  });

  it('refuses more requests than a lane may have under way', async () => {
    dispatcher.handle(1, (_, context) => context.sleep(10));
    const lane = open('c1', { maxPending: 2 });
    for (const reqId of [1, 2, 3]) lane.submit({ reqId, bizCode: 1, payload: '' });
    await settle();
    expect(failures).toMatchObject([[3, { code: 'ERR_RINGPOLL_OVERLOADED' }]]);
    clock.advance(10);
    await settle();
    expect(replies.map(([reqId]) => reqId)).toEqual([1, 2]);
    lane.submit({ reqId: 4, bizCode: 1, payload: '' });
    await settle();
    expect(failures).toHaveLength(1);
  });

  it('cancels what is under way when a lane is closed, and replies no more', async () => {
    const reasons: unknown[] = [];
    dispatcher.handle(1, async (_, context) => {
      await context.sleep(10).catch((error) => {
        reasons.push(error);
        throw error;
      });
    });
    const [lane, other] = [open('c1'), open('c2')];
    lane.submit({ reqId: 1, bizCode: 1, payload: '' });
    other.submit({ reqId: 2, bizCode: 1, payload: '' });
    await settle();
    lane.close('gone');
    lane.submit({ reqId: 3, bizCode: 1, payload: '' });
    await settle();
    expect(reasons).toEqual(['gone']);
    clock.advance(10);
    await settle();
    expect(replies).toEqual([[2, undefined]]);
    expect(failures).toEqual([]);
    expect(scheduler.tasks()).toEqual([]);
  });

  it('closes a lane whose bytes make no sense, or tells its error handler', async () => {
    const lane = open('c1');
    lane.receive(Buffer.from('nonsense'));
    const errors: unknown[] = [];
    const told = open('c2', { error: (error) => errors.push(error) });
    told.receive(Buffer.from('nonsense'));
    await settle();
    expect(lane.closed).toBe(true);
    expect(told.closed).toBe(false);
    expect(errors).toEqual([expect.any(SyntaxError)]);
  });

  it('serves lanes in turns: one with many requests does not keep another waiting', async () => {
    const order: unknown[] = [];
    dispatcher.handle(1, (_, context) => void order.push(context.key));
    const [busy, quiet] = [open('busy'), open('quiet')];
    for (let reqId = 0; reqId < 100; reqId++) busy.submit({ reqId, bizCode: 1, payload: '' });
    quiet.submit({ reqId: 0, bizCode: 1, payload: '' });
    await settle();
    expect(order.indexOf('quiet')).toBeLessThan(5);
    expect(order).toHaveLength(101);
  });

  it('refuses a second handler for a code', () => {
    dispatcher.handle(1, () => {});
    expect(() => dispatcher.handle(1, () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
    expect(() => dispatcher.open('c', {} as never)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' }),
    );
  });
});
