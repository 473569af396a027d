// What careless programs do to tasks, groups, channels and lanes: one suffers, the others go on.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Channel,
  Dispatcher,
  HybridScheduler,
  receiveFrom,
  Semaphore,
  select,
  sendTo,
  type TaskContext,
  TaskGroup,
  WaitGroup,
} from '../../lib/scheduler/index.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let scheduler: HybridScheduler;

beforeEach(() => {
  clock = new VirtualClock();
  scheduler = new HybridScheduler({ clock });
});

afterEach(() => scheduler.close());

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await loopTurn();
}

/** A promise of somebody else's making. */
function thenable<T>(value: T): PromiseLike<T> {
  const resolved = Promise.resolve(value);
  return Object.fromEntries([['then', resolved.then.bind(resolved)]]) as never;
}

const never = () => new Promise<never>(() => {});
const thrower = (property: PropertyKey) =>
  Object.defineProperty({}, property, {
    get() {
      throw new Error(`no ${String(property)} for you`);
    },
  });

describe('a task whose result throws when it is looked at', () => {
  it.each(['then', Symbol.toStringTag])('fails alone: %s', async (property) => {
    const before = scheduler.run(() => thrower(property));
    const after = scheduler.run(() => 'still here');
    await expect(before).rejects.toThrow(/for you/);
    expect(await after).toBe('still here');
    expect(scheduler.tasks()).toEqual([]);
  });

  it('fails alone as a generator too, when it yields or returns such a thing', async () => {
    const yields = scheduler.run(function* (): Generator<unknown, void, never> {
      yield thrower('then');
    });
    // biome-ignore lint/correctness/useYield: a generator without a yield is what is tested
    const returns = scheduler.run(function* (): Generator<never, unknown, never> {
      return thrower('then');
    });
    await expect(yields).rejects.toThrow(/for you/);
    await expect(returns).rejects.toThrow(/for you/);
    expect(await scheduler.run(() => 'still here')).toBe('still here');
  });

  it('may reject with undefined', async () => {
    const seen: unknown[] = [];
    await scheduler.run(() => Promise.reject(undefined)).catch((error) => seen.push(error));
    await scheduler
      .run(() => {
        throw undefined;
      })
      .catch((error) => seen.push(error));
    expect(seen).toEqual([undefined, undefined]);
    expect(scheduler.metrics().classes.business.failed).toBe(2);
  });
});

describe('context.wait()', () => {
  it('takes what is no promise for its value', async () => {
    const values = await scheduler.run(async (context) => [
      await context.wait(5 as never),
      await context.wait(undefined as never),
      await context.wait(thenable(7)),
    ]);
    expect(values).toEqual([5, undefined, 7]);
  });

  it('rejects when asking the promise throws, and the task may go on', async () => {
    const answer = scheduler.run(async (context) => {
      await expect(context.wait(thrower('then') as never)).rejects.toThrow(/for you/);
      await context.yield();
      return 'went on';
    });
    expect(await answer).toBe('went on');
  });
});

describe('the class of a task', () => {
  it.each(['toString', 'constructor', '__proto__', 'none', 5, null])('may not be %s', (name) => {
    expect(() => scheduler.run(() => {}, { class: name as never })).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
    expect(scheduler.tasks()).toEqual([]);
  });

  it('has weights that are known', () => {
    const weights = { constructor: 3 } as never;
    expect(() => new HybridScheduler({ weights })).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
  });
});

describe('a cancelled task that never ends', () => {
  it('leaves no timer of its deadline behind', async () => {
    const controller = new AbortController();
    const task = scheduler.run(never, { timeout: 3_600_000, signal: controller.signal });
    await settle();
    expect(clock.timers).toBe(1);
    controller.abort('enough');
    await expect(task).rejects.toBe('enough');
    expect(clock.timers).toBe(0);
    expect(scheduler.tasks()).toMatchObject([{ cancelled: true }]);
  });

  it('is cancelled out of every kind of wait', async () => {
    const channel = new Channel<number>();
    const full = new Channel<number>({ capacity: 1 });
    full.trySend(1);
    const semaphore = new Semaphore(1);
    const permit = semaphore.tryAcquire();
    const group = new TaskGroup(scheduler);
    const endless = group.spawn(never);
    const busy = new WaitGroup();
    busy.add();
    const waits: ((context: TaskContext) => Promise<unknown>)[] = [
      (context) => context.sleep(1e9),
      (context) => context.wait(never()),
      (context) => context.join(endless),
      (context) => channel.receive(context),
      (context) => full.send(2, context),
      (context) => select([receiveFrom(channel), sendTo(full, 3)], { context }),
      (context) => semaphore.acquire(context),
      (context) => busy.wait(context),
      (context) => group.join(context),
      async (context) => {
        for await (const _ of channel.values(context));
      },
    ];
    const ended: number[] = [];
    const handles = waits.map((wait, index) =>
      scheduler.spawn((context) => wait(context).finally(() => ended.push(index))),
    );
    await settle();
    expect(scheduler.tasks().filter(({ state }) => state === 'waiting')).toHaveLength(
      waits.length + 1,
    );
    for (const handle of handles) handle.cancel('enough');
    for (const handle of handles) {
      await expect(handle.promise).rejects.toBe('enough');
      await handle.ended;
    }
    expect(ended.sort((a, b) => a - b)).toEqual(waits.map((_, index) => index));
    expect([channel.waiting, full.waiting, semaphore.waiting]).toEqual([
      { senders: 0, receivers: 0 },
      { senders: 0, receivers: 0 },
      0,
    ]);
    permit?.release();
    expect(semaphore.available).toBe(1);
    endless.cancel();
  });
});

