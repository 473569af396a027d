// connection.transfer(): from thread to thread of a group, with all that is under way.
import { connect as connectTls } from 'node:tls';
import { listen } from 'ringpoll';
import { LoopGroup, type LoopGroupOptions } from 'ringpoll/threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { first } from '../support/tls/credentials.js';

const MODULE = new URL('../support/group/transfers.mjs', import.meta.url);
const SEED = Number(process.env.RINGPOLL_SEED ?? 20261127);

async function startGroup(data: object = {}, options: LoopGroupOptions = {}): Promise<LoopGroup> {
  const group = new LoopGroup(MODULE, { threads: 2, balance: 'round-robin', data, ...options });
  onTestFinished(() => group.stop({ timeout: 100 }));
  return await group.start();
}

const addressOf = (group: LoopGroup, listener: number) => group.addresses[listener]!;

/** The first connection of a group is its first thread's. */
async function onFirst(group: LoopGroup): Promise<Peer> {
  const peer = await connectPeer(addressOf(group, 0));
  peer.send('hello\n');
  await peer.receivedUntil('0: made-0 open-0\n');
  return peer;
}

/** Asks until the answer is as it should be. */
async function until(peer: Peer, question: string, answer: string): Promise<void> {
  while (!peer.text.includes(answer)) {
    const { bytes } = peer;
    peer.send(question);
    await peer.received(bytes + 1);
  }
}

