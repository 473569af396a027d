import type { Connection } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { bothSides, pair, pattern } from '../support/serve.js';

interface SystemError extends Error {
  code: string;
  errno: number;
  syscall: string;
}

describe('a reset by the peer', () => {
  it('is an error like one of Node, then close with the same error', async () => {
    const { peer, server } = await pair();
    peer.reset();
    await server.until('close');
    expect(server.order).toEqual(['open', 'error', 'close']);
    expect(server.closeError).toBe(server.error);
    const { code, errno, syscall } = server.error as SystemError;
    expect({ code, errno, syscall }).toEqual({ code: 'ECONNRESET', errno: -104, syscall: 'read' });
    expect(server.error?.message).toBe('read ECONNRESET');
    expect(server.connection.readyState).toBe('closed');
  });

  it('is seen while the connection is paused, or at the latest when it resumes', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('x');
    peer.reset();
    await peer.untilClosed();
    server.connection.resume();
    await server.until('close');
    expect(codeOf(server.closeError)).toBe('ECONNRESET');
  });

  it('is seen while writes are pending', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(8_000_000));
    expect(server.connection.pendingBytes).toBeGreaterThan(0);
    peer.reset();
    await server.until('close');
    expect(['ECONNRESET', 'EPIPE']).toContain(codeOf(server.closeError));
    expect(server.order.slice(-2)).toEqual(['error', 'close']);
  });

  it('is seen after our end()', async () => {
    const { peer, server } = await pair();
    server.connection.end('bye');
    await peer.untilEnd();
    peer.reset();
    await server.until('close');
    expect(codeOf(server.closeError)).toBe('ECONNRESET');
  });

  it('is seen when writing to a half-open connection', async () => {
    const { peer, server } = await pair({}, { allowHalfOpen: true });
    peer.end();
    await server.until('end');
    peer.reset();
    await peer.untilClosed();
    for (let count = 0; server.count('close') === 0 && count < 100; count += 1) {
      if (server.connection.readyState === 'writeOnly') server.connection.write('x');
      await new Promise(setImmediate);
    }
    await server.until('close');
    expect(['ECONNRESET', 'EPIPE']).toContain(codeOf(server.closeError));
  });

  it('while closing with pending bytes ends the closing', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(8_000_000));
    server.connection.close();
    peer.reset();
    await server.until('close');
    expect(server.count('close')).toBe(1);
  });

  it('rejects drained()', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(8_000_000));
    const drained = server.connection.drained();
    peer.reset();
    await expect(drained).rejects.toThrow();
  });

  it('right after its last bytes closes once, and what was read is whole', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { peer, server } = await pair();
      peer.send('x'.repeat(1000));
      peer.reset();
      await server.until('close');
      expect(server.count('close')).toBe(1);
      expect(['', 'x'.repeat(1000)]).toContain(server.text);
    }
  });
});

describe('reset()', () => {
  const states: Record<string, (connection: Connection) => void> = {
    open: () => {},
    paused: (connection) => connection.pause(),
    'with pending bytes': (connection) => connection.write(pattern(8_000_000)),
    'after end() with pending bytes': (connection) => connection.end(pattern(8_000_000)),
    'after close() with pending bytes': (connection) => {
      connection.write(pattern(8_000_000));
      connection.close();
    },
    corked: (connection) => {
      connection.cork();
      connection.write('x');
    },
  };

  it.each(Object.entries(states))('in the state %s sends RST', async (_name, prepare) => {
    const { peer, server } = await pair();
    peer.socket.pause();
    prepare(server.connection);
    server.connection.reset();
    await server.until('close');
    peer.socket.resume();
    await peer.untilOver();
    // Node reports a reset that bytes came before as an end.
    if (peer.bytes === 0) expect(peer.error?.code).toBe('ECONNRESET');
    else expect(peer.bytes).toBeLessThan(8_000_000);
    expect(server.order).toEqual(['open', 'close']);
    expect(server.connection.readyState).toBe('closed');
    expect(server.connection.pendingBytes).toBe(0);
  });

  it('after end() sends RST', async () => {
    const { peer, server } = await pair();
    server.connection.end();
    await peer.untilEnd();
    server.connection.reset();
    await server.until('close');
    peer.send('x');
    await peer.untilClosed();
    expect(['ECONNRESET', 'EPIPE']).toContain(peer.error?.code);
    expect(server.order).toEqual(['open', 'close']);
  });

  it('of a half-open connection sends RST', async () => {
    const { peer, server } = await pair({}, { allowHalfOpen: true });
    peer.end();
    await server.until('end');
    server.connection.reset();
    await server.until('close');
    await peer.untilClosed();
    expect(peer.error?.code).toBe('ECONNRESET');
  });

  it('twice, and after close, is once', async () => {
    const { peer, server } = await pair();
    server.connection.reset();
    server.connection.reset();
    await server.until('close');
    server.connection.reset();
    await peer.untilClosed();
    expect(server.count('close')).toBe(1);
    expect(server.count('error')).toBe(0);
  });

  it('is an error on the other side, between two connections of the package', async () => {
    const { client, server } = await bothSides();
    client.connection.reset();
    await Promise.all([client.until('close'), server.until('close')]);
    expect(client.order).toEqual(['open', 'close']);
    expect(server.order).toEqual(['open', 'error', 'close']);
    expect(codeOf(server.closeError)).toBe('ECONNRESET');
  });

  it('from both sides at once closes both', async () => {
    const { client, server } = await bothSides();
    client.connection.reset();
    server.connection.reset();
    await Promise.all([client.until('close'), server.until('close')]);
    expect(client.count('close')).toBe(1);
    expect(server.count('close')).toBe(1);
  });
});