describe('arguments that make no sense', () => {
  it('are told by their name', async () => {
    const type = expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });
    expect(() => scheduler.run(() => {}, { name: 5 as never })).toThrow(type);
    await expect(select(5 as never)).rejects.toEqual(type);
    await expect(select([null] as never)).rejects.toEqual(type);
    expect(scheduler.tasks()).toEqual([]);
  });
});

describe('a semaphore', () => {
  it('loses no permit to a context that is none', () => {
    const semaphore = new Semaphore(1);
    expect(() => semaphore.tryAcquire({} as never)).toThrow(TypeError);
    expect(semaphore.available).toBe(1);
  });
});

describe('a group whose signal has aborted', () => {
  it.each(['before', 'meanwhile'])('does not join as if all were well: %s', async (when) => {
    const controller = new AbortController();
    if (when === 'before') controller.abort('outside');
    const { signal } = controller;
    const result = scheduler.group(
      async (group) => {
        group.run((context) => context.wait(never())).catch(() => {});
        if (when === 'meanwhile') loopTurn().then(() => controller.abort('outside'));
        await group.join();
        return 'all is well';
      },
      { signal },
    );
    await expect(result).rejects.toBe('outside');
    expect(scheduler.tasks()).toEqual([]);
  });
});

describe('a dispatcher', () => {
  const answers = () => {
    const told: unknown[][] = [];
    return {
      told,
      reply: ({ reqId }: { reqId: unknown }, result: unknown) => void told.push([reqId, result]),
      fail: ({ reqId }: { reqId: unknown }, error: unknown) =>
        void told.push([reqId, 'failed', (error as Error).message]),
    };
  };

  it('refuses handlers that could never serve', () => {
    const dispatcher = new Dispatcher(scheduler);
    const handler = () => {};
    const code = (work: () => void) => {
      try {
        work();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return undefined;
    };
    const type = 'ERR_RINGPOLL_INVALID_ARG_TYPE';
    expect(code(() => dispatcher.handle(undefined as never, handler))).toBe(type);
    expect(code(() => dispatcher.handle({} as never, handler))).toBe(type);
    expect(code(() => dispatcher.handle(1, handler, { decode: 5 as never }))).toBe(type);
    expect(code(() => dispatcher.handle(1, handler, { timeout: '5' as never }))).toBe(type);
    for (const timeout of [0, -1, Number.NaN]) {
      const refused = code(() => dispatcher.handle(1, handler, { timeout }));
      expect(refused).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    }
    expect(code(() => dispatcher.handle(1, handler))).toBeUndefined();
    expect(code(() => dispatcher.handle('1', handler))).toBeUndefined();
  });

  it('calls a decoder once, also one that throws', async () => {
    const dispatcher = new Dispatcher(scheduler);
    const errors: unknown[] = [];
    let calls = 0;
    const decode = () => {
      calls++;
      throw new SyntaxError(`bad payload ${calls}`);
    };
    const handler = (request: { payload: unknown }) => {
      for (let turn = 0; turn < 3; turn++) {
        try {
          void request.payload;
        } catch (error) {
          errors.push(error);
        }
      }
      return request.payload;
    };
    dispatcher.handle('x', handler, { decode });
    const { told, ...options } = answers();
    dispatcher.open('lane', options).submit({ reqId: 1, bizCode: 'x', payload: '' });
    await settle();
    expect(told).toEqual([[1, 'failed', 'bad payload 1']]);
    expect(calls).toBe(1);
    expect(new Set(errors).size).toBe(1);
  });

  it('follows what a direct handler returns as it follows the others', async () => {
    const dispatcher = new Dispatcher(scheduler);
    const handlers: Record<string, () => unknown> = {
      value: () => 1,
      promise: async () => 2,
      thenable: () => thenable(3),
      *generator(): Generator<unknown, unknown, never> {
        yield Promise.resolve();
        return 4;
      },
      thrower: () => thrower('then'),
    };
    for (const [name, handler] of Object.entries(handlers)) {
      dispatcher.handle(name, handler, { direct: true });
    }
    for (const direct of [true, false]) {
      const { told, ...options } = answers();
      const lane = dispatcher.open('lane', {
        ...options,
        direct,
        parse: (bytes) => [{ reqId: 0, bizCode: Buffer.from(bytes).toString(), payload: '' }],
      });
      for (const name of Object.keys(handlers)) {
        lane.receive(Buffer.from(name));
        await settle();
      }
      expect(told).toEqual([
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
        [0, 'failed', 'no then for you'],
      ]);
      expect([lane.pending, lane.closed]).toEqual([0, false]);
    }
  });

  it('hands over requests that nobody can change', async () => {
    const dispatcher = new Dispatcher(scheduler);
    let changed = 0;
    dispatcher.handle('x', (request) => {
      for (const name of ['reqId', 'bizCode', 'payload', 'raw', 'new']) {
        try {
          (request as unknown as Record<string, unknown>)[name] = 'changed';
          changed++;
        } catch {
          // As it should be.
        }
      }
      return [request.reqId, request.bizCode, request.payload];
    });
    const { told, ...options } = answers();
    dispatcher.open('lane', options).submit({ reqId: 1, bizCode: 'x', payload: 'p' });
    await settle();
    expect(changed).toBe(0);
    expect(told).toEqual([[1, [1, 'x', 'p']]]);
  });
});
