// Tasks: what they may be, how they end, what is told of them.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HybridScheduler, type TaskContext, type TaskState } from '../../lib/scheduler/index.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let scheduler: HybridScheduler;

beforeEach(() => {
  clock = new VirtualClock();
  scheduler = new HybridScheduler({ clock });
});

afterEach(() => scheduler.close());

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await loopTurn();
}

function never(): Promise<never> {
  return new Promise(() => {});
}

describe('run()', () => {
  it('resolves with what a plain, an async and a generator function return', async () => {
    expect(await scheduler.run(() => 1)).toBe(1);
    expect(await scheduler.run(async () => 2)).toBe(2);
    const sum = await scheduler.run(function* (): Generator<unknown, number, number> {
      const one: number = yield Promise.resolve(1);
      yield;
      const two: number = yield 2;
      return one + two;
    });
    expect(sum).toBe(3);
  });

  it('rejects with what they throw', async () => {
    const error = new Error('by the task');
    const fails = () => {
      throw error;
    };
    await expect(scheduler.run(fails)).rejects.toBe(error);
    await expect(scheduler.run(async () => fails())).rejects.toBe(error);
    const generator = function* () {
      yield;
      fails();
    };
    await expect(scheduler.run(generator)).rejects.toBe(error);
    expect(scheduler.metrics().classes.business.failed).toBe(3);
  });

  it('throws a rejected promise into a generator, which may catch it', async () => {
    const caught = await scheduler.run(function* (): Generator<unknown, string, void> {
      try {
        yield Promise.reject(new Error('caught'));
      } catch (error) {
        return (error as Error).message;
      }
      return 'not thrown';
    });
    expect(caught).toBe('caught');
  });

  it('resolves with the result of a promise that a generator returns', async () => {
    // biome-ignore lint/correctness/useYield: a generator without a yield is what is tested
    const generator = function* () {
      return Promise.resolve('later');
    };
    expect(await scheduler.run(generator)).toBe('later');
  });

  it('does not start the task before the caller is done', async () => {
    const order: string[] = [];
    const done = scheduler.run(() => order.push('task'));
    order.push('caller');
    await done;
    expect(order).toEqual(['caller', 'task']);
  });

  it('gives the next task its turn after the continuations of the one before', async () => {
    const order: string[] = [];
    const body = (name: string) => async () => {
      order.push(`${name} 1`);
      await null;
      order.push(`${name} 2`);
    };
    await Promise.all([scheduler.run(body('a')), scheduler.run(body('b'))]);
    expect(order).toEqual(['a 1', 'a 2', 'b 1', 'b 2']);
  });

  it('keeps the async context of the caller, in every step', async () => {
    const storage = new AsyncLocalStorage<number>();
    const seen: unknown[] = [];
    const jobs = [1, 2, 3].map((value) =>
      storage.run(value, () =>
        Promise.all([
          scheduler.run(async (context) => {
            seen.push([value, storage.getStore()]);
            await context.yield();
            seen.push([value, storage.getStore()]);
          }),
          scheduler.run(function* (context) {
            seen.push([value, storage.getStore()]);
            yield context.yield();
            seen.push([value, storage.getStore()]);
            yield Promise.resolve();
            seen.push([value, storage.getStore()]);
          }),
        ]),
      ),
    );
    await Promise.all(jobs);
    expect(seen).toHaveLength(15);
    for (const [value, store] of seen as [number, number][]) expect(store).toBe(value);
  });

  it('refuses arguments that make no sense', () => {
    const code = (text: string) => expect.objectContaining({ code: `ERR_RINGPOLL_${text}` });
    const run = (options: unknown) => () => scheduler.run(() => {}, options as never);
    expect(() => scheduler.run(1 as never)).toThrow(code('INVALID_ARG_TYPE'));
    expect(run(null)).toThrow(code('INVALID_ARG_TYPE'));
    expect(run({ class: 'other' })).toThrow(code('INVALID_ARG_VALUE'));
    expect(run({ timeout: 0 })).toThrow(code('OUT_OF_RANGE'));
    expect(run({ timeout: Number.NaN })).toThrow(code('OUT_OF_RANGE'));
    expect(run({ signal: {} })).toThrow(code('INVALID_ARG_TYPE'));
    const make = (options: unknown) => () => new HybridScheduler(options as never);
    expect(make({ slice: 0 })).toThrow(code('OUT_OF_RANGE'));
    expect(make({ weights: { connection: -1 } })).toThrow(code('OUT_OF_RANGE'));
    expect(make({ weights: { other: 1 } })).toThrow(code('INVALID_ARG_VALUE'));
    expect(make({ decay: 2 })).toThrow(code('OUT_OF_RANGE'));
  });

  it('reuses its records without mixing up tasks', async () => {
    const results = await Promise.all(
      Array.from({ length: 3000 }, (_, index) =>
        scheduler.run(
          async (context) => {
            if (index % 3 === 0) await context.yield();
            if (index % 5 === 0) await context.wait(Promise.resolve());
            return `${index} ${context.key}`;
          },
          { key: index },
        ),
      ),
    );
    expect(results).toEqual(Array.from({ length: 3000 }, (_, index) => `${index} ${index}`));
    expect(scheduler.tasks()).toEqual([]);
  });
});

