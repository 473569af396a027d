// WebSockets in numbers: slow readers beside honest ones, upgrades that are cut anywhere, a worker
// that ends with a thousand subscribers.
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { connect, Loop } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, connectPeers, type Peer } from '../support/peer.js';
import { programPath } from '../support/program.js';
import { Random } from '../support/random.js';
import { within } from '../support/recorder.js';
import { pattern } from '../support/serve.js';
import { dialSocket, SocketLog, serveSockets, upgradeHead } from '../support/websocket.js';

const MB = 1024 * 1024;
const TEST_MS_MAX = 60_000;
const WAIT_MS_MAX = 40_000;
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate';
const HEAD = upgradeHead('/', DEFLATE);

const settled = () => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
};
/** The same but for V8's young generation: that doubles when enough has outlived it. */
const settledButYoung = () => {
  const rss = settled();
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return rss - young!.physical_space_size;
};
const descriptors = () =>
  existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : undefined;

/** A WebSocket of node:net that counts the bytes behind its handshake, and keeps none. */
async function countingPeer(port: number): Promise<{ peer: Peer; bytes(): number }> {
  const peer = await connectPeer({ port });
  peer.send(HEAD);
  const head = (await peer.receivedUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
  peer.socket.on('data', () => {
    peer.forget();
  });
  return { peer, bytes: () => peer.bytes - head };
}

/** Echoes of 64 bytes, one after the other, until `done`; gives the longest wait, in ms. */
async function honest(url: string, done: () => boolean): Promise<number> {
  const log = new SocketLog();
  const client = await dialSocket<never>(url, log.handlers);
  let longest = 0;
  for (let count = 1; !done(); count++) {
    const start = performance.now();
    client.send(`${count}`.padStart(64));
    await log.until(() => log.messages.length > 0);
    longest = Math.max(longest, performance.now() - start);
    expect(log.messages.splice(0)).toEqual([`${count}`.padStart(64)]);
  }
  return longest;
}

describe('100 MB for one client that reads slowly', () => {
  const TOTAL = 100 * MB;
  const piece = pattern(64 * 1024);
  const PIECES = TOTAL / piece.length;
  /** Of a server's frame of this length. */
  const HEADER_BYTES = 10;

  it(
    'arrive, in little memory, while others are served',
    async () => {
      let pendingMax = 0;
      const { url, server } = serveSockets<(() => void) | undefined>({
        upgrade: ({ query }) => ({ data: query === 'slow' ? () => {} : undefined }),
        async open(socket) {
          if (socket.data === undefined) return;
          for (let i = 0; i < PIECES; i++) {
            const more = socket.send(piece);
            pendingMax = Math.max(pendingMax, socket.pendingBytes);
            if (more) continue;
            await new Promise<void>((resolve) => {
              socket.data = resolve;
            });
          }
          socket.close(1000);
        },
        drain: (socket) => socket.data?.(),
        message: (socket, message) => socket.send(message),
      });
      const before = settled();
      const slow = await connectPeer({ port: server.port! });
      slow.send(upgradeHead('/?slow', DEFLATE));
      let rssMax = 0;
      let unpaused = 0;
      slow.socket.on('data', ({ length }) => {
        slow.forget();
        unpaused += length;
        if (unpaused < MB) return;
        unpaused = 0;
        rssMax = Math.max(rssMax, process.memoryUsage.rss());
        slow.socket.pause();
        setTimeout(() => slow.socket.resume(), 1);
      });
      const waits = Promise.all([1, 2, 3, 4].map(() => honest(url, () => slow.ended)));
      await within(once(slow.socket, 'end'), () => `the end; ${slow.bytes} bytes`, WAIT_MS_MAX);
      const head = slow.bytes - PIECES * (piece.length + HEADER_BYTES) - 4;
      expect(head).toBeGreaterThan(0);
      expect(head).toBeLessThan(1024);
      // Twice as much would be all of what waits in the kernel and here: the rest has to wait.
      expect(pendingMax).toBeLessThan(MB);
      expect(rssMax - before).toBeLessThan(TOTAL / 2);
      expect(Math.max(...(await waits))).toBeLessThan(2000);
    },
    TEST_MS_MAX,
  );

  it.each(['close', 'drop'] as const)(
    'published, with overload %s, cost no more than the limit, and the others get all of them',
    async (overload) => {
      const LIMIT = 4 * MB;
      const { server } = serveSockets<never>({
        backpressureLimit: LIMIT,
        overload,
        open: (socket) => socket.subscribe('all'),
      });
      const stalled = await countingPeer(server.port!);
      const readers = [await countingPeer(server.port!), await countingPeer(server.port!)];
      stalled.peer.socket.pause();
      const before = settled();
      const { webSocketDropped } = Loop.current().metrics();
      let rssMax = 0;
      let slabsMax = 0; // of a megabyte each: the server's own memory
      const frame = piece.length + HEADER_BYTES;
      for (let i = 1; i <= PIECES; i++) {
        server.publish('all', piece);
        // As fast as the two read: they are to miss nothing.
        if (i % 16 === 0) {
          await Promise.all(readers.map(({ peer }) => peer.received(peer.bytes + 1)));
          const all = () => readers.every(({ bytes }) => bytes() === i * frame);
          while (!all()) await new Promise(setImmediate);
          rssMax = Math.max(rssMax, process.memoryUsage.rss());
          slabsMax = Math.max(slabsMax, Loop.current().metrics().arenaSlabs!);
        }
      }
      expect(readers.map(({ bytes }) => bytes())).toEqual([PIECES * frame, PIECES * frame]);
      expect(slabsMax).toBeLessThan(32);
      // With what the readers here have received and nobody has collected yet.
      expect(rssMax - before).toBeLessThan(0.8 * TOTAL);
      expect(Loop.current().metrics().webSocketDropped).toBeGreaterThan(webSocketDropped!);
      expect(server.subscriberCount('all')).toBe(overload === 'close' ? 2 : 3);
      stalled.peer.destroy();
    },
    TEST_MS_MAX,
  );

  it(
    'published, with overload wait, come to a slow one too, as soon as it reads',
    async () => {
      const published = 16 * MB;
      const count = published / piece.length;
      const { server } = serveSockets<never>({
        backpressureLimit: MB,
        overload: 'wait',
        open: (socket) => socket.subscribe('all'),
      });
      const { peer, bytes } = await countingPeer(server.port!);
      peer.socket.pause();
      const { webSocketDropped } = Loop.current().metrics();
      for (let i = 0; i < count; i++) expect(server.publish('all', piece)).toBe(1);
      expect(Loop.current().metrics().webSocketDropped).toBe(webSocketDropped);
      expect(server.subscriberCount('all')).toBe(1);
      peer.socket.resume();
      const total = count * (piece.length + HEADER_BYTES);
      while (bytes() < total) await peer.received(peer.bytes + 1);
      expect(bytes()).toBe(total);
    },
    TEST_MS_MAX,
  );
});

/** A frame of a client, masked by zeros. */
function frame(first: number, length: number): Buffer {
  const head = Buffer.from([first, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.alloc(length, 'a')]);
}

describe('10,000 upgrades that are cut somewhere', () => {
  const CONNECTIONS = 10_000;
  const AT_A_TIME = 50;
  const WARM_UP = 2000;
  const seed = Number(process.env.RINGPOLL_SEED ?? Date.now() % 1_000_000);
  /** Behind the handshake: text, a message in two fragments around a ping, a close frame. */
  const whole = Buffer.concat([
    Buffer.from(HEAD),
    frame(0x81, 300),
    frame(0x01, 5000),
    Buffer.from([0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4]),
    frame(0x80, 700),
    Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]),
  ]);

  it(
    `leave nothing behind (seed ${seed})`,
    async () => {
      const random = new Random(seed);
      const counts = { opens: 0, closes: 0 };
      const { server } = serveSockets<never>({
        perMessageDeflate: true,
        open(socket) {
          counts.opens += 1;
          socket.subscribe(`topic ${counts.opens % 100}`);
        },
        message: (socket, message) => socket.send(message),
        error() {},
        close() {
          counts.closes += 1;
        },
      });
      const one = (bytes: Buffer, reset: boolean) =>
        new Promise<void>((resolve, reject) => {
          connect({
            host: '127.0.0.1',
            port: server.port!,
            open(connection) {
              connection.write(bytes);
              if (!reset) connection.end();
              else setImmediate(() => connection.reset());
            },
            data() {},
            close: () => resolve(),
            error() {},
          }).catch(reject);
        });
      let next = 0;
      const upTo = async (limit: number) => {
        const worker = async () => {
          while (next < limit) {
            next += 1;
            const inHead = random.chance(0.5);
            const end = inHead ? random.below(HEAD.length) + 1 : random.below(whole.length) + 1;
            await one(whole.subarray(0, end), random.chance(0.5));
          }
        };
        await Promise.all(Array.from({ length: AT_A_TIME }, worker));
        while (server.connections > 0) await new Promise(setImmediate);
      };
      await upTo(WARM_UP);
      const before = { bytes: settledButYoung(), descriptors: descriptors() };
      await upTo(CONNECTIONS);
      expect(counts.opens).toBeGreaterThan(CONNECTIONS / 10);
      expect(counts.closes).toBe(counts.opens);
      expect(Loop.current().metrics().webSocketConnections).toBe(0);
      for (let i = 0; i < 100; i++) expect(server.subscriberCount(`topic ${i}`)).toBe(0);
      expect(descriptors()).toBe(before.descriptors);
      // 2 KB for each of them would be 16 MB.
      expect(settledButYoung() - before.bytes).toBeLessThan(16 * MB);
    },
    TEST_MS_MAX,
  );
});

