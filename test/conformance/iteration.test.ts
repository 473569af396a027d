import type { Chunk, Connection } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { addressOf, dial, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

/** A connection to iterate, and the raw peer on its other side. */
async function iterable(options = {}) {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port, ...options });
  return { connection, peer: await server.next() };
}

async function collect(connection: Connection): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of connection) parts.push(chunk.copy());
  return Buffer.concat(parts);
}

describe('for await over a connection', () => {
  it('gives every byte, and ends with the peer', async () => {
    const { connection, peer } = await iterable();
    const sent = pattern(3_000_000);
    peer.send(sent);
    peer.end();
    const received = await within(collect(connection), () => 'the end');
    expect(received.equals(sent)).toBe(true);
  });

  it('misses nothing that came before it began', async () => {
    const { connection, peer } = await iterable();
    peer.end('early');
    await roundTrips();
    expect((await within(collect(connection), () => 'the end')).toString()).toBe('early');
  });

  it('gives chunks as they come', async () => {
    const { connection, peer } = await iterable();
    const iterator = connection[Symbol.asyncIterator]();
    for (const word of ['one', 'two', 'three']) {
      const next = iterator.next();
      peer.send(word);
      const { value, done } = await within(next, () => word);
      expect(value?.toString()).toBe(word);
      expect(done).toBe(false);
    }
    peer.end();
    expect(await within(iterator.next(), () => 'the end')).toEqual({
      value: undefined,
      done: true,
    });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  it('keeps each chunk valid over awaits, until the next', async () => {
    const { connection, peer } = await iterable();
    peer.send('first');
    let before: Chunk | undefined;
    for await (const chunk of connection) {
      await roundTrips(3);
      if (before === undefined) {
        expect(chunk.toString()).toBe('first');
        before = chunk;
        peer.end('second');
        continue;
      }
      expect(chunk.toString()).toBe('second');
      expect(() => before?.bytes).toThrow(
        expect.objectContaining({ code: 'ERR_RINGPOLL_CHUNK_RELEASED' }),
      );
    }
  });

  it('lets a chunk be retained beyond', async () => {
    const { connection, peer } = await iterable();
    const sent = pattern(1_000_000);
    peer.send(sent);
    peer.end();
    const kept: Chunk[] = [];
    for await (const chunk of connection) kept.push(chunk.retain());
    expect(Buffer.concat(kept.map(({ bytes }) => bytes)).equals(sent)).toBe(true);
    for (const chunk of kept) chunk.release();
  });

  it('answers calls of next() that overlap, in their order', async () => {
    const { connection, peer } = await iterable();
    const iterator = connection[Symbol.asyncIterator]();
    const calls = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    for (const [index, word] of ['one', 'two'].entries()) {
      peer.send(word);
      expect((await within(calls[index]!, () => word)).value?.toString()).toBe(word);
    }
    peer.end();
    const over = { value: undefined, done: true };
    expect(await within(Promise.all(calls.slice(2)), () => 'the end')).toEqual([over, over]);
  });

  it('keeps the chunks of overlapping calls valid until the call after them', async () => {
    const { connection, peer } = await iterable();
    const iterator = connection[Symbol.asyncIterator]();
    const first = iterator.next();
    peer.send('one');
    await within(first, () => 'the first chunk');
    peer.send('two');
    await roundTrips();
    peer.send('three');
    const pair = Promise.all([iterator.next(), iterator.next()]);
    const chunks = (await within(pair, () => 'two chunks')).map(({ value }) => value as Chunk);
    expect(chunks.map(String)).toEqual(['two', 'three']);
    const last = iterator.next();
    for (const chunk of chunks) expect(chunk.released).toBe(true);
    peer.end();
    expect((await within(last, () => 'the end')).done).toBe(true);
  });

  it('that fails rejects all calls of next() that wait, and return() settles them', async () => {
    const { connection, peer } = await iterable();
    const iterator = connection[Symbol.asyncIterator]();
    const failing = Promise.allSettled([iterator.next(), iterator.next()]);
    peer.reset();
    const outcomes = await within(failing, () => 'both rejections');
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const other = await iterable();
    const left = other.connection[Symbol.asyncIterator]();
    const waiting = [left.next(), left.next()];
    await left.return?.();
    const over = { value: undefined, done: true };
    expect(await within(Promise.all(waiting), () => 'both ends')).toEqual([over, over]);
  });

  it('twice shares the chunks out, and both end', async () => {
    const { connection, peer } = await iterable();
    const parts: string[] = [];
    const read = async () => {
      for await (const chunk of connection) parts.push(chunk.toString());
    };
    const readers = Promise.all([read(), read()]);
    for (const word of ['one', 'two', 'three']) {
      peer.send(word);
      await roundTrips();
    }
    peer.end();
    await within(readers, () => 'the end of both');
    expect(parts.join('')).toBe('onetwothree');
  });

  it('slows the peer down while its body is busy', async () => {
    const { connection, peer } = await iterable();
    const sent = pattern(50_000_000);
    peer.send(sent);
    let received = 0;
    for await (const chunk of connection) {
      if (received === 0) {
        await roundTrips();
        expect(connection.bytesRead).toBeLessThan(2_000_000);
        expect(peer.socket.writableLength).toBeGreaterThan(20_000_000);
      }
      received += chunk.length;
      if (received === sent.length) break;
    }
    expect(received).toBe(sent.length);
  });

  it('throws when the peer resets', async () => {
    const { connection, peer } = await iterable();
    const iterator = connection[Symbol.asyncIterator]();
    const next = iterator.next();
    peer.reset();
    const error = await within(next, () => 'the error').catch((reason) => reason);
    expect(codeOf(error)).toBe('ECONNRESET');
  });

  it('that is left by break closes the connection', async () => {
    const { connection, peer } = await iterable();
    peer.send('x');
    for await (const chunk of connection) {
      expect(chunk.toString()).toBe('x');
      break;
    }
    await peer.untilOver();
    expect(connection.readyState).toMatch(/^clos/);
  });

  it('that is left by an error closes the connection and passes the error on', async () => {
    const { connection, peer } = await iterable();
    peer.send('x');
    const failure = new Error('mine');
    const loop = async () => {
      for await (const _chunk of connection) throw failure;
    };
    await expect(loop()).rejects.toBe(failure);
    await peer.untilOver();
  });

  it('ends when the connection is closed on this side', async () => {
    const { connection, peer } = await iterable();
    peer.send('x');
    const received: string[] = [];
    for await (const chunk of connection) {
      received.push(chunk.toString());
      connection.close();
    }
    expect(received).toEqual(['x']);
  });

  it('over a closed connection ends at once', async () => {
    let closed: () => void = () => {};
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { connection, peer } = await iterable({ close: () => closed() });
    connection.close();
    await closing;
    expect(await within(collect(connection), () => 'the end')).toHaveLength(0);
    await peer.untilOver();
  });

  it('makes an echo server in an async open handler', async () => {
    const listener = serve({
      async open(connection) {
        for await (const chunk of connection) {
          if (!connection.write(chunk)) await connection.drained();
        }
      },
    });
    const connection = await dial(addressOf(listener));
    const sent = pattern(5_000_000);
    connection.end(sent);
    const received = await within(collect(connection), () => 'the echo');
    expect(received.equals(sent)).toBe(true);
    await listener.stop();
  });

  it('in an async open handler gives its error to the error handler', async () => {
    const failure = new Error('mine');
    const told = new Promise<Error>((resolve) => {
      const listener = serve({
        async open(connection) {
          for await (const _chunk of connection) throw failure;
        },
        error: (_connection, error) => resolve(error),
      });
      dial(addressOf(listener)).then((connection) => connection.write('x'));
    });
    expect(await within(told, () => 'the error')).toBe(failure);
  });

  it('serves a hundred connections at once', async () => {
    const listener = serve({
      async open(connection) {
        for await (const chunk of connection) connection.write(chunk);
      },
    });
    const echoes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const connection = await dial(addressOf(listener));
        connection.end(pattern(10_000 + index, index + 1));
        return collect(connection);
      }),
    );
    echoes.forEach((echo, index) => {
      expect(echo.equals(pattern(10_000 + index, index + 1))).toBe(true);
    });
  });
});
