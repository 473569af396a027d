// connection.toDuplex(): a connection as a stream of Node.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { type Connection, connect } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { addressOf, dial, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

/** A stream, and the raw peer on its other side. */
async function streaming(options = {}) {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port, ...options });
  return { connection, stream: connection.toDuplex(), peer: await server.next() };
}

async function collect(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const bytes of stream) parts.push(bytes as Buffer);
  return Buffer.concat(parts);
}

const event = (stream: Duplex, name: string) => within(once(stream, name), () => name);

describe('toDuplex()', () => {
  it('gives every byte, and ends with the peer', async () => {
    const { stream, peer } = await streaming();
    const sent = pattern(3_000_000);
    peer.send(sent);
    peer.end();
    expect((await within(collect(stream), () => 'the end')).equals(sent)).toBe(true);
    await peer.untilOver();
  });

  it('misses nothing that came before it was asked for', async () => {
    const server = await PeerServer.listen();
    const connection = await dial({ port: server.port });
    const peer = await server.next();
    peer.end('early');
    await roundTrips();
    const received = await within(collect(connection.toDuplex()), () => 'the end');
    expect(received.toString()).toBe('early');
  });

  it('gives bytes that may be kept for good', async () => {
    const { stream, peer } = await streaming();
    const kept: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => kept.push(bytes));
    const sent = pattern(500_000);
    for (let at = 0; at < sent.length; at += 50_000) {
      peer.send(sent.subarray(at, at + 50_000));
      await roundTrips(1);
    }
    peer.end();
    await event(stream, 'end');
    expect(Buffer.concat(kept).equals(sent)).toBe(true);
  });

  it('is one stream for each connection, which names it and its ends', async () => {
    const { connection, stream, peer } = await streaming();
    const same = connection.toDuplex();
    expect(same).toBe(stream);
    expect(same.connection).toBe(connection);
    expect(same.remotePort).toBe(peer.socket.localPort);
    expect(same.localPort).toBe(connection.localPort);
    expect([same.remoteAddress, same.localAddress]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(same.remoteFamily).toBe('IPv4');
  });

  it('sends strings in their encoding, and bytes', async () => {
    const { stream, peer } = await streaming();
    stream.write('ä');
    stream.write('e4', 'hex');
    stream.cork();
    stream.write('ä', 'latin1');
    stream.write(Buffer.from('!'));
    stream.uncork();
    stream.end('end');
    expect(Buffer.from(await peer.untilEnd(), 'latin1').toString('hex')).toBe('c3a4e4e421656e64');
  });

  it('slows the peer down while nothing reads', async () => {
    const { connection, stream, peer } = await streaming();
    const sent = pattern(30_000_000);
    peer.send(sent);
    await event(stream, 'readable');
    await roundTrips();
    expect(connection.bytesRead).toBeLessThan(2_000_000);
    expect(peer.socket.writableLength).toBeGreaterThan(10_000_000);
    peer.end();
    expect((await within(collect(stream), () => 'the end')).equals(sent)).toBe(true);
  });

  it('slows the writer down while the peer does not read', async () => {
    const { connection, stream, peer } = await streaming();
    peer.socket.pause();
    const piece = pattern(100_000);
    let bytes = 0;
    while (stream.write(piece) && bytes < 100_000_000) {
      bytes += piece.length;
      await new Promise(setImmediate);
    }
    expect(bytes).toBeLessThan(50_000_000);
    expect(connection.pendingBytes).toBeLessThan(1_000_000);
    const drained = event(stream, 'drain');
    peer.socket.resume();
    await drained;
    stream.end();
    const all = await peer.untilEnd();
    expect(all.length).toBe(bytes + piece.length);
  });

  it('loses nothing of what is written before end(), however slow the peer is', async () => {
    const { stream, peer } = await streaming();
    peer.socket.pause();
    const sent = pattern(20_000_000);
    stream.end(sent);
    await roundTrips();
    peer.socket.resume();
    expect(Buffer.from(await peer.untilEnd(), 'latin1').equals(sent)).toBe(true);
  });

  it('answers after the peer has ended, when allowHalfOpen was set', async () => {
    const { stream, peer } = await streaming({ allowHalfOpen: true });
    peer.end('question');
    let question = '';
    stream.on('data', (bytes) => {
      question += bytes;
    });
    await event(stream, 'end');
    expect(question).toBe('question');
    await roundTrips();
    expect(stream.writable).toBe(true);
    const closed = event(stream, 'close');
    stream.end('answer');
    expect(await peer.untilEnd()).toBe('answer');
    await closed;
  });

  it('ends its side after the peer, and lets all that is written by then leave', async () => {
    const listener = serve({
      open: (connection) => {
        const stream = connection.toDuplex();
        stream.pipe(stream);
      },
    });
    const client = (await dial(addressOf(listener))).toDuplex();
    const sent = pattern(5_000_000);
    client.end(sent);
    expect((await within(collect(client), () => 'the echo')).equals(sent)).toBe(true);
    await within(listener.stop(), () => 'stop');
  });

  it('goes on reading after its own end', async () => {
    const { stream, peer } = await streaming();
    stream.end('over');
    expect(await peer.untilEnd()).toBe('over');
    peer.end('answer');
    expect((await within(collect(stream), () => 'the end')).toString()).toBe('answer');
  });

  it('sees the end of a peer also when nothing reads it', async () => {
    const { connection, stream, peer } = await streaming();
    peer.end();
    await event(stream, 'close');
    expect(connection.readyState).toBe('closed');
    expect(stream.readableEnded).toBe(true);
  });

  it('fails with the error of the connection', async () => {
    const { stream, peer } = await streaming();
    const failed = within(finished(stream), () => 'the error').catch((error) => error);
    peer.reset();
    expect(codeOf(await failed)).toBe('ECONNRESET');
    expect(stream.destroyed).toBe(true);
  });

  it('that is destroyed drops what waits, and closes the connection', async () => {
    const { connection, stream, peer } = await streaming();
    peer.socket.pause();
    stream.write(pattern(20_000_000));
    const closed = once(stream, 'close');
    stream.destroy();
    await within(closed, () => 'close');
    expect(connection.readyState).toBe('closed');
    peer.socket.resume();
    await peer.untilOver();
    expect(peer.bytes).toBeLessThan(20_000_000);
  });

  it('that is destroyed with an error gives it to the close handler, and to its own', async () => {
    const failure = new Error('mine');
    const server = await PeerServer.listen();
    const told = new Promise<Error | undefined>((resolve) => {
      connect({
        host: '127.0.0.1',
        port: server.port,
        close: (_connection, error) => resolve(error),
        open(connection) {
          const stream = connection.toDuplex();
          stream.on('error', (error) => expect(error).toBe(failure));
          stream.destroy(failure);
        },
      });
    });
    expect(await within(told, () => 'close')).toBe(failure);
  });

  it('is destroyed when the connection is closed beside it', async () => {
    const { connection, stream } = await streaming();
    const closed = once(stream, 'close');
    connection.reset();
    await within(closed, () => 'close');
    expect(stream.destroyed).toBe(true);
  });

  it('of a closed connection is closed', async () => {
    const { connection, peer } = await iterated();
    connection.close();
    await connection.closed;
    await event(connection.toDuplex(), 'close');
    await peer.untilOver();
  });

  it('is refused to a connection that is iterated, which a stream is not any more', async () => {
    const { connection } = await iterated();
    connection[Symbol.asyncIterator]();
    const busy = expect.objectContaining({ code: 'ERR_RINGPOLL_CONNECTION_BUSY' });
    expect(() => connection.toDuplex()).toThrow(busy);
    const { connection: other } = await streaming();
    expect(() => other[Symbol.asyncIterator]()).toThrow(busy);
  });

  it('refuses marks out of range, and options that it does not have', async () => {
    const { connection } = await iterated();
    const duplex = (options: object) => () => connection.toDuplex(options as never);
    const code = (code: string) => expect.objectContaining({ code });
    expect(duplex({ readableHighWaterMark: 0 })).toThrow(code('ERR_RINGPOLL_OUT_OF_RANGE'));
    expect(duplex({ writableHighWaterMark: '1' })).toThrow(code('ERR_RINGPOLL_INVALID_ARG_TYPE'));
    expect(duplex({ highWaterMark: 1 })).toThrow(/did you mean readableHighWaterMark/);
    expect(connection.toDuplex({ readableHighWaterMark: 5 }).readableHighWaterMark).toBe(5);
  });

  it('carries pipeline() in both directions', async () => {
    const listener = serve({
      open(connection) {
        const stream = connection.toDuplex();
        pipeline(stream, stream).catch(() => {});
      },
    });
    const client = (await dial(addressOf(listener))).toDuplex();
    const sent = pattern(2_000_000);
    const echo = collect(client);
    await pipeline([sent.subarray(0, 1_000_000), sent.subarray(1_000_000)], client);
    expect((await within(echo, () => 'the echo')).equals(sent)).toBe(true);
  });

  it('is what a server of node:http takes for a socket', async () => {
    const web = createServer((incoming, response) => {
      response.end(`${incoming.method} ${incoming.socket.remoteAddress}`);
    });
    const listener = serve({
      allowHalfOpen: true,
      open: (connection: Connection) => void web.emit('connection', connection.toDuplex()),
    });
    const { port } = addressOf(listener) as { port: number };
    const got = request({ host: '127.0.0.1', port, agent: false }).end();
    const [answer] = await within(once(got, 'response'), () => 'the response');
    expect((await within(collect(answer), () => 'the body')).toString()).toBe('GET 127.0.0.1');
  });

  it('runs its listeners in the asynchronous context of the call', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const storage = new AsyncLocalStorage<string>();
    const { connection, peer } = await iterated();
    const seen = new Promise((resolve) => {
      storage
        .run('mine', () => connection.toDuplex())
        .on('data', () => resolve(storage.getStore()));
    });
    peer.send('x');
    expect(await within(seen, () => 'data')).toBe('mine');
  });
});

/** A connection that nothing reads, and the raw peer on its other side. */
async function iterated() {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port });
  return { connection, peer: await server.next() };
}
