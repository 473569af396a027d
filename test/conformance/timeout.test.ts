import { describe, expect, it } from 'vitest';
import { deferred } from '../support/http.js';
import { connectPeers } from '../support/peer.js';
import { Recorders } from '../support/recorder.js';
import { addressOf, bothSides, dial, pair, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

describe('idleTimeout', () => {
  it('calls timeout when nothing has moved for so long, not earlier', async () => {
    const started = performance.now();
    const { server } = await pair({}, { idleTimeout: 100 });
    await server.until('timeout');
    expect(performance.now() - started).toBeGreaterThanOrEqual(99);
    expect(server.connection.readyState).toBe('open');
  });

  it('calls it again and again while nothing moves', async () => {
    const started = performance.now();
    const { server } = await pair({}, { idleTimeout: 20 });
    await server.until('timeout', 5);
    // A clock of whole milliseconds may cut each of them short by less than one.
    expect(performance.now() - started).toBeGreaterThan(95);
  });

  it('of 0, and none, never call it', async () => {
    const { server: none } = await pair({ open: (connection) => connection.setTimeout(0) });
    const { server: zero } = await pair({}, { idleTimeout: 0 });
    const { server: clock } = await pair({}, { idleTimeout: 50 });
    await clock.until('timeout', 3);
    expect(none.count('timeout')).toBe(0);
    expect(zero.count('timeout')).toBe(0);
  });

  it('is not reached while bytes come in', async () => {
    const { peer, server } = await pair({}, { idleTimeout: 200 });
    const started = performance.now();
    for (let sent = 1; performance.now() - started < 600; sent += 1) {
      peer.send('x');
      await server.received(sent);
    }
    expect(server.count('timeout')).toBe(0);
    await server.until('timeout');
  });

  it('is not reached while bytes go out', async () => {
    const { peer, server } = await pair({}, { idleTimeout: 200 });
    const started = performance.now();
    for (let sent = 1; performance.now() - started < 600; sent += 1) {
      server.connection.write('x');
      await peer.received(sent);
    }
    expect(server.count('timeout')).toBe(0);
    await server.until('timeout');
  });

  it('is reached when the peer does not read, although bytes are pending', async () => {
    const { peer, server } = await pair({}, { idleTimeout: 50 });
    peer.socket.pause();
    server.connection.write(pattern(20_000_000));
    await server.until('timeout');
    expect(server.connection.pendingBytes).toBeGreaterThan(0);
  });

  it('is reached while the connection is paused', async () => {
    const { server } = await pair(
      { open: (connection) => connection.pause() },
      { idleTimeout: 30 },
    );
    await server.until('timeout');
  });

  it('holds for connections that are made, too', async () => {
    const { client } = await bothSides({}, {}, {}, { idleTimeout: 30 });
    await client.until('timeout');
  });

  it('lets its handler close the connection, and is heard no more', async () => {
    const { peer, server } = await pair(
      { timeout: (connection) => connection.close() },
      { idleTimeout: 20 },
    );
    await server.until('close');
    await peer.untilEnd();
    const { server: clock } = await pair({}, { idleTimeout: 30 });
    await clock.until('timeout', 2);
    expect(server.order).toEqual(['open', 'timeout', 'close']);
  });

  it('of many connections is heard by each of them', async () => {
    const recorders = new Recorders();
    const listener = serve({ idleTimeout: 50, ...recorders.recording });
    await connectPeers(addressOf(listener), 300);
    await recorders.at(299);
    await Promise.all(recorders.all.map((recorder) => recorder.until('timeout', 2)));
  });
});

describe('idleTimeout without a timeout handler', () => {
  const idle = expect.objectContaining({ code: 'ERR_RINGPOLL_IDLE_TIMEOUT' });

  it('closes the connection, and says why', async () => {
    const closed: unknown[] = [];
    const started = performance.now();
    const listener = serve({
      idleTimeout: 50,
      data(connection, chunk) {
        connection.write(chunk);
      },
      error: (_, error) => void closed.push('error', error),
      close: (_, error) => void closed.push(error),
    });
    const [peer] = await connectPeers(addressOf(listener), 1);
    peer!.send('x');
    expect(await peer!.untilEnd()).toBe('x');
    expect(performance.now() - started).toBeGreaterThanOrEqual(49);
    await roundTrips();
    expect(closed).toEqual([idle]);
  });

  it('resets one whose peer does not take what waits for it', async () => {
    const closed = deferred<unknown>();
    const listener = serve({
      idleTimeout: 50,
      open: (connection) => void connection.write(pattern(20_000_000)),
      close: (_, error) => closed.resolve(error),
    });
    const [peer] = await connectPeers(addressOf(listener), 1);
    peer!.socket.pause();
    expect(await closed.promise).toEqual(idle);
  });

  it('ends an iteration with an error, of a connection that is made too', async () => {
    const listener = serve({ data() {} });
    const connection = await dial({ ...addressOf(listener), idleTimeout: 50 } as never);
    const read = async () => {
      for await (const _ of connection) expect.fail('nothing was sent');
    };
    await expect(read()).rejects.toEqual(idle);
  });

  it('holds for setTimeout() too', async () => {
    const listener = serve({ open: (connection) => connection.setTimeout(30), data() {} });
    const [peer] = await connectPeers(addressOf(listener), 1);
    await peer!.untilEnd();
  });
});

describe('setTimeout()', () => {
  it('starts, changes and stops the time-out', async () => {
    const { server } = await pair();
    server.connection.setTimeout(20);
    await server.until('timeout');
    server.connection.setTimeout(60_000);
    const { server: clock } = await pair({}, { idleTimeout: 50 });
    await clock.until('timeout', 2);
    const before = server.count('timeout');
    expect(before).toBe(1);
    server.connection.setTimeout(20);
    await server.until('timeout', before + 1);
    server.connection.setTimeout(0);
    const stopped = server.count('timeout');
    await clock.until('timeout', clock.count('timeout') + 2);
    expect(server.count('timeout')).toBe(stopped);
  });

  it('is the same as timeout(), and returns the connection', async () => {
    const { server } = await pair();
    expect(server.connection.setTimeout(20)).toBe(server.connection);
    await server.until('timeout');
  });

  it('shortens a time-out that is running', async () => {
    const { server } = await pair({}, { idleTimeout: 60_000 });
    server.connection.setTimeout(20);
    await server.until('timeout');
  });

  it('in a data handler counts from there', async () => {
    let set = 0;
    const { peer, server } = await pair({
      data(connection) {
        connection.setTimeout(50);
        set = performance.now();
      },
      timeout: () => expect(performance.now() - set).toBeGreaterThanOrEqual(49),
    });
    peer.send('x');
    await server.until('timeout');
    expect(server.error).toBeUndefined();
  });

  it('after close does nothing', async () => {
    const { server } = await pair();
    server.connection.reset();
    await server.until('close');
    server.connection.setTimeout(1);
    await roundTrips();
    expect(server.count('timeout')).toBe(0);
  });

  it('takes the longest time that there is', async () => {
    const { peer, server } = await pair();
    server.connection.setTimeout(2 ** 31 - 1);
    peer.send('x');
    await server.received(1);
    await roundTrips();
    expect(server.count('timeout')).toBe(0);
  });
});
