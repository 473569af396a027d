// select(): exactly one of its operations happens, and chance chooses among those that can.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Channel,
  HybridScheduler,
  receiveFrom,
  select,
  sendTo,
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

function seeded(seed: number): () => number {
  const source = new Random(seed);
  return () => source.next();
}

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

describe('select()', () => {
  it('takes what is possible now', async () => {
    const [one, other] = [new Channel<number>(1), new Channel<number>(1)];
    await other.send(5);
    expect(await select([receiveFrom(one), receiveFrom(other)])).toEqual({ index: 1, value: 5 });
    expect(await select([receiveFrom(one), sendTo(other, 6)])).toEqual({
      index: 1,
      value: undefined,
    });
    expect(await other.receive()).toBe(6);
  });

  it('waits for the first, and leaves the others alone', async () => {
    const [one, other] = [new Channel<number>(), new Channel<number>()];
    const chosen = select([receiveFrom(one), receiveFrom(other), sendTo(one, 9)]);
    expect(await isPending(chosen)).toBe(true);
    await other.send(3);
    expect(await chosen).toEqual({ index: 1, value: 3 });
    for (const channel of [one, other]) {
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    }
  });

  it('meets another select', async () => {
    const channel = new Channel<string>();
    const spare = new Channel<string>();
    const [sent, received] = await Promise.all([
      select([receiveFrom(spare), sendTo(channel, 'hello')]),
      select([receiveFrom(channel), receiveFrom(spare)]),
    ]);
    expect([sent.index, received]).toEqual([1, { index: 0, value: 'hello' }]);
  });

  it('takes each of the possible arms as often, in a loop with two selects too', async () => {
    const rounds = 3000;
    const fresh = () => [0, 1, 2].map(() => new Channel<number>(1));
    const seeds = { one: seeded(1), other: seeded(2) };
    const groups = [
      { channels: fresh(), random: seeds.one, counts: [0, 0, 0] },
      { channels: fresh(), random: seeds.other, counts: [0, 0, 0] },
    ];
    // The last arm of each is never possible.
    for (const { channels } of groups)
      for (const channel of channels.slice(0, 2)) await channel.send(1);
    for (let round = 0; round < rounds; round++) {
      for (const { channels, random, counts } of groups) {
        const { index } = await select(channels.map(receiveFrom), { random });
        counts[index]++;
        await channels[index]!.send(1);
      }
    }
    // Five standard deviations of a fair coin.
    const bound = 5 * Math.sqrt(rounds / 4);
    for (const { counts } of groups) {
      expect(Math.abs(counts[0]! - rounds / 2)).toBeLessThan(bound);
      expect(counts[0]! + counts[1]!).toBe(rounds);
    }
  });

  it('chooses by Math.random unless told otherwise', async () => {
    const rounds = 2000;
    const channels = [0, 1, 2].map(() => new Channel<number>(rounds));
    for (const channel of channels) for (let n = 0; n < rounds; n++) await channel.send(n);
    const counts = [0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      counts[(await select(channels.map(receiveFrom))).index]++;
      await select([receiveFrom(channels[0]!), receiveFrom(channels[1]!)], { timeout: 0 });
    }
    // A third of them each; one run in some million is beyond these bounds.
    const bound = 5.5 * Math.sqrt((rounds * 2) / 9);
    for (const count of counts) expect(Math.abs(count - rounds / 3)).toBeLessThan(bound);
  });

  it('makes the same choices again with the same source, also the scheduler’s', async () => {
    const choices = async (options: { seed: number; ofScheduler: boolean }) => {
      const { seed, ofScheduler } = options;
      const random = seeded(seed);
      const scheduler = new HybridScheduler(ofScheduler ? { random } : {});
      const channels = [0, 1, 2, 3].map(() => new Channel<number>(100));
      for (const channel of channels) for (let n = 0; n < 100; n++) await channel.send(n);
      const result = await scheduler.run(async (context) => {
        const own = ofScheduler ? { context } : { context, random };
        const taken: number[] = [];
        for (let round = 0; round < 60; round++) {
          taken.push((await select(channels.map(receiveFrom), own)).index);
        }
        return taken.join('');
      });
      await scheduler.close();
      return result;
    };
    const first = await choices({ seed: 7, ofScheduler: true });
    expect(await choices({ seed: 7, ofScheduler: true })).toBe(first);
    expect(await choices({ seed: 7, ofScheduler: false })).toBe(first);
    expect(await choices({ seed: 8, ofScheduler: true })).not.toBe(first);
  });

  it.each([1, -1, 5, Number.NaN])('survives a source that answers %d', async (value) => {
    const channels = [0, 1].map(() => new Channel<number>(1));
    await channels[1]!.send(4);
    const options = { random: () => value };
    expect(await select(channels.map(receiveFrom), options)).toEqual({ index: 1, value: 4 });
    const careless = { random: 1 as unknown as () => number };
    await expect(select(channels.map(receiveFrom), careless)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_INVALID_ARG_TYPE',
    });
    expect(() => new HybridScheduler(careless)).toThrow(/options.random/);
  });

  it('stops waiting at its timeout', async () => {
    const channel = new Channel<number>();
    const timedOut = { index: -1, value: undefined };
    expect(await select([receiveFrom(channel)], { timeout: 0 })).toEqual(timedOut);
    const task = scheduler.run((context) =>
      select([receiveFrom(channel)], { context, timeout: 20 }),
    );
    await loopTurn();
    clock.advance(20);
    expect(await task).toEqual(timedOut);
    expect(channel.waiting.receivers).toBe(0);
    expect(await select([receiveFrom(channel)], { timeout: 1 })).toEqual(timedOut);
  });

  it('comes true on a closed channel to receive from, and rejects on one to send to', async () => {
    const channel = new Channel<number>();
    const receiving = select([receiveFrom(channel)]);
    const sending = select([sendTo(channel, 1), receiveFrom(new Channel<number>())]);
    // The two meet before the channel is closed.
    expect(await receiving).toEqual({ index: 0, value: 1 });
    await sending;
    const waiting = select([sendTo(channel, 1)]);
    const rejected = expect(waiting).rejects.toMatchObject(CLOSED);
    channel.close();
    await rejected;
    expect(await select([receiveFrom(channel)])).toEqual({ index: 0, value: undefined });
    await expect(select([sendTo(channel, 1)])).rejects.toMatchObject(CLOSED);
  });

  it('leaves all channels when its task is cancelled', async () => {
    const channels = [new Channel<number>(), new Channel<number>()];
    const task = scheduler.spawn((context) => select(channels.map(receiveFrom), { context }));
    await loopTurn();
    expect(channels.map(({ waiting }) => waiting.receivers)).toEqual([1, 1]);
    task.cancel('enough');
    await expect(task.promise).rejects.toBe('enough');
    expect(channels.map(({ waiting }) => waiting.receivers)).toEqual([0, 0]);
  });
});
