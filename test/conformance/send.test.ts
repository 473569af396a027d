// Completion: connection.send(), shutdown(), and what they promise.
import { type Connection, connect } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { dial, pattern } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

async function connected(options = {}) {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port, data() {}, ...options });
  return { connection, peer: await server.next() };
}

const done = <T>(promise: Promise<T>, what: string) => within(promise, () => what);
const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf);

/** Whether it is settled, without waiting for it. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false };
  const settle = () => {
    seen.settled = true;
  };
  promise.then(settle, settle);
  return seen;
}

describe('send()', () => {
  it('resolves when the kernel has taken the bytes', async () => {
    const { connection, peer } = await connected();
    for (const data of ['text ä', Buffer.from('bytes'), pattern(40_000), pattern(3_000_000)]) {
      const before = connection.bytesWritten;
      await done(connection.send(data), 'send()');
      expect(connection.pendingBytes).toBe(0);
      expect(connection.bytesWritten - before).toBeGreaterThanOrEqual(Buffer.byteLength(data));
    }
    await peer.received(3_040_012);
  });

  it('waits for a peer that does not read, and for none of what is written later', async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    const first = pattern(12_000_000, 1);
    const sent = connection.send(first);
    const seen = watch(sent);
    const later = watch(connection.send(pattern(12_000_000, 2)));
    const last = connection.send('last');
    await roundTrips();
    expect([seen.settled, later.settled]).toEqual([false, false]);
    peer.socket.resume();
    await done(sent, 'the first');
    await done(last, 'the last');
    expect(later.settled).toBe(true);
    const received = Buffer.from(await peer.received(24_000_004), 'latin1');
    expect(received.subarray(0, first.length).equals(first)).toBe(true);
    expect(received.subarray(-4).toString()).toBe('last');
  });

  it('resolves while others go on writing', async () => {
    const { connection, peer } = await connected({ highWaterMark: 1_000_000 });
    let isOver = false;
    const write = async () => {
      while (!isOver) {
        if (!connection.write(pattern(100_000))) await connection.drained();
      }
    };
    const writing = write();
    await peer.received(1_000_000);
    for (let i = 0; i < 5; i += 1) await done(connection.send(`${i}`), `send() number ${i}`);
    isOver = true;
    await writing;
  });

  it('of many at once resolves each in its order', async () => {
    const { connection } = await connected();
    const order: number[] = [];
    const sends = Array.from({ length: 500 }, (_, i) =>
      connection.send(pattern(1 + i * 10)).then(() => order.push(i)),
    );
    await done(Promise.all(sends), 'all of them');
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it('lets drain come to those who write', async () => {
    let drains = 0;
    const { connection, peer } = await connected({ drain: () => void drains++ });
    peer.socket.pause();
    expect(connection.write(pattern(12_000_000))).toBe(false);
    const sent = connection.send('x');
    peer.socket.resume();
    await done(sent, 'send()');
    await done(connection.drained(), 'drained()');
    expect(drains).toBe(1);
    await roundTrips();
    expect(drains).toBe(1);
  });

  it('rejects with the error of the connection', async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    const sent = failureOf(connection.send(pattern(12_000_000)));
    await roundTrips();
    peer.reset();
    expect(await done(sent, 'the error')).toMatch(/^(ECONNRESET|EPIPE)$/);
  });

  it('rejects when the connection is destroyed, and at once when it is over', async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    const sent = failureOf(connection.send(pattern(12_000_000)));
    await roundTrips();
    connection.destroy();
    expect(await done(sent, 'destroy()')).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
    expect(await failureOf(connection.send('x'))).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
    await connection.closed;
    expect(await failureOf(connection.send('x'))).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });

  it('resolves when close() has let the bytes leave', async () => {
    const { connection, peer } = await connected();
    const sent = connection.send(pattern(5_000_000));
    connection.close();
    await done(sent, 'send()');
    await peer.received(5_000_000);
  });

  it('rejects with what write() throws', async () => {
    const { connection } = await connected();
    expect(await failureOf(connection.send(5 as never))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    connection.end();
    expect(await failureOf(connection.send('x'))).toBe('ERR_RINGPOLL_WRITE_AFTER_END');
  });
});

describe('shutdown()', () => {
  it('resolves when all has left, with FIN behind it, and reading goes on', async () => {
    let received = '';
    const { connection, peer } = await connected({
      data: (_connection: Connection, chunk: unknown) => {
        received += chunk;
      },
    });
    peer.socket.pause();
    const seen = watch(connection.send(pattern(12_000_000)));
    const shut = connection.shutdown('end');
    expect(connection.readyState).toBe('readOnly');
    await roundTrips();
    expect(seen.settled).toBe(false);
    peer.socket.resume();
    await done(shut, 'shutdown()');
    expect(connection.pendingBytes).toBe(0);
    expect((await peer.untilEnd()).endsWith('end')).toBe(true);
    peer.end('answer');
    await done(connection.closed, 'close');
    expect(received).toBe('answer');
  });

  it('resolves on a connection that has nothing to send, and a second time', async () => {
    const { connection, peer } = await connected();
    await done(connection.shutdown(), 'the first');
    await done(connection.shutdown(), 'the second');
    await peer.untilEnd();
    peer.end();
    await connection.closed;
    await done(connection.shutdown(), 'the third');
  });

  it('resolves when the peer has ended before', async () => {
    const server = await PeerServer.listen();
    let ended: () => void = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const connection = await connect({
      host: '127.0.0.1',
      port: server.port,
      allowHalfOpen: true,
      data() {},
      end: ended,
    });
    const peer = await server.next();
    peer.end();
    await done(end, 'the end');
    await done(connection.shutdown('last words'), 'shutdown()');
    expect(await peer.untilEnd()).toBe('last words');
    await done(connection.closed, 'close');
  });

  it('rejects when the connection was destroyed', async () => {
    const { connection } = await connected();
    connection.destroy();
    expect(await failureOf(connection.shutdown())).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });
});
