// An AbortSignal that outlives what it was given to, as that of a whole program does.
import dns from 'node:dns';
import { getEventListeners } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { connect } from 'ringpoll';
import { serve as serveHttp } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { dial, pair, portOf, serve } from '../support/serve.js';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('a signal', () => {
  it('is left by a listener once it and its connections are over', async () => {
    const { signal } = new AbortController();
    const { listener, peer, server } = await pair({}, { signal });
    expect(listenersOf(signal)).toBe(1);
    const stopped = listener.stop();
    peer.end();
    await within(stopped, () => 'stop');
    expect(server.count('close')).toBe(1);
    expect(listenersOf(signal)).toBe(0);
  });

  it('still ends what is left while a listener stops', async () => {
    const controller = new AbortController();
    const { listener, server } = await pair({}, { signal: controller.signal, allowHalfOpen: true });
    const stopped = listener.stop();
    controller.abort();
    await within(stopped, () => 'stop');
    expect(server.count('close')).toBe(1);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  it('is left by a hundred listeners, by close()', async () => {
    const { signal } = new AbortController();
    for (let count = 0; count < 100; count += 1) {
      const listener = serve({ signal, data() {} });
      listener.destroy();
      await listener.stop();
    }
    expect(listenersOf(signal)).toBe(0);
  });

  it('is left by an HTTP server', async () => {
    const { signal } = new AbortController();
    const where = { host: '127.0.0.1', port: 0 };
    const server = serveHttp({ ...where, signal, handler: (_, response) => response.end('hi') });
    onTestFinished(() => server.destroy());
    const peer = await connectPeer({ port: server.port });
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await peer.received(20);
    expect(listenersOf(signal)).toBe(1);
    await within(server.stop(), () => 'stop');
    expect(listenersOf(signal)).toBe(0);
  });

  it('is left by a connection when it is closed or refused', async () => {
    const { signal } = new AbortController();
    const server = await PeerServer.listen();
    const connection = await dial({ port: server.port, signal, data() {} });
    expect(listenersOf(signal)).toBe(1);
    const gone = serve({ data() {} });
    const port = portOf(gone);
    gone.close();
    await gone.stop();
    await expect(connect({ host: '127.0.0.1', port, signal })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    connection.end();
    (await server.next()).end();
    while (connection.readyState !== 'closed') await new Promise(setImmediate);
    expect(listenersOf(signal)).toBe(0);
  });

  it('that is aborted during the look-up of a name does not wait for it', async () => {
    const { lookup } = dns;
    onTestFinished(() => {
      dns.lookup = lookup;
      syncBuiltinESMExports();
    });
    dns.lookup = (() => {}) as unknown as typeof lookup;
    syncBuiltinESMExports();
    const controller = new AbortController();
    const connecting = connect({ host: 'slow.test', port: 1, signal: controller.signal });
    const reason = new Error('too slow');
    setImmediate(() => controller.abort(reason));
    await expect(within(connecting, () => 'the abort')).rejects.toBe(reason);
    expect(listenersOf(controller.signal)).toBe(0);
  });
});
