import { createHash } from 'node:crypto';
import type { Connection } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { bothSides, pair, pattern } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const MB = 1_000_000;
const BLOCK = pattern(MB);

const digest = (chunks: readonly Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
};

describe('a slow reader', () => {
  it('with 100 MB pending loses nothing, although the writer ignores false', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const answers = Array.from({ length: 100 }, () => server.connection.write(BLOCK));
    expect(answers.at(-1)).toBe(false);
    expect(server.connection.pendingBytes).toBeGreaterThan(80 * MB);
    expect(server.connection.pendingBytes).toBeLessThanOrEqual(100 * MB);
    server.connection.end();
    peer.socket.resume();
    await peer.untilEnd();
    expect(peer.bytes).toBe(100 * MB);
    expect(digest(peer.chunks)).toBe(digest(Array(100).fill(BLOCK)));
    expect(server.connection.bytesWritten).toBe(100 * MB);
    expect(server.count('drain')).toBe(1);
  });

  it('with 100 MB of strings pending loses nothing', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const text = 'ä'.repeat(500_000);
    for (let count = 0; count < 100; count += 1) server.connection.write(text);
    server.connection.end();
    peer.socket.resume();
    await peer.untilEnd();
    expect(peer.bytes).toBe(100 * MB);
    expect(digest(peer.chunks)).toBe(digest(Array(100).fill(Buffer.from(text))));
  });

  it('holds up an obedient writer: at most highWaterMark and one write wait', async () => {
    const highWaterMark = 256 * 1024;
    const piece = pattern(10_000);
    const total = 3000;
    let written = 0;
    let pendingMax = 0;
    const fill = (connection: Connection) => {
      while (written < total) {
        written += 1;
        const room = connection.write(piece);
        pendingMax = Math.max(pendingMax, connection.pendingBytes);
        if (!room) return;
      }
      connection.end();
    };
    const { peer, server } = await pair({ open: fill, drain: fill }, { highWaterMark });
    peer.socket.pause();
    await roundTrips(); // the buffers of the kernel are filled over some turns
    expect(written).toBeLessThan(total);
    peer.socket.resume();
    await peer.untilEnd();
    expect(peer.bytes).toBe(total * piece.length);
    expect(digest(peer.chunks)).toBe(digest(Array(total).fill(piece)));
    expect(pendingMax).toBeGreaterThan(highWaterMark / 2);
    expect(pendingMax).toBeLessThanOrEqual(highWaterMark + piece.length);
    expect(server.count('drain')).toBeGreaterThan(0);
  });
});

describe('write()', () => {
  it('answers true up to highWaterMark and false beyond', async () => {
    const { server } = await pair({}, { highWaterMark: 1000 });
    const { connection } = server;
    // Corked, or else the kernel may have taken some before the next line.
    connection.cork();
    expect(connection.write('x'.repeat(1000))).toBe(true);
    expect(connection.pendingBytes).toBe(1000);
    expect(connection.write('x')).toBe(false);
    expect(connection.pendingBytes).toBe(1001);
    connection.uncork();
    await server.until('drain');
    expect(connection.pendingBytes).toBeLessThanOrEqual(500);
    expect(connection.write('x')).toBe(true);
  });

  it('is followed by one drain, not one for each false', async () => {
    const { peer, server } = await pair({}, { highWaterMark: 1000 });
    const answers = server.connection.cork(() =>
      Array.from({ length: 100 }, () => server.connection.write('x'.repeat(100))),
    );
    expect(answers.filter((room) => !room)).toHaveLength(90);
    await peer.received(10_000);
    await server.until('drain');
    server.connection.write('y');
    await peer.received(10_001);
    expect(server.count('drain')).toBe(1);
  });

  it('that answered true is followed by no drain', async () => {
    const { peer, server } = await pair();
    server.connection.write('x');
    await peer.received(1);
    server.connection.write('y');
    await peer.received(2);
    expect(server.count('drain')).toBe(0);
  });

  it('in a drain handler that answers false again is followed by another drain', async () => {
    let rounds = 0;
    const fill = (connection: Connection) => {
      expect(connection.cork(() => connection.write('x'.repeat(100_000)))).toBe(false);
    };
    const { peer, server } = await pair(
      {
        open: fill,
        drain(connection) {
          rounds += 1;
          if (rounds < 50) fill(connection);
        },
      },
      { highWaterMark: 1000 },
    );
    await peer.received(5 * MB);
    await server.until('drain', 50);
  });
});