describe('a deadline', () => {
  it('rejects the promise and cancels the task', async () => {
    let context: TaskContext | undefined;
    const task = scheduler.run(
      async (given) => {
        context = given;
        await never();
      },
      { timeout: 100 },
    );
    const rejected = expect(task).rejects.toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    await settle();
    expect(context?.remaining).toBe(100);
    clock.advance(99);
    expect(context?.signal.aborted).toBe(false);
    clock.advance(1);
    await rejected;
    expect(context?.signal.aborted).toBe(true);
    expect(context?.shouldYield()).toBe(true);
    expect(() => context?.throwIfCancelled()).toThrow(context?.signal.reason);
    // Its code still awaits what never comes: that is what leaks() is for.
    expect(scheduler.tasks()).toMatchObject([{ cancelled: true, state: 'waiting' }]);
  });

  it('wakes a task from waits of its context', async () => {
    const codes = await Promise.all(
      [
        (context: TaskContext) => context.wait(never()),
        (context: TaskContext) => context.sleep(1000),
      ].map(async (wait) => {
        const task = scheduler.spawn((context) => wait(context), { timeout: 10 });
        const code = task.promise.catch((error) => error.code);
        await settle();
        clock.advance(10);
        await task.ended;
        return code;
      }),
    );
    expect(codes).toEqual(['ERR_RINGPOLL_DEADLINE', 'ERR_RINGPOLL_DEADLINE']);
    expect(clock.timers).toBe(0);
  });

  it('that passes before the first turn keeps the task from starting', async () => {
    let started = false;
    const task = scheduler.run(
      () => {
        started = true;
      },
      { timeout: 5 },
    );
    clock.advance(5);
    await expect(task).rejects.toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    await settle();
    expect(started).toBe(false);
    expect(scheduler.tasks()).toEqual([]);
  });

  it('leaves no timer behind when the task is faster', async () => {
    await Promise.all([5, 3, 9, 1].map((timeout) => scheduler.run(() => {}, { timeout })));
    expect(clock.timers).toBe(0);
  });

  it('comes in order, whatever the order of the tasks', async () => {
    const late: number[] = [];
    const timeouts = [50, 10, 40, 20, 30, 10];
    const tasks = timeouts.map((timeout) =>
      scheduler.run(() => never(), { timeout }).catch(() => late.push(timeout)),
    );
    for (let turn = 0; turn < 5; turn++) {
      clock.advance(10);
      await settle();
    }
    await Promise.all(tasks);
    expect(late).toEqual([10, 10, 20, 30, 40, 50]);
  });
});

