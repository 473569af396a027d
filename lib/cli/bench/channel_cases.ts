// What the scheduler's queues cost in JavaScript.
import { Channel } from '../../scheduler/index.js';
import { type BenchCase, now } from './case.js';

const BUFFER = 1024;

/** A value through a buffered channel with nobody waiting: no promise has to settle late. */
const buffered: BenchCase = {
  group: 'scheduler',
  name: 'channel, buffered send and receive',
  async run(operations) {
    const channel = new Channel<number>(BUFFER);
    const start = now();
    for (let done = 0; done < operations; done += BUFFER) {
      const count = Math.min(BUFFER, operations - done);
      for (let value = 0; value < count; value++) await channel.send(value);
      for (let value = 0; value < count; value++) await channel.receive();
    }
    return { elapsedNs: now() - start, bytes: 0 };
  },
};

/** Two parties that meet at an unbuffered channel. */
const meeting: BenchCase = {
  group: 'scheduler',
  name: 'channel, unbuffered hand-over',
  async run(operations) {
    const channel = new Channel<number>();
    const send = async () => {
      for (let value = 0; value < operations; value++) await channel.send(value);
    };
    const receive = async () => {
      for (let value = 0; value < operations; value++) await channel.receive();
    };
    const start = now();
    await Promise.all([send(), receive()]);
    return { elapsedNs: now() - start, bytes: 0 };
  },
};

export const channelCases = [buffered, meeting];