describe('a worker with 1,000 subscribers', () => {
  const SUBSCRIBERS = 1000;

  it(
    'may be terminated while it publishes: every subscriber sees the end',
    async () => {
      const before = descriptors();
      const worker = new Worker(programPath('websocket_worker'), {
        workerData: { subscribers: SUBSCRIBERS },
      });
      onTestFinished(async () => {
        await worker.terminate();
      });
      const message = async () => (await within(once(worker, 'message'), () => 'the worker'))[0];
      const { port } = await message();
      const peers: Peer[] = [];
      while (peers.length < SUBSCRIBERS) {
        const more = await connectPeers({ port }, 100);
        for (const peer of more) peer.send(HEAD);
        peers.push(...more);
      }
      expect(await message()).toEqual({ publishes: SUBSCRIBERS });
      await Promise.all(peers.map((peer) => peer.received(10_000)));
      expect(await worker.terminate()).toBe(1);
      await Promise.all(peers.map((peer) => peer.untilOver()));
      for (const peer of peers) peer.destroy();
      await Promise.all(peers.map((peer) => peer.untilClosed()));
      expect(descriptors()).toBe(before);
      // The loop of this thread has nothing to do with it.
      const log = new SocketLog();
      const { url } = serveSockets<never>({ message: (socket, text) => socket.send(text) });
      const client = await dialSocket<never>(url, log.handlers);
      client.send('still here');
      expect(await log.received(1)).toEqual(['still here']);
      client.close(1000);
      await log.closed();
    },
    TEST_MS_MAX,
  );
});