describe('an AbortSignal', () => {
  it('cancels with its reason and is not listened to afterwards', async () => {
    const controller = new AbortController();
    const task = scheduler.spawn((context) => context.wait(never()), {
      signal: controller.signal,
    });
    await settle();
    controller.abort('enough');
    await expect(task.promise).rejects.toBe('enough');
    await task.ended;
    expect(scheduler.metrics().classes.business.cancelled).toBe(1);
  });

  it('that has aborted before keeps the task from starting', async () => {
    let started = false;
    const task = scheduler.run(
      () => {
        started = true;
      },
      { signal: AbortSignal.abort('before') },
    );
    await expect(task).rejects.toBe('before');
    await settle();
    expect(started).toBe(false);
  });

  it('lets a generator clean up', async () => {
    const controller = new AbortController();
    const order: string[] = [];
    const task = scheduler.spawn(
      function* (): Generator<unknown, void, void> {
        try {
          yield never();
        } finally {
          order.push('cleanup');
          yield Promise.resolve();
          order.push('done');
        }
      },
      { signal: controller.signal },
    );
    await settle();
    controller.abort(new Error('stop'));
    await expect(task.promise).rejects.toThrow('stop');
    await task.ended;
    expect(order).toEqual(['cleanup', 'done']);
  });

  it('stops a generator that only ever yields', async () => {
    const controller = new AbortController();
    const task = scheduler.spawn(
      function* () {
        for (;;) {
          clock.advance(10);
          yield;
          if (clock.now() > 500) controller.abort('enough');
        }
      },
      { signal: controller.signal },
    );
    await expect(task.promise).rejects.toBe('enough');
    await task.ended;
  });
});

describe('a handle', () => {
  it('suspends a task and lets it go on', async () => {
    let rounds = 0;
    const task = scheduler.spawn(async (context) => {
      for (; rounds < 10; rounds++) await context.yield();
    });
    expect(task.state).toBe<TaskState>('new');
    task.suspend();
    expect(task.state).toBe<TaskState>('suspended');
    await settle();
    expect(rounds).toBe(0);
    expect(task.state).toBe<TaskState>('suspended');
    task.resume();
    await task.promise;
    expect(rounds).toBe(10);
    expect(task.state).toBe<TaskState>('done');
  });

  it('suspends a task that waits as soon as its wait is over', async () => {
    let release = (_value: string) => {};
    const gate = new Promise<string>((resolve) => {
      release = resolve;
    });
    const task = scheduler.spawn((context) => context.wait(gate, 'the gate'));
    await settle();
    expect(scheduler.tasks()[0]).toMatchObject({ state: 'waiting', reason: 'the gate' });
    task.suspend();
    release('open');
    await settle();
    expect(task.state).toBe<TaskState>('suspended');
    task.resume();
    expect(await task.promise).toBe('open');
  });

  it('cancels a suspended task', async () => {
    const task = scheduler.spawn((context) => context.yield());
    task.suspend();
    await settle();
    task.cancel('away');
    await expect(task.promise).rejects.toBe('away');
    await task.ended;
    expect(scheduler.tasks()).toEqual([]);
  });

  it('does nothing to another task that got the same record', async () => {
    const first = scheduler.spawn(() => 'first');
    await first.promise;
    const second = scheduler.spawn(async (context) => {
      await context.yield();
      return 'second';
    });
    first.cancel();
    first.suspend();
    expect(first.state).toBe<TaskState>('done');
    expect(await second.promise).toBe('second');
  });

  it('can be joined by other tasks', async () => {
    const worker = scheduler.spawn(async (context) => {
      await context.sleep(10);
      return 7;
    });
    const joiner = scheduler.run((context) => context.join(worker));
    await settle();
    expect(scheduler.tasks()[1]).toMatchObject({ reason: `join of task ${worker.id}` });
    clock.advance(10);
    expect(await joiner).toBe(7);
  });
});

