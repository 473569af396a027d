// Jobs on a virtual clock: attempts, deadlines, dead letters, keys and bounds.
import { describe, expect, it } from 'vitest';
import {
  JobQueue,
  type JobQueueOptions,
  type KeyStore,
  MemoryKeys,
} from '../../lib/queues/index.js';
import { Random } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<never>(() => {});

function make(options: Partial<JobQueueOptions<number>>) {
  const clock = new VirtualClock();
  const queue = new JobQueue<number>({ clock, run: () => {}, ...options });
  const pass = async (ms: number) => {
    await settled();
    clock.advance(ms);
    await settled();
  };
  return { clock, queue, pass };
}

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'taken';
}

describe('a job', () => {
  it('is tried after 100, 400 and 1,600 ms, and is a dead letter then', async () => {
    const times: number[] = [];
    const told: unknown[] = [];
    const { clock, queue, pass } = make({
      run: (_, { attempt }) => {
        times.push(clock.now());
        throw new Error(`no ${attempt}`);
      },
      dead: (letter) => told.push(letter),
    });
    await queue.push(7);
    for (let i = 0; i < 300; i++) await pass(10);
    expect(times).toEqual([0, 100, 500, 2100]);
    expect(queue.deadLetters).toMatchObject([
      { payload: 7, attempts: 4, error: { message: 'no 4' } },
    ]);
    expect(told).toEqual(queue.deadLetters);
    expect(queue.counts).toMatchObject({ failures: 4, done: 0, delayed: 0, running: 0 });
    expect(clock.timers).toBe(0);
  });

  it('that is not worth it is tried once', async () => {
    const { queue, pass } = make({
      run: () => Promise.reject(new TypeError('wrong')),
      retryIf: (error) => !(error instanceof TypeError),
    });
    await queue.push(1);
    await pass(0);
    expect(queue.deadLetters).toMatchObject([{ attempts: 1 }]);
  });

  it('that takes too long is aborted and tried again, and does not count later', async () => {
    const ends: (() => void)[] = [];
    const signals: AbortSignal[] = [];
    const { queue, pass } = make({
      timeout: 1000,
      run: (_, { signal }) => {
        signals.push(signal);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    await queue.push(1);
    await pass(1000);
    expect(signals[0]?.reason).toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    await pass(100);
    expect(signals).toHaveLength(2);
    ends[0]?.();
    await settled();
    expect(queue.counts).toMatchObject({ running: 1, done: 0 });
    ends[1]?.();
    await settled();
    expect(queue.counts).toMatchObject({ running: 0, done: 1, failures: 1 });
  });

  it('waits for its delay, and for room', async () => {
    const began: number[] = [];
    const ends: (() => void)[] = [];
    const { queue, pass } = make({
      concurrency: 2,
      run: (payload) => {
        began.push(payload);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    await queue.push(0, { delay: 50 });
    for (const payload of [1, 2, 3]) await queue.push(payload);
    await pass(50);
    expect(began).toEqual([1, 2]);
    expect(queue.counts).toMatchObject({ running: 2, waiting: 2 });
    ends[0]?.();
    await settled();
    expect(began).toEqual([1, 2, 3]);
    ends[1]?.();
    await settled();
    expect(began).toEqual([1, 2, 3, 0]);
  });
});

describe('a queue', () => {
  it('holds no more jobs than it is told, nor dead letters', async () => {
    const { queue, pass } = make({ maxJobs: 3, maxDead: 2, retries: [], run: () => never() });
    const all = await Promise.allSettled([1, 2, 3, 4].map((n) => queue.push(n, { key: `${n}` })));
    expect(all.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
    ]);
    expect(await codeOf(() => queue.push(5))).toBe('ERR_RINGPOLL_QUEUE_FULL');
    await pass(60_000);
    expect(queue.deadLetters.map(({ payload }) => payload)).toEqual([2, 3]);
    expect(queue.revive()).toBe(2);
    await settled();
    expect(queue.counts).toMatchObject({ running: 2, dead: 0 });
  });

  it('finishes what it has when it is stopped, with the attempts', async () => {
    let attempts = 0;
    const { queue, pass } = make({
      run: () => {
        if (++attempts < 3) throw new Error('no');
      },
    });
    await queue.push(1);
    const stopped = queue.stop();
    expect(await codeOf(() => queue.push(2))).toBe('ERR_RINGPOLL_QUEUE_CLOSED');
    for (let i = 0; i < 6; i++) await pass(100);
    expect(await stopped).toEqual([]);
    expect(queue.counts.done).toBe(1);
  });

  it('gives up at the timeout of stop(), and says what', async () => {
    const signals: AbortSignal[] = [];
    const { clock, queue, pass } = make({
      concurrency: 1,
      run: (_, { signal }) => {
        signals.push(signal);
        return never();
      },
    });
    for (const payload of [1, 2]) await queue.push(payload);
    await queue.push(3, { delay: 5000 });
    const stopped = queue.stop({ timeout: 300 });
    await pass(300);
    expect(await stopped).toEqual([1, 3, 2]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(clock.timers).toBe(0);
  });

  it('does each job at least once, whatever fails', async () => {
    const random = new Random(5);
    const done = new Map<number, number>();
    const { queue, pass } = make({
      concurrency: 7,
      timeout: 500,
      run: (payload) => {
        const luck = random.next();
        if (luck < 0.2) throw new Error('thrown');
        if (luck < 0.4) return Promise.reject(new Error('rejected'));
        if (luck < 0.45) return never();
        done.set(payload, (done.get(payload) ?? 0) + 1);
        return undefined;
      },
    });
    for (let payload = 0; payload < 500; payload++) await queue.push(payload);
    for (let i = 0; i < 400; i++) await pass(50);
    const { deadLetters, counts } = queue;
    expect(counts).toMatchObject({ waiting: 0, delayed: 0, running: 0 });
    for (const { payload } of deadLetters) expect(done.has(payload)).toBe(false);
    expect(done.size + deadLetters.length).toBe(500);
    expect([...done.values()].every((times) => times === 1)).toBe(true);
  });

  it('refuses options that it does not know', async () => {
    const { queue } = make({});
    const given = (options: object) => () => new JobQueue(options as never);
    expect(await codeOf(given({ run() {}, retry: [] }))).toBe('ERR_RINGPOLL_UNKNOWN_OPTION');
    expect(await codeOf(given({}))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(await codeOf(given({ run() {}, retries: [-1] }))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(await codeOf(() => queue.push(1, { key: '' }))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  });
});

describe('keys', () => {
  it('let one of many jobs through, until they are over', async () => {
    const { queue, pass } = make({ keyTime: 1000 });
    const push = () => queue.push(1, { key: 'a' });
    expect(await Promise.all([push(), push(), push()])).toEqual([true, false, false]);
    await pass(999);
    expect(await push()).toBe(false);
    await pass(1);
    expect(await push()).toBe(true);
    expect(queue.counts.duplicates).toBe(3);
  });

  it('of dead letters may come again', async () => {
    const { queue, pass } = make({ retries: [], run: () => Promise.reject(new Error('no')) });
    await queue.push(1, { key: 'a' });
    await pass(0);
    expect(await queue.push(1, { key: 'a' })).toBe(true);
  });

  it('of a store that answers late, or fails, keep the queue in order', async () => {
    let answer: (claimed: boolean) => void = () => {};
    const released: string[] = [];
    const keys: KeyStore = {
      claim: (key) =>
        key === 'bad'
          ? Promise.reject(new Error('store'))
          : new Promise((resolve) => {
              answer = resolve;
            }),
      release: (key) => void released.push(key),
    };
    const { queue } = make({ keys });
    await expect(queue.push(1, { key: 'bad' })).rejects.toThrow('store');
    const first = queue.push(1, { key: 'a' });
    const stopped = queue.stop();
    answer(true);
    expect(await first).toBe(true);
    await stopped;
    expect(queue.counts.done).toBe(1);

    const { queue: other } = make({ keys });
    const second = codeOf(() => other.push(1, { key: 'b' }));
    other.destroy();
    answer(true);
    expect(await second).toBe('ERR_RINGPOLL_QUEUE_CLOSED');
    expect(released).toEqual(['b']);
  });

  it('in memory stay within their bound', () => {
    const clock = new VirtualClock();
    const keys = new MemoryKeys({ max: 100, clock });
    for (let i = 0; i < 10_000; i++) {
      expect(keys.claim(`${i}`, 1000)).toBe(true);
      expect(keys.size).toBeLessThanOrEqual(100);
    }
    expect(keys.claim('9999', 1000)).toBe(false);
    clock.advance(1000);
    for (let i = 0; i < 10; i++) keys.claim(`new ${i}`, 1000);
    expect(keys.size).toBeLessThan(20);
  });
});