// Threads take their time to start on a busy machine.
describe('connection.transfer()', { timeout: 30_000 }, () => {
  it('takes a connection to another thread and back, and calls open and close once', async () => {
    const group = await startGroup();
    const peer = await onFirst(group);
    peer.send('to 1\nhello\n');
    await peer.receivedUntil('1: made-0 open-0 made-1 came-1\n');
    // The thread that has given it counts it no more when its turn is over.
    await expect.poll(() => group.reports().map(({ connections }) => connections)).toEqual([0, 1]);
    peer.send('to 0\n');
    peer.send('hello\n');
    await peer.receivedUntil('0: made-0 open-0 made-1 came-1 made-0 came-0\n');
    const { loop } = await group.metrics();
    expect(loop).toMatchObject({ arrived: 2, departed: 2 });
    // To itself, too.
    peer.send('to 0\nhello\n');
    await peer.receivedUntil('came-0 made-0 came-0\n');
    peer.end();
    await peer.untilEnd();
  });

  it('delivers unread bytes there, in front of what comes behind them', async () => {
    const group = await startGroup();
    const peer = await onFirst(group);
    peer.send('to 1\nhello\nsecond\n');
    await peer.receivedUntil('1: made-0 open-0 made-1 came-1\n1: made-0 open-0 made-1 came-1\n');
  });

  it('waits until all that was written has left, and refuses writes meanwhile', async () => {
    const group = await startGroup();
    const peer = await onFirst(group);
    const before = peer.bytes;
    peer.socket.pause();
    // It has to wait until somebody reads.
    peer.send('flood 1\n');
    peer.send('hello\n');
    peer.socket.resume();
    await peer.received(before + 8_000_000);
    const answer = '1: made-0 open-0 made-1 came-1\n';
    const text = await peer.receivedUntil(answer);
    expect(text.slice(before) === 'f'.repeat(8_000_000) + answer).toBe(true);
    peer.send('to 0\nseen\n');
    await peer.receivedUntil('seen ERR_RINGPOLL_TRANSFER_REFUSED\n');
  });

  it('rejects, and stays where it was, when it cannot go', async () => {
    const group = await startGroup();
    const peer = await onFirst(group);
    peer.send('tries\n');
    await peer.receivedUntil(
      [
        'ERR_RINGPOLL_OUT_OF_RANGE ERR_RINGPOLL_OUT_OF_RANGE ERR_RINGPOLL_OUT_OF_RANGE',
        'ERR_RINGPOLL_INVALID_ARG_TYPE ERR_RINGPOLL_INVALID_ARG_TYPE',
        'ERR_RINGPOLL_UNKNOWN_OPTION ERR_RINGPOLL_INVALID_ARG_VALUE ERR_RINGPOLL_OUT_OF_RANGE',
        'ERR_RINGPOLL_INVALID_ARG_TYPE ERR_RINGPOLL_OUT_OF_RANGE\n',
      ].join(' '),
    );
    peer.send('hello\n');
    await peer.receivedUntil('0: made-0 open-0\n');
    peer.send('twice 1\nhello\n');
    await peer.receivedUntil('1: made-0 open-0 made-1 came-1\n');
    peer.send('to 0\nseen\n');
    await peer.receivedUntil('seen ERR_RINGPOLL_TRANSFER_REFUSED\n');
    // Ended meanwhile: it stays, and ends.
    peer.send('ends 1\n');
    await peer.untilEnd();
    peer.end();
    // Thread 1 has the next one.
    await connectPeer(addressOf(group, 0));
    const other = await connectPeer(addressOf(group, 0));
    const codes = 'seen ERR_RINGPOLL_TRANSFER_REFUSED ERR_RINGPOLL_TRANSFER_REFUSED closed\n';
    await until(other, 'seen\n', codes);
  });

  it('refuses connections that speak TLS, and those that are no group’s', async () => {
    const { key, cert } = first;
    const group = await startGroup({ tls: { key, cert } });
    const socket = connectTls({
      host: '127.0.0.1',
      port: (addressOf(group, 2) as { port: number }).port,
      rejectUnauthorized: false,
    });
    onTestFinished(() => void socket.destroy());
    let text = '';
    const answered = new Promise<void>((resolve) => {
      socket.on('data', (bytes) => {
        text += bytes;
        if (text.includes('\n')) resolve();
      });
    });
    socket.write('to 1\n');
    await within(answered, () => text);
    expect(text).toBe('ERR_RINGPOLL_TRANSFER_REFUSED\n');

    const codes: unknown[] = [];
    const alone = listen({
      host: '127.0.0.1',
      port: 0,
      data: (connection) =>
        connection.transfer(0).catch((error) => {
          codes.push(error.code);
          connection.end('bye');
        }),
    });
    onTestFinished(() => alone.destroy());
    const peer = await connectPeer(alone.address);
    peer.send('x');
    await peer.untilEnd();
    expect(codes).toEqual(['ERR_RINGPOLL_TRANSFER_REFUSED']);
  });

  it('refuses a thread that has crashed and does not serve again yet', async () => {
    const group = await startGroup({ stuck: true }, { crash: () => {} });
    const peer = await onFirst(group);
    const other = await connectPeer(addressOf(group, 0));
    other.send('crash\n');
    await other.untilOver();
    peer.send('to 1\nhello\n');
    await peer.receivedUntil('ERR_RINGPOLL_TRANSFER_REFUSED\n0: made-0 open-0\n');
  });

  it('ends a connection that came, when its group stops or reloads', async () => {
    const group = await startGroup();
    const peer = await onFirst(group);
    peer.send('to 1\nhello\n');
    await peer.receivedUntil('came-1\n');
    peer.socket.on('end', () => peer.end());
    await group.reload();
    await peer.untilEnd();
    const second = await connectPeer(addressOf(group, 0));
    second.send('to 0\nto 1\nhello\n');
    await second.receivedUntil('came-1\n');
    second.socket.on('end', () => second.end());
    await group.stop();
    await second.untilEnd();
  });

  it(`loses no byte at random, seed ${SEED}`, async () => {
    const group = await startGroup({ seed: SEED });
    const sends = Array.from({ length: 12 }, (_, of) => {
      const bytes = Buffer.alloc(600_000);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (of * 131 + i * 7 + (i >> 8) * 29) & 0xff;
      return bytes;
    });
    const peers = await Promise.all(sends.map(() => connectPeer(addressOf(group, 1))));
    await Promise.all(
      peers.map(async (peer, i) => {
        const bytes = sends[i]!;
        for (let at = 0; at < bytes.length; ) {
          const piece = bytes.subarray(at, at + 1 + ((at * 7919) % 50_000));
          at += piece.length;
          peer.send(piece);
          await peer.received(Math.max(0, at - 100_000));
        }
        await peer.received(bytes.length);
        expect(Buffer.concat(peer.chunks).equals(bytes)).toBe(true);
        peer.end();
        await peer.untilEnd();
      }),
    );
    const { loop } = await group.metrics();
    expect(loop.arrived).toBeGreaterThan(12);
    expect(loop.arrived).toBe(loop.departed);
  });
});
