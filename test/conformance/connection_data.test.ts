// What connection.data begins with.
import { connect, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { addressOf, portOf, serve } from '../support/serve.js';

describe('connectionData', () => {
  const where = { host: '127.0.0.1', port: 0 };

  it('of listen() is a value, or made for each connection before its first handler', async () => {
    const seen: unknown[] = [];
    const made = listen({
      ...where,
      connectionData: ({ remotePort }) => ({ remotePort, bytes: 0 }),
      data(connection, chunk) {
        connection.data.bytes += chunk.length;
        connection.write(`${connection.data.bytes}`);
        seen.push(connection.data);
      },
    });
    onTestFinished(() => made.destroy());
    for (const bytes of ['1', '22']) {
      const peer = await connectPeer(addressOf(made));
      peer.send(bytes);
      expect(await peer.received(1)).toBe(`${bytes.length}`);
    }
    const ports = seen.map((data) => (data as { remotePort: number }).remotePort);
    expect(new Set(ports).size).toBe(2);
    const same = { kept: true };
    const opened = new Promise<unknown>((resolve) => {
      const listener = serve({ connectionData: same, open: ({ data }) => resolve(data) });
      void connectPeer(addressOf(listener));
    });
    expect(await opened).toBe(same);
  });

  it('that throws ends the connection like a handler that throws', async () => {
    const reason = new Error('no data');
    const seen: unknown[] = [];
    const closed = new Promise<unknown>((resolve) => {
      const listener = serve({
        connectionData() {
          throw reason;
        },
        open: () => void seen.push('open'),
        error: (_, error) => void seen.push(error),
        close: (_, error) => resolve(error),
      });
      void connectPeer(addressOf(listener)).then((peer) => peer.untilOver());
    });
    expect(await closed).toBe(reason);
    expect(seen).toEqual([reason]);
  });

  it('of connect() is what connection.data begins with', async () => {
    const port = portOf(serve({ data() {} }));
    let opened: unknown;
    const data = { own: 1 };
    const connection = await connect({
      ...{ ...where, port, connectionData: data },
      open: (each) => {
        opened = each.data;
      },
    });
    expect([opened, connection.data]).toEqual([data, data]);
    connection.destroy();
  });
});
