// Channels, select, semaphores and wait groups, from tasks and from plain code.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Channel,
  HybridScheduler,
  receiveFrom,
  Semaphore,
  select,
  WaitGroup,
} from '../../lib/scheduler/index.js';
import { Random } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';

const CLOSED = { code: 'ERR_RINGPOLL_CHANNEL_CLOSED' };

let clock: VirtualClock;
let scheduler: HybridScheduler;

beforeEach(() => {
  clock = new VirtualClock();
  scheduler = new HybridScheduler({ clock });
});

afterEach(() => scheduler.close());

/** Whether the promise is still pending after everything that can go on went on. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  await loopTurn();
  return !settled;
}

describe('an unbuffered channel', () => {
  it('makes a send wait for its receiver', async () => {
    const channel = new Channel<number>();
    const sent = channel.send(1);
    expect(await isPending(sent)).toBe(true);
    expect(channel.waiting).toEqual({ senders: 1, receivers: 0 });
    expect(await channel.receive()).toBe(1);
    await sent;
  });

  it('makes a receive wait for its sender', async () => {
    const channel = new Channel<number>();
    const received = channel.receive();
    expect(await isPending(received)).toBe(true);
    await channel.send(2);
    expect(await received).toBe(2);
  });

  it('does without waiting only what is possible now', async () => {
    const channel = new Channel<number>();
    expect(channel.trySend(1)).toBe(false);
    expect(channel.tryReceive()).toBeUndefined();
    const received = channel.receive();
    expect(channel.trySend(2)).toBe(true);
    expect(await received).toBe(2);
  });
});

describe('a buffered channel', () => {
  it('takes as many values as fit, then makes senders wait', async () => {
    const channel = new Channel<number>({ capacity: 2 });
    await channel.send(1);
    await channel.send(2);
    const third = channel.send(3);
    expect(await isPending(third)).toBe(true);
    expect(channel.length).toBe(2);
    expect([await channel.receive(), await channel.receive()]).toEqual([1, 2]);
    await third;
    expect(await channel.receive()).toBe(3);
  });

  it('keeps the order of values over many laps of its buffer', async () => {
    const channel = new Channel<number>(20);
    const random = new Random(7);
    const received: number[] = [];
    let next = 0;
    while (next < 5000) {
      if (random.chance(0.55)) {
        if (channel.trySend(next)) next++;
      } else {
        const value = channel.tryReceive();
        if (value !== undefined) received.push(value);
      }
    }
    channel.close();
    for await (const value of channel) received.push(value);
    expect(received).toEqual(Array.from({ length: 5000 }, (_, index) => index));
  });
});

describe('closing a channel', () => {
  it('ends receivers, rejects senders, and leaves what is in the buffer', async () => {
    const channel = new Channel<number>(1);
    await channel.send(1);
    const waiting = channel.send(2);
    const rejected = expect(waiting).rejects.toMatchObject(CLOSED);
    channel.close();
    channel.close();
    await rejected;
    await expect(channel.send(3)).rejects.toMatchObject(CLOSED);
    expect(channel.trySend(3)).toBe(false);
    expect(await channel.receive()).toBe(1);
    expect(await channel.receive()).toBeUndefined();
    const empty = new Channel<number>();
    const receiver = empty.receive();
    empty.close();
    expect(await receiver).toBeUndefined();
  });

  it('ends for await', async () => {
    const channel = new Channel<number>();
    const feed = async () => {
      for (const value of [1, 2, 3]) await channel.send(value);
      channel.close();
    };
    const fed = feed();
    const seen: number[] = [];
    for await (const value of channel) seen.push(value);
    await fed;
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe('a channel between tasks', () => {
  it.each([0, 1, 64])(
    'with capacity %i hands over every value once, in order',
    async (capacity) => {
      const channel = new Channel<number>(capacity);
      const COUNT = 2000;
      const producer = scheduler.run(async (context) => {
        for (let value = 0; value < COUNT; value++) await channel.send(value, context);
        channel.close();
      });
      const seen = await scheduler.run(async (context) => {
        const values: number[] = [];
        for await (const value of channel.values(context)) values.push(value);
        return values;
      });
      await producer;
      expect(seen).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    },
  );

  it('loses and doubles nothing with many on both sides and some cancelled', async () => {
    const random = new Random(11);
    const channel = new Channel<number>(3);
    const got: number[] = [];
    let sent = 0;
    const producers = Array.from({ length: 8 }, () =>
      scheduler.spawn(async (context) => {
        for (let round = 0; round < 100; round++) {
          await channel.send(sent++, context);
          if (random.chance(0.2)) await context.yield();
        }
      }),
    );
    const consumers = Array.from({ length: 8 }, () =>
      scheduler.spawn(async (context) => {
        for await (const value of channel.values(context)) got.push(value);
      }),
    );
    // Consumers that are cancelled while they wait must not swallow a value.
    await loopTurn();
    for (const consumer of consumers.slice(0, 4)) {
      consumer.promise.catch(() => {});
      consumer.cancel();
    }
    await Promise.all(producers.map(({ promise }) => promise));
    channel.close();
    await Promise.all(consumers.map(({ ended }) => ended));
    expect(got.sort((one, other) => one - other)).toEqual(
      Array.from({ length: sent }, (_, index) => index),
    );
  });

  it('works from generators', async () => {
    const channel = new Channel<number>(2);
    const producer = scheduler.run(function* (context) {
      for (let value = 1; value <= 100; value++) yield channel.send(value, context);
      channel.close();
    });
    const sum = await scheduler.run(function* (context): Generator<unknown, number, never> {
      let total = 0;
      for (;;) {
        const value: number | undefined = yield channel.receive(context);
        if (value === undefined) return total;
        total += value;
      }
    });
    await producer;
    expect(sum).toBe(5050);
  });

  it('shows the wait in tasks() and ends it when the task is cancelled', async () => {
    const channel = new Channel<number>({ name: 'orders' });
    const task = scheduler.spawn((context) => channel.receive(context));
    await loopTurn();
    expect(scheduler.tasks()).toMatchObject([{ state: 'waiting', reason: 'receive from orders' }]);
    task.cancel('enough');
    await expect(task.promise).rejects.toBe('enough');
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    expect(channel.trySend(1)).toBe(false);
  });

  it('gives way after a slice, also when no operation has to wait', async () => {
    const channel = new Channel<number>(1);
    const order: string[] = [];
    const busy = scheduler.run(async (context) => {
      for (let round = 0; round < 60; round++) {
        await channel.send(round, context);
        await channel.receive(context);
        clock.advance(1);
      }
      order.push('busy');
    });
    const other = scheduler.run(() => order.push('other'));
    await Promise.all([busy, other]);
    expect(order).toEqual(['other', 'busy']);
  });

  it('takes nothing for a task that is cancelled or waits already', async () => {
    const channel = new Channel<number>(4);
    const semaphore = new Semaphore();
    await channel.send(1);
    const task = scheduler.spawn(async (context) => {
      const sleeping = context.sleep(5);
      const busy = { code: 'ERR_RINGPOLL_TASK_BUSY' };
      await expect(channel.receive(context)).rejects.toMatchObject(busy);
      await expect(semaphore.acquire(context)).rejects.toMatchObject(busy);
      await sleeping.catch(() => {});
      await expect(channel.receive(context)).rejects.toBe('stop');
      await expect(channel.send(2, context)).rejects.toBe('stop');
      await expect(select([receiveFrom(channel)], { context })).rejects.toBe('stop');
      await expect(semaphore.acquire(context)).rejects.toBe('stop');
      return 'checked';
    });
    task.promise.catch(() => {});
    await loopTurn();
    task.cancel('stop');
    await task.ended;
    expect(scheduler.metrics().lateErrors).toBe(0);
    expect([channel.length, semaphore.available]).toEqual([1, 1]);
  });

  it('refuses undefined and contexts that are none', async () => {
    const channel = new Channel<number | undefined>(1);
    await expect(async () => channel.send(undefined)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_INVALID_ARG_VALUE',
    });
    await expect(async () => channel.send(1, {} as never)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_INVALID_ARG_TYPE',
    });
    expect(() => new Channel(-1)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' }),
    );
  });
});

describe('a semaphore', () => {
  it('lets in as many as it has permits, the longest waiting first', async () => {
    const semaphore = new Semaphore(2);
    const order: number[] = [];
    let inside = 0;
    let insideMax = 0;
    const tasks = [0, 1, 2, 3, 4, 5].map((index) =>
      scheduler.run(async (context) => {
        using _permit = await semaphore.acquire(context);
        inside++;
        insideMax = Math.max(insideMax, inside);
        order.push(index);
        await context.yield();
        inside--;
      }),
    );
    await Promise.all(tasks);
    expect(insideMax).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(semaphore.available).toBe(2);
  });

  it('gives a permit back once, whatever happens', async () => {
    const semaphore = new Semaphore();
    await expect(
      semaphore.with(() => {
        throw new Error('inside');
      }),
    ).rejects.toThrow('inside');
    const permit = semaphore.tryAcquire();
    expect(semaphore.tryAcquire()).toBeUndefined();
    permit?.release();
    permit?.release();
    expect(semaphore.available).toBe(1);
  });

  it('forgets who is cancelled while waiting', async () => {
    const semaphore = new Semaphore();
    const permit = await semaphore.acquire();
    const task = scheduler.spawn((context) => semaphore.acquire(context));
    await loopTurn();
    expect(semaphore.waiting).toBe(1);
    task.cancel('enough');
    await expect(task.promise).rejects.toBe('enough');
    permit.release();
    expect(semaphore.available).toBe(1);
  });
});

describe('a wait group', () => {
  it('lets everybody go on when the count is zero', async () => {
    const group = new WaitGroup();
    await group.wait();
    group.add(2);
    const waiting = [group.wait(), scheduler.run((context) => group.wait(context))];
    group.done();
    expect(await isPending(waiting[0])).toBe(true);
    group.done();
    await Promise.all(waiting);
    expect(() => group.done()).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
  });
});