describe('a context', () => {
  it('is of no use after its task', async () => {
    let kept: TaskContext | undefined;
    await scheduler.run((context) => {
      kept = context;
    });
    const gone = { code: 'ERR_RINGPOLL_TASK_DONE' };
    await expect(kept?.yield()).rejects.toMatchObject(gone);
    await expect(kept?.sleep(1)).rejects.toMatchObject(gone);
    expect(() => kept?.throwIfCancelled()).toThrow(expect.objectContaining(gone));
    expect(kept?.signal.aborted).toBe(true);
  });

  it('refuses a second wait at the same time', async () => {
    const task = scheduler.run(async (context) => {
      const first = context.sleep(10);
      await expect(context.yield()).rejects.toMatchObject({ code: 'ERR_RINGPOLL_TASK_BUSY' });
      clock.advance(10);
      await first;
    });
    await task;
  });

  it('may be dropped in the middle of a yield', async () => {
    for (let round = 0; round < 100; round++) {
      await scheduler.run((context) => void context.yield());
      await scheduler.run((context) => void context.sleep(1));
    }
    expect(scheduler.tasks()).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});

describe('tasks()', () => {
  it('tells class, key, state, reason and ages', async () => {
    const named = scheduler.spawn(
      async (context) => {
        clock.advance(7);
        await context.wait(never(), 'an answer');
      },
      { class: 'request', key: 'c1', name: 'fetch' },
    );
    const plain = scheduler.spawn(async function plainly() {
      await never();
    });
    for (const { promise } of [named, plain]) promise.catch(() => {});
    await settle();
    clock.advance(100);
    expect(scheduler.tasks()).toEqual([
      {
        ...{ id: named.id, name: 'fetch', class: 'request', key: 'c1', state: 'waiting' },
        ...{ reason: 'an answer', stateMs: 107, ageMs: 107, ranMs: 7, turns: 1 },
        ...{ cancelled: false, site: undefined },
      },
      {
        ...{ id: plain.id, name: 'plainly', class: 'business', key: undefined, state: 'waiting' },
        ...{ reason: 'await', stateMs: 100, ageMs: 107, ranMs: 0, turns: 1 },
        ...{ cancelled: false, site: undefined },
      },
    ]);
    expect(scheduler.leaks(107)).toHaveLength(2);
    expect(scheduler.leaks(108)).toEqual([]);
    expect(scheduler.metrics().states.waiting).toBe(2);
  });

  it('tells where a task was made, when asked to', async () => {
    const tracing = new HybridScheduler({ captureSites: true });
    void tracing.run(() => never()).catch(() => {});
    void tracing.spawn(() => never()).promise.catch(() => {});
    const sites = tracing.tasks().map(({ site }) => site);
    expect(sites).toEqual([
      expect.stringContaining('scheduler_tasks.test'),
      expect.stringContaining('scheduler_tasks.test'),
    ]);
    await tracing.close();
  });
});

describe('close()', () => {
  it('cancels what is under way and refuses the rest', async () => {
    const task = scheduler.run((context) => context.wait(never()));
    const closed = { code: 'ERR_RINGPOLL_SCHEDULER_CLOSED' };
    const rejected = expect(task).rejects.toMatchObject(closed);
    await scheduler.close();
    await rejected;
    expect(() => scheduler.run(() => {})).toThrow(expect.objectContaining(closed));
  });

  it('counts an error that comes after a cancellation', async () => {
    let fail = (_error: Error) => {};
    const gate = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const task = scheduler.spawn(() => gate);
    await settle();
    task.cancel();
    await expect(task.promise).rejects.toMatchObject({ name: 'AbortError' });
    fail(new Error('late'));
    await task.ended;
    expect(scheduler.metrics().lateErrors).toBe(1);
  });
});
