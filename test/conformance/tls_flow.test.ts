// How bytes flow on a connection, over TLS as over plain TCP: drain and drained() behind end(),
// tryWrite(), and iteration.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Chunk, Connection } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, Peer } from '../support/peer.js';
import { codeOf, type Handlers, Recorders, within } from '../support/recorder.js';
import { dial, pattern, portOf, serve } from '../support/serve.js';
import { cert, dialNode, key, NAME } from '../support/tls/both.js';
import { roundTrips } from '../support/turns.js';

const MB = 1_000_000;
const HOWS = ['plain TCP', 'TLS 1.2', 'TLS 1.3'] as const;
type How = (typeof HOWS)[number];
const isPlain = (how: How) => how === 'plain TCP';
const versions = (how: How) => {
  const version = how === 'TLS 1.2' ? ('TLSv1.2' as const) : ('TLSv1.3' as const);
  return { minVersion: version, maxVersion: version };
};

/** The package as the server, and a peer of Node that does not read. */
async function served(how: How, handlers: Handlers = {}, options = {}) {
  const recorders = new Recorders(handlers);
  const tls = isPlain(how) ? {} : { tls: { key, cert, ...versions(how) } };
  const listener = serve({ ...tls, ...options, ...recorders.recording });
  const port = portOf(listener);
  const peer = isPlain(how) ? await connectPeer({ port }) : await dialNode(port);
  const server = await recorders.at(0);
  peer.socket.pause();
  return { peer, server, connection: server.connection };
}

/** The package as the client without handlers, and the peer of Node on its other side. */
async function iterable(how: How) {
  const accepted: Socket[] = [];
  let heard = () => {};
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    heard();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  const came = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const { port } = server.address() as AddressInfo;
  const tls = isPlain(how) ? {} : { tls: { ca: cert, servername: NAME } };
  const dialled = dial({ port, ...tls });
  await within(came, () => 'a connection');
  const raw = accepted[0]!;
  if (isPlain(how)) return { connection: await dialled, peer: new Peer(raw), raw };
  const options = { isServer: true, allowHalfOpen: true, key, cert, ...versions(how) };
  const secure = new TLSSocket(raw, options as ConstructorParameters<typeof TLSSocket>[1]);
  return { connection: await dialled, peer: new Peer(secure), raw };
}

async function collect(connection: Connection): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of connection) parts.push(chunk.copy());
  return Buffer.concat(parts);
}

