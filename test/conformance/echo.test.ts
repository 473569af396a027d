import type { Chunk } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { bothSides, pair, pattern } from '../support/serve.js';
import { expectCounted, overTls } from '../support/tls/switch.js';

const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

describe('bytes that come in', () => {
  it.each([1, 2, 63, 64, 1000, 4096, 16_384, 65_536, 65_537, 262_144, 1_048_577, 8_388_608])(
    'go out again unchanged: %i bytes',
    async (size) => {
      const { peer, server } = await pair({
        data: (connection, chunk) => connection.write(chunk),
      });
      const sent = pattern(size);
      peer.send(sent);
      await peer.received(size);
      expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
      expectCounted(server.connection.bytesRead, size);
      expectCounted(server.connection.bytesWritten, size);
    },
  );

  it('may have any value', async () => {
    const { peer } = await pair({ data: (connection, chunk) => connection.write(chunk) });
    peer.send(allBytes);
    expect(await peer.received(256)).toBe(allBytes);
  });

  it('can be echoed in a thousand small messages, each answered before the next', async () => {
    const { peer } = await pair({ data: (connection, chunk) => connection.write(chunk) });
    for (let number = 1; number <= 1000; number += 1) {
      peer.send(`${number % 10}`);
      await peer.received(number);
    }
    expect(peer.text).toBe('1234567890'.repeat(100));
  });

  it('travel between two connections of the package', async () => {
    const { client, server } = await bothSides({
      data: (connection, chunk) => connection.write(chunk),
    });
    const sent = pattern(500_000);
    client.connection.write(sent);
    await client.received(sent.length);
    expect(Buffer.concat(client.chunks).equals(sent)).toBe(true);
    expect(server.order).toEqual(['open', 'data']);
  });
});

describe('what can be written', () => {
  it('is a string, as UTF-8', async () => {
    const { peer, server } = await pair();
    const text = 'grüße, 你好, 🙂, \u0000, \ud800';
    server.connection.write(text);
    const expected = Buffer.from(text);
    await peer.received(expected.length);
    expect(Buffer.concat(peer.chunks)).toEqual(expected);
  });

  it('is a long string', async () => {
    const { peer, server } = await pair();
    const text = 'äb🙂c'.repeat(100_000);
    server.connection.write(text);
    const expected = Buffer.from(text);
    await peer.received(expected.length);
    expect(Buffer.concat(peer.chunks).equals(expected)).toBe(true);
  });

  it('is latin1 by way of a Buffer', async () => {
    const { peer, server } = await pair();
    server.connection.write(Buffer.from(allBytes, 'latin1'));
    expect(await peer.received(256)).toBe(allBytes);
  });

  it('is a Uint8Array, and a part of a larger one', async () => {
    const { peer, server } = await pair();
    server.connection.write(new Uint8Array([97, 98, 99]));
    server.connection.write(new Uint8Array([120, 100, 101, 121]).subarray(1, 3));
    expect(await peer.received(5)).toBe('abcde');
  });

  it('is nothing, which sends nothing', async () => {
    const { peer, server } = await pair();
    server.connection.write('');
    server.connection.write(new Uint8Array(0));
    server.connection.write('x');
    expect(await peer.received(1)).toBe('x');
    expectCounted(server.connection.bytesWritten, 1);
  });

  it('keeps its order over strings, arrays, chunks, writev, cork and end', async () => {
    const { peer } = await pair({
      data(connection, chunk) {
        connection.write('1');
        connection.write(chunk);
        connection.writev(['3', new Uint8Array([0x34]), chunk]);
        connection.cork();
        connection.write('6');
        connection.uncork();
        connection.cork((same) => {
          expect(same ?? connection).toBe(connection);
          connection.write('7');
          connection.write('8');
        });
        connection.end('9');
      },
    });
    peer.send('c');
    expect(await peer.untilEnd()).toBe('1c34c6789');
  });

  it('is a list of many pieces, more than one call of the system takes', async () => {
    const { peer, server } = await pair();
    const pieces = Array.from({ length: 5000 }, (_, index) => `${index},`);
    server.connection.writev(pieces);
    const expected = pieces.join('');
    expect(await peer.received(expected.length)).toBe(expected);
  });

  it('is not changed by what its owner does to the array afterwards, in later turns', async () => {
    const { peer, server } = await pair();
    const bytes = Buffer.from('before');
    server.connection.write(bytes);
    await peer.received(6);
    bytes.fill('x');
    server.connection.write(bytes);
    expect(await peer.received(12)).toBe('beforexxxxxx');
  });
});

