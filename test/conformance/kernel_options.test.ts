// Options that the kernel has limits for, or does not know for every kind of socket.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bothSides, dial, portOf, serve } from '../support/serve.js';

/** TCP_KEEPIDLE ends at 32,767 seconds. */
const KEEP_ALIVE_MS_MAX = 32_767_000;
const outOfRange = {
  code: 'ERR_RINGPOLL_OUT_OF_RANGE',
  message: expect.stringContaining('from 0 to 32767000'),
};

describe('keepAlive', () => {
  it.each([0, 1, 1500, KEEP_ALIVE_MS_MAX, true, false])('of %o is taken everywhere', async (ms) => {
    const { client, server } = await bothSides(
      { data: (connection, chunk) => connection.write(chunk) },
      {},
      { keepAlive: ms },
      { keepAlive: ms },
    );
    expect(client.connection.setKeepAlive(ms)).toBe(client.connection);
    expect(server.connection.setKeepAlive(ms)).toBe(server.connection);
    client.connection.write('works');
    await client.received(5);
  });

  it.each([KEEP_ALIVE_MS_MAX + 1, 86_400_000, 2 ** 31 - 1])(
    'of %i ms is refused with its range before anything is opened',
    async (keepAlive) => {
      const where = { host: '127.0.0.1', port: 0, data() {} };
      expect(() => listen({ ...where, keepAlive })).toThrow(expect.objectContaining(outOfRange));
      const port = portOf(serve({ data() {} }));
      await expect(connect({ ...where, port, keepAlive })).rejects.toMatchObject(outOfRange);
      const connection = await dial({ port, data() {} });
      expect(() => connection.setKeepAlive(keepAlive)).toThrow(expect.objectContaining(outOfRange));
      expect(connection.readyState).toBe('open');
    },
  );
});

describe('on a Unix socket', () => {
  it('options of TCP do nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const options = { noDelay: true, keepAlive: 5000 };
    const { client, server } = await bothSides(
      { data: (connection, chunk) => connection.write(chunk) },
      {},
      { ...options, path: join(folder, 'a.sock') },
      options,
    );
    for (const { connection } of [client, server]) {
      expect(connection.setNoDelay()).toBe(connection);
      expect(connection.setNoDelay(false)).toBe(connection);
      expect(connection.setKeepAlive(5000)).toBe(connection);
      expect(connection.setKeepAlive(false)).toBe(connection);
    }
    client.connection.write('works');
    await client.received(5);
  });
});
