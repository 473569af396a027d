// connection.readable, connection.writable and connection.decode().
import { type Connection, connect } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { addressOf, dial, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

/** A connection that nothing reads, and the raw peer on its other side. */
async function connected(options = {}) {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port, ...options });
  return { connection, peer: await server.next() };
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of stream as unknown as AsyncIterable<Uint8Array>) parts.push(bytes);
  return Buffer.concat(parts);
}

const done = <T>(promise: Promise<T>, what: string) => within(promise, () => what);
const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf);

describe('connection.readable', () => {
  it('gives every byte, and ends with the peer', async () => {
    const { connection, peer } = await connected();
    const sent = pattern(3_000_000);
    peer.send(sent);
    peer.end();
    expect(connection.readable).toBe(connection.readable);
    expect((await done(collect(connection.readable), 'the end')).equals(sent)).toBe(true);
    await peer.untilOver();
  });

  it('misses nothing that came before it was asked for', async () => {
    const { connection, peer } = await connected();
    peer.end('early');
    await roundTrips();
    expect((await done(collect(connection.readable), 'the end')).toString()).toBe('early');
  });

  it('fills the buffers that a BYOB reader brings, and loses nothing beyond them', async () => {
    const { connection, peer } = await connected();
    const sent = pattern(200_000);
    const reader = connection.readable.getReader({ mode: 'byob' });
    const first = reader.read(new Uint8Array(7));
    peer.send(sent);
    peer.end();
    const received: Uint8Array[] = [];
    let next = await done(first, 'the first bytes');
    while (!next.done) {
      expect(next.value.length).toBeLessThanOrEqual(10_000);
      received.push(next.value);
      next = await done(reader.read(new Uint8Array(10_000)), 'bytes');
    }
    expect(received[0]).toHaveLength(7);
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(next.value).toHaveLength(0);
  });

  it('ends a read of a BYOB reader that waits', async () => {
    const { connection, peer } = await connected();
    const reader = connection.readable.getReader({ mode: 'byob' });
    const read = reader.read(new Uint8Array(10));
    peer.end();
    expect(await done(read, 'the end')).toMatchObject({ done: true });
  });

  it('receives nothing that no reader has asked for', async () => {
    const { connection, peer } = await connected();
    const sent = pattern(30_000_000);
    const reader = connection.readable.getReader();
    peer.send(sent);
    const { value } = await done(reader.read(), 'bytes');
    await roundTrips();
    expect(connection.bytesRead).toBeLessThan(2_000_000);
    peer.end();
    reader.releaseLock();
    const rest = await done(collect(connection.readable), 'the end');
    expect((value?.length ?? 0) + rest.length).toBe(sent.length);
  });

  it('fails with the error of the connection', async () => {
    const { connection, peer } = await connected();
    const read = connection.readable.getReader().read();
    peer.reset();
    expect(await done(failureOf(read), 'the error')).toBe('ECONNRESET');
  });

  it('that is cancelled closes the connection', async () => {
    const { connection, peer } = await connected();
    peer.send('x');
    await connection.readable.cancel();
    await peer.untilOver();
    await done(connection.closed, 'close');
  });

  it('that is cancelled leaves `writable` as it is, and drops what comes', async () => {
    const { connection, peer } = await connected({ allowHalfOpen: true });
    const writer = connection.writable.getWriter();
    await connection.readable.cancel();
    peer.send(pattern(5_000_000));
    await writer.write('still there');
    await peer.received(11);
    peer.end();
    await done(writer.close(), 'the end');
    await done(connection.closed, 'close');
  });

  it('of a connection that is over is over, or has its error', async () => {
    const { connection } = await connected();
    connection.close();
    await done(connection.closed, 'close');
    expect(await done(collect(connection.readable), 'the end')).toHaveLength(0);
    const { connection: other, peer } = await connected();
    other.resume();
    peer.reset();
    expect(await done(failureOf(other.closed), 'close')).toBe('ECONNRESET');
    expect(await done(failureOf(collect(other.readable)), 'the error')).toBe('ECONNRESET');
  });

  it('is refused beside another reader', async () => {
    const { connection } = await connected();
    expect(connection.readable.locked).toBe(false);
    const busy = expect.objectContaining({ code: 'ERR_RINGPOLL_CONNECTION_BUSY' });
    expect(() => connection.toDuplex()).toThrow(busy);
    expect(() => connection[Symbol.asyncIterator]()).toThrow(busy);
  });
});

