// connection.destroy(): node:net's name for closing at once.
import { describe, expect, it } from 'vitest';
import { pair, pattern } from '../support/serve.js';

describe('destroy()', () => {
  it('drops what waits, and the peer sees the end', async () => {
    const { server, peer } = await pair();
    peer.socket.pause();
    const { connection } = server;
    connection.write(pattern(20_000_000));
    connection.destroy();
    expect([connection.readyState, connection.pendingBytes]).not.toContain('open');
    await server.until('close');
    expect(server.order).toEqual(['open', 'close']);
    peer.socket.resume();
    await peer.untilOver();
    expect(peer.bytes).toBeLessThan(20_000_000);
  });

  it('does not wait for what close() waits for', async () => {
    const { server, peer } = await pair();
    peer.socket.pause();
    server.connection.write(pattern(20_000_000));
    server.connection.close();
    server.connection.destroy();
    await server.until('close');
    expect(server.count('close')).toBe(1);
  });

  it('hands its reason to the close handler, and not to the error handler', async () => {
    const reason = new Error('enough');
    const seen: unknown[] = [];
    const { server } = await pair({
      error: () => void seen.push('error'),
      close: (_, error) => void seen.push(error),
    });
    server.connection.destroy(reason);
    server.connection.destroy(new Error('too late'));
    await server.until('close');
    expect(seen).toEqual([reason]);
    server.connection.destroy(new Error('over'));
  });

  it('takes an Error and nothing else', async () => {
    const { server } = await pair();
    const refused = expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });
    for (const reason of ['text', null, {}]) {
      expect(() => server.connection.destroy(reason as never)).toThrow(refused);
    }
    expect(server.connection.readyState).toBe('open');
  });
});