describe('cork()', () => {
  it('holds writes back over turns, until uncork()', async () => {
    const { peer, server } = await pair();
    server.connection.cork();
    for (let turn = 0; turn < 10; turn += 1) {
      server.connection.write(`${turn}`);
      await new Promise(setImmediate);
    }
    expect(peer.bytes).toBe(0);
    expect(server.connection.bytesWritten).toBe(0);
    server.connection.uncork();
    expect(await peer.received(10)).toBe('0123456789');
  });

  it('does not keep end() and close() from flushing', async () => {
    for (const method of ['end', 'close'] as const) {
      const { peer, server } = await pair();
      server.connection.cork();
      server.connection.write('corked');
      server.connection[method]();
      expect(await peer.untilEnd()).toBe('corked');
    }
  });

  it('with a function uncorks when it throws, and passes the error on', async () => {
    const { peer, server } = await pair();
    const { connection } = server;
    const failure = new Error('mine');
    expect(() =>
      connection.cork(() => {
        connection.write('before');
        throw failure;
      }),
    ).toThrow(failure);
    expect(await peer.received(6)).toBe('before');
  });

  it('with a function returns what it returns', async () => {
    const { server } = await pair();
    expect(server.connection.cork(() => 42)).toBe(42);
  });
});

describe('drained()', () => {
  it('resolves at once when little is pending', async () => {
    const { server } = await pair();
    await server.connection.drained();
    server.connection.write('x');
    await server.connection.drained();
  });

  it('resolves when pending is low again, and can be awaited many times', async () => {
    const { peer, server } = await pair();
    const { connection } = server;
    const piece = pattern(200_000);
    let low = true;
    for (let count = 0; count < 100; count += 1) {
      if (!connection.write(piece)) await connection.drained();
      low &&= connection.pendingBytes <= 65_536;
    }
    connection.end();
    await peer.untilEnd();
    expect(low).toBe(true);
    expect(digest(peer.chunks)).toBe(digest(Array(100).fill(piece)));
  });

  it('resolves for everyone who waits', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(5 * MB));
    const waiting = [1, 2, 3].map(() => server.connection.drained());
    peer.socket.resume();
    await Promise.all(waiting);
  });

  it('rejects when the connection is closed', async () => {
    const { server } = await pair();
    server.connection.reset();
    await server.until('close');
    await expect(server.connection.drained()).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_CONNECTION_CLOSED',
    });
  });

  it('rejects when the connection closes meanwhile', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(8 * MB));
    const drained = server.connection.drained();
    server.connection.reset();
    await expect(drained).rejects.toMatchObject({ code: 'ERR_RINGPOLL_CONNECTION_CLOSED' });
  });
});

describe('two connections of the package', () => {
  it('pass 50 MB through pause, resume, write and drain without a loss', async () => {
    const { client, server } = await bothSides({
      data(connection, chunk) {
        if (!connection.write(chunk)) connection.pause();
      },
      drain: (connection) => connection.resume(),
    });
    const { connection } = client;
    for (let count = 0; count < 50; count += 1) {
      if (!connection.write(BLOCK)) await connection.drained();
    }
    await client.received(50 * MB);
    expect(digest(client.chunks)).toBe(digest(Array(50).fill(BLOCK)));
    expect(server.connection.bytesRead).toBe(50 * MB);
    expect(server.connection.bytesWritten).toBe(50 * MB);
  });
});