describe('connection.writable', () => {
  it('sends strings, bytes and chunks in order, and FIN when it is closed', async () => {
    const { connection, peer } = await connected();
    expect(connection.writable).toBe(connection.writable);
    const writer = connection.writable.getWriter();
    writer.write('ä');
    writer.write(Buffer.from('!'));
    peer.send('chunk');
    for await (const chunk of connection) {
      await writer.write(chunk);
      break;
    }
    expect(Buffer.from(await peer.untilEnd(), 'latin1').toString()).toBe('ä!chunk');
  });

  it('slows the writer down while the peer does not read', async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    const writer = connection.writable.getWriter();
    let bytes = 0;
    let written: Promise<void> = Promise.resolve();
    while (bytes < 100_000_000) {
      written = writer.write(pattern(500_000));
      bytes += 500_000;
      const isOut = await Promise.race([written.then(() => true), roundTrips(3)]);
      if (!isOut) break;
    }
    expect(bytes).toBeLessThan(50_000_000);
    peer.socket.resume();
    await done(written, 'the last write');
    await done(writer.close(), 'the end');
    expect((await peer.untilEnd()).length).toBe(bytes);
  });

  it('that is aborted resets the connection', async () => {
    const { connection, peer } = await connected();
    await connection.writable.abort(new Error('mine'));
    await peer.untilClosed();
    expect(codeOf(peer.error)).toBe('ECONNRESET');
  });

  it('fails when the connection does', async () => {
    const { connection, peer } = await connected({ data() {} });
    const writer = connection.writable.getWriter();
    const closed = failureOf(writer.closed);
    peer.reset();
    expect(await done(closed, 'the error')).toBe('ECONNRESET');
    expect(await failureOf(writer.write('x'))).toBe('ECONNRESET');
    await writer.ready.catch(() => {});
  });

  it('refuses what cannot be sent', async () => {
    const { connection } = await connected();
    const writer = connection.writable.getWriter();
    writer.closed.catch(() => {});
    writer.ready.catch(() => {});
    expect(await failureOf(writer.write(5 as never))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  });

  it('echoes with readable.pipeTo(), and ends after the last byte', async () => {
    const listener = serve({
      open: (connection: Connection) => connection.readable.pipeTo(connection.writable),
    });
    const client = await dial(addressOf(listener));
    const sent = pattern(5_000_000);
    const echo = collect(client.readable);
    const writer = client.writable.getWriter();
    await done(writer.write(sent), 'the write');
    await done(writer.close(), 'the end');
    expect((await done(echo, 'the echo')).equals(sent)).toBe(true);
    await done(listener.stop(), 'stop');
  });
});

describe('connection.closed', () => {
  it('resolves when the connection is closed, and rejects with what close gets', async () => {
    const { connection, peer } = await connected({ data() {} });
    peer.end();
    await done(connection.closed, 'close');
    expect(connection.readyState).toBe('closed');
    const server = await PeerServer.listen();
    let told: Error | undefined;
    const failing = await connect({
      host: '127.0.0.1',
      port: server.port,
      data() {},
      close: (_connection, error) => {
        told = error;
      },
    });
    (await server.next()).reset();
    const failure = await failing.closed.catch((error: Error) => error);
    expect(failure).toBe(told);
    expect(codeOf(failure)).toBe('ECONNRESET');
  });
});

describe('connection.decode()', () => {
  const textOf = async (texts: AsyncIterable<string>) => {
    const parts: string[] = [];
    for await (const text of texts) parts.push(text);
    return parts;
  };

  it('gives characters whole, however they come', async () => {
    const { connection, peer } = await connected();
    const texts = connection.decode();
    const bytes = Buffer.from('ä😀');
    for (const byte of bytes.subarray(0, -1)) peer.send(Uint8Array.of(byte));
    const read = textOf(texts);
    await roundTrips();
    peer.send(bytes.subarray(-1));
    peer.end();
    expect((await done(read, 'the end')).join('')).toBe('ä😀');
  });

  it('decodes as the decoder does, also what is cut off by the end', async () => {
    const { connection, peer } = await connected();
    peer.send(Uint8Array.of(0x41, 0, 0x42, 0, 0x43));
    peer.end();
    const read = textOf(connection.decode(new TextDecoder('utf-16le')));
    expect((await done(read, 'the end')).join('')).toBe('AB\ufffd');
  });

  it('fails, and closes the connection, when the decoder is fatal', async () => {
    const { connection, peer } = await connected();
    peer.send(Uint8Array.of(0xff));
    const read = textOf(connection.decode(new TextDecoder('utf-8', { fatal: true })));
    await expect(done(read, 'the error')).rejects.toThrow(TypeError);
    await peer.untilOver();
  });

  it('refuses what is no decoder', async () => {
    const { connection } = await connected();
    const wrong = expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });
    expect(() => connection.decode('utf-8' as never)).toThrow(wrong);
    expect(() => connection.decode(null as never)).toThrow(wrong);
  });
});