describe.each(HOWS)('over %s', (how) => {
  it('drained() behind end() resolves, and drain comes once', async () => {
    const sent = pattern(12 * MB);
    const { peer, server, connection } = await served(how);
    expect(connection.write(sent)).toBe(false);
    connection.end('!');
    const drained = Promise.all([connection.drained(), connection.drained()]);
    expect(server.count('drain')).toBe(0);
    peer.socket.resume();
    await within(drained, () => 'drained()');
    await peer.untilEnd();
    const got = Buffer.concat(peer.chunks);
    expect(got.length).toBe(sent.length + 1);
    expect(got.subarray(0, -1).equals(sent)).toBe(true);
    peer.end();
    await server.until('close');
    expect(server.order.filter((event) => event !== 'data')).toEqual([
      ...['open', 'drain', 'end', 'close'],
    ]);
    expect(server.closeError).toBeUndefined();
  });

  it('end() alone is followed by no drain', async () => {
    const { peer, server, connection } = await served(how);
    connection.end('all of it');
    peer.socket.resume();
    expect(await peer.untilEnd()).toBe('all of it');
    peer.end();
    await server.until('close');
    expect(server.count('drain')).toBe(0);
  });

  it('drained() behind end() rejects when the connection is lost', async () => {
    const { connection } = await served(how);
    connection.write(pattern(12 * MB));
    connection.end();
    const drained = connection.drained();
    connection.reset();
    await expect(drained).rejects.toMatchObject({ code: 'ERR_RINGPOLL_CONNECTION_CLOSED' });
  });

  it('tryWrite() takes what there is room for; nothing is lost or sent twice', async () => {
    const { peer, connection } = await served(how, {}, { highWaterMark: 1000 });
    const sent = pattern(16 * MB); // more than the kernel holds on both sides
    let at = 0;
    let refused = 0;
    const go = () => {
      while (at < sent.length) {
        const taken = connection.tryWrite(sent.subarray(at, at + 100_000));
        at += taken;
        if (taken === 0) return;
      }
    };
    go();
    expect(at).toBeGreaterThan(0);
    await roundTrips();
    peer.socket.resume();
    while (at < sent.length) {
      refused += 1;
      await within(connection.drained(), () => `drained() behind ${at} bytes`);
      // Of no use when the peer is slow: a turn later there may be room.
      await new Promise(setImmediate);
      go();
    }
    connection.end();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    expect(refused).toBeGreaterThan(0);
  });

  it('tryWrite() takes nothing while other bytes wait, and none behind end()', async () => {
    const { peer, connection } = await served(how);
    const sent = pattern(12 * MB);
    connection.write(sent);
    expect(connection.tryWrite('x')).toBe(0);
    connection.end();
    expect(() => connection.tryWrite('x')).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_WRITE_AFTER_END' }),
    );
    peer.socket.resume();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
  });

  it('iteration gives every byte, those before it too, and ends with the peer', async () => {
    const { connection, peer } = await iterable(how);
    const sent = pattern(3 * MB);
    peer.send('early');
    await roundTrips();
    peer.send(sent);
    peer.end();
    const got = await within(collect(connection), () => 'the end');
    expect(got.subarray(0, 5).toString()).toBe('early');
    expect(got.subarray(5).equals(sent)).toBe(true);
  });

  it('iteration keeps a chunk until the next is asked for', async () => {
    const { connection, peer } = await iterable(how);
    const iterator = connection[Symbol.asyncIterator]();
    peer.send('one');
    const chunk = (await within(iterator.next(), () => 'the first')).value as Chunk;
    await roundTrips();
    expect(chunk.toString()).toBe('one');
    const next = iterator.next();
    peer.send('two');
    expect((await within(next, () => 'the second')).value?.toString()).toBe('two');
    expect(() => chunk.bytes).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_CHUNK_RELEASED' }),
    );
    peer.end();
    expect((await within(iterator.next(), () => 'the end')).done).toBe(true);
  });

  it('iteration answers calls of next() that overlap in their order', async () => {
    const { connection, peer } = await iterable(how);
    const iterator = connection[Symbol.asyncIterator]();
    const both = [iterator.next(), iterator.next(), iterator.next()];
    peer.send('one');
    expect((await within(both[0]!, () => 'the first')).value?.toString()).toBe('one');
    peer.send('two');
    expect((await within(both[1]!, () => 'the second')).value?.toString()).toBe('two');
    peer.end();
    expect((await within(both[2]!, () => 'the end')).done).toBe(true);
  });

  it('leaving the iteration ends the connection', async () => {
    const { connection, peer } = await iterable(how);
    peer.send('some');
    for await (const chunk of connection) {
      expect(chunk.toString()).toBe('some');
      break;
    }
    await peer.untilOver();
    expect(connection.readyState).not.toBe('open');
  });

  it('iteration throws when the connection is lost', async () => {
    const { connection, peer, raw } = await iterable(how);
    const collecting = collect(connection).then(
      () => 'the end',
      (error) => codeOf(error),
    );
    peer.send('some');
    await roundTrips();
    raw.resetAndDestroy();
    expect(await within(collecting, () => 'the error')).toMatch(/ECONNRESET|ERR_RINGPOLL/);
  });
});

describe.each(HOWS.slice(1))('over %s', (how) => {
  it('iteration throws behind the last byte of what was cut off', async () => {
    const { connection, peer, raw } = await iterable(how);
    const got: string[] = [];
    const collecting = (async () => {
      for await (const chunk of connection) got.push(chunk.toString());
    })().catch((error) => codeOf(error));
    peer.send('some');
    await roundTrips();
    // A FIN, and no close_notify before it.
    raw.destroySoon();
    expect(await within(collecting, () => 'the error')).toBe('ERR_RINGPOLL_TLS_TRUNCATED');
    expect(got.join('')).toBe('some');
  });
});
