// Flushes of many connections: where the ring runs, it sends for all of them in one call. What
// peers receive is the same as without it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Connection, Loop } from 'ringpoll';
import { open } from 'ringpoll/fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeers } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { addressOf, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const PEERS = 100;
const loop = Loop.current();
const together = () => loop.metrics().sendsTogether;
const usesRing = () => loop.engine !== 'poll';

/** So many connections, in the order in which they were accepted, and their peers in any order. */
async function crowd(count: number) {
  const connections: Connection[] = [];
  const closed = new Set<Connection>();
  const drained: Connection[] = [];
  const listener = serve({
    open: (connection) => void connections.push(connection),
    drain: (connection) => void drained.push(connection),
    close: (connection) => void closed.add(connection),
    error() {},
    data() {},
  });
  const peers = await connectPeers(addressOf(listener), count);
  while (connections.length < count) await roundTrips(1);
  return { connections, closed, drained, peers };
}

describe('a flush of many connections', () => {
  it('reaches every peer, in order', async () => {
    const { connections, peers } = await crowd(PEERS);
    const before = together();
    let expected = '';
    for (let round = 0; round < 30; round++) {
      for (const connection of connections) {
        connection.write(`${round}:`);
        connection.write('b'.repeat(round * 10));
      }
      expected += `${round}:${'b'.repeat(round * 10)}`;
      await peers[round].received(expected.length);
    }
    for (const peer of peers) expect(await peer.received(expected.length)).toBe(expected);
    const sent = together() - before;
    if (usesRing()) expect(sent).toBeGreaterThan(PEERS);
    else expect(sent).toBe(0);
  });

  it('leaves a flush of few connections to a call for each', async () => {
    const { connections, peers } = await crowd(10);
    const before = together();
    for (const connection of connections) connection.write('few');
    for (const peer of peers) expect(await peer.received(3)).toBe('few');
    expect(together()).toBe(before);
  });

  it('keeps what sockets have no room for, and says when to go on', async () => {
    const { connections, drained, peers } = await crowd(35);
    const slow = peers.slice(0, 3);
    for (const { socket } of slow) socket.pause();
    const before = together();
    const piece = pattern(6000);
    const full = new Set<Connection>();
    let rounds = 0;
    for (; full.size < slow.length && rounds < 5000; rounds++) {
      for (const connection of connections) if (!connection.write(piece)) full.add(connection);
      await setImmediate();
    }
    expect(full.size).toBe(slow.length);
    if (usesRing()) expect(together() - before).toBeGreaterThan(rounds);
    for (const { socket } of slow) socket.resume();
    const whole = Buffer.concat(new Array(rounds).fill(piece));
    for (const peer of peers) {
      await peer.received(whole.length);
      expect(Buffer.concat(peer.chunks).equals(whole)).toBe(true);
    }
    const allDrained = (async () => {
      while (drained.length < slow.length) await setImmediate();
    })();
    await within(allDrained, () => `${drained.length} drained`);
    expect(new Set(drained)).toEqual(full);
  });

  it('closes those whose peers have reset, and serves the others', async () => {
    const { connections, closed, peers } = await crowd(PEERS);
    const gone = peers.filter((_, index) => index % 2 === 0);
    const left = peers.filter((_, index) => index % 2 === 1);
    for (const peer of gone) peer.reset();
    let expected = '';
    for (let round = 0; round < 5; round++) {
      for (const connection of connections) connection.write(`${round};`);
      expected += `${round};`;
      await roundTrips(1);
    }
    for (const peer of left) expect(await peer.received(expected.length)).toBe(expected);
    const allGone = (async () => {
      while (closed.size < gone.length) await roundTrips(1);
    })();
    await within(allGone, () => `${closed.size} of ${gone.length} closed`);
    expect(closed.size).toBe(gone.length);
  });

  it('loses nothing else that the ring completes meanwhile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-together-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'file');
    const bytes = pattern(8000);
    writeFileSync(path, bytes);
    const file = await open(path, 'r', undefined, { engine: 'uring' });
    const { connections, peers } = await crowd(PEERS);
    const read = async () => {
      const buffer = Buffer.alloc(bytes.length);
      const { bytesRead } = await file.read(buffer, 0, bytes.length, 0, { engine: 'uring' });
      return bytesRead === bytes.length && buffer.equals(bytes);
    };
    let expected = '';
    for (let round = 0; round < 20; round++) {
      const reads = Array.from({ length: 10 }, read);
      for (const connection of connections) connection.write(`${round};`);
      expected += `${round};`;
      expect(await Promise.all(reads)).toEqual(new Array(10).fill(true));
    }
    for (const peer of peers) expect(await peer.received(expected.length)).toBe(expected);
    await file.close();
  });

  it('ends connections behind what was written', async () => {
    const { connections, peers } = await crowd(PEERS);
    for (const connection of connections) connection.end('last words');
    for (const peer of peers) expect(await peer.untilEnd()).toBe('last words');
  });
});