describe('tryWrite()', () => {
  it('sends at once and says how much', async () => {
    const { peer, server } = await pair();
    expect(server.connection.tryWrite('hello')).toBe(5);
    expect(server.connection.pendingBytes).toBe(0);
    expect(await peer.received(5)).toBe('hello');
  });

  it('sends only what the kernel takes, and nothing that it does not report', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const block = pattern(1_000_000);
    let taken = 0;
    let last = 0;
    do {
      last = server.connection.tryWrite(block.subarray(taken % block.length));
      taken += last;
    } while (last > 0);
    expect(taken).toBeGreaterThan(0);
    // A record of TLS cannot be taken back.
    if (!overTls) expect(server.connection.pendingBytes).toBe(0);
    peer.socket.resume();
    server.connection.end();
    await peer.untilEnd();
    expect(peer.bytes).toBe(taken);
  });

  it('takes nothing while something is pending', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const block = pattern(8_000_000);
    server.connection.write(block);
    expect(server.connection.tryWrite('x')).toBe(0);
    peer.socket.resume();
    await peer.received(block.length);
    expect(Buffer.concat(peer.chunks).equals(block)).toBe(true);
  });
});

describe('a chunk', () => {
  it('shows its bytes as length, view, string and copy', async () => {
    const seen: unknown[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        seen.push(chunk.length, Buffer.from(chunk.bytes), chunk.toString());
        seen.push(chunk.toString('latin1'), chunk.toString('hex'), chunk.copy());
        expect(Buffer.isBuffer(chunk.bytes)).toBe(true);
      },
    });
    const bytes = Buffer.from('ü');
    peer.send(bytes);
    await server.until('data');
    expect(seen).toEqual([2, bytes, 'ü', 'Ã¼', 'c3bc', bytes]);
  });

  const uses: Record<string, (chunk: Chunk) => unknown> = {
    bytes: (chunk) => chunk.bytes,
    'toString()': (chunk) => chunk.toString(),
    'copy()': (chunk) => chunk.copy(),
    'retain()': (chunk) => chunk.retain(),
  };

  it.each(Object.entries(uses))('refuses %s once its handler has returned', async (_name, use) => {
    let kept: Chunk | undefined;
    const { peer, server } = await pair({
      data(_connection, chunk) {
        kept = chunk;
      },
    });
    peer.send('x');
    await server.until('data');
    await new Promise(setImmediate);
    const error = thrownBy(() => use(kept!));
    expect(codeOf(error)).toBe('ERR_RINGPOLL_CHUNK_RELEASED');
  });

  it.each(Object.entries(uses))('refuses %s once it is released', async (_name, use) => {
    const errors: unknown[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        chunk.retain().release();
        errors.push(thrownBy(() => use(chunk)));
      },
    });
    peer.send('x');
    await server.until('data');
    expect(errors.map(codeOf)).toEqual(['ERR_RINGPOLL_CHUNK_RELEASED']);
  });

  it('cannot be written once it is released', async () => {
    const errors: unknown[] = [];
    const { peer, server } = await pair({
      data(connection, chunk) {
        chunk.retain().release();
        errors.push(thrownBy(() => connection.write(chunk)));
      },
    });
    peer.send('x');
    await server.until('data');
    expect(errors.map(codeOf)).toEqual(['ERR_RINGPOLL_CHUNK_RELEASED']);
  });

  it('stays as it is while retained, whatever else is received', async () => {
    const kept: Chunk[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        kept.push(chunk.retain());
      },
    });
    let total = 0;
    for (const size of [1, 100, 5000, 100, 20_000, 1, 70_000]) {
      peer.send(pattern(size, size));
      total += size;
      await server.received(total);
    }
    expect(Buffer.concat(kept.map(({ bytes }) => bytes)).equals(Buffer.concat(server.chunks))).toBe(
      true,
    );
    for (const chunk of kept) chunk.release();
    expect(codeOf(thrownBy(() => kept[0]!.bytes))).toBe('ERR_RINGPOLL_CHUNK_RELEASED');
  });

  it('can be written long after it came, and released before it is sent', async () => {
    const kept: Chunk[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        kept.push(chunk.retain());
      },
    });
    const sent = pattern(300_000);
    peer.send(sent);
    await server.received(sent.length);
    for (const chunk of kept) {
      server.connection.write(chunk);
      chunk.release();
    }
    // New bytes may now be received into what was released; those written must not suffer.
    peer.send(Buffer.alloc(300_000, 0xff));
    await server.received(600_000);
    await peer.received(sent.length);
    expect(Buffer.concat(peer.chunks).subarray(0, sent.length).equals(sent)).toBe(true);
  });

  it('is released by disposal, and may be disposed of again', async () => {
    const codes: unknown[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        chunk.retain();
        chunk[Symbol.dispose]();
        codes.push(codeOf(thrownBy(() => chunk.bytes)));
        chunk[Symbol.dispose]();
      },
    });
    peer.send('x');
    await server.until('data');
    expect(codes).toEqual(['ERR_RINGPOLL_CHUNK_RELEASED']);
    expect(server.error).toBeUndefined();
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
