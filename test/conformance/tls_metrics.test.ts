// What a listener counts of TLS.
import { connect as tlsConnect } from 'node:tls';
import { connect, type ListenOptions, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveHttps } from '../support/https.js';
import { Peer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { pair } from '../support/tls/certificate.js';

function echo(options: Partial<ListenOptions> = {}) {
  const listener = listen({
    ...{ host: '127.0.0.1', port: 0, tls: pair },
    data: (connection, chunk) => connection.end(chunk),
    ...options,
  } as ListenOptions);
  onTestFinished(() => listener.destroy());
  return listener;
}

/** One whole connection; the session that it gave. */
async function visit(port: number, options: object = {}): Promise<Buffer | undefined> {
  let session: Buffer | undefined;
  const over = new Promise<void>((resolve, reject) => {
    connect({
      ...{ host: '127.0.0.1', port, tls: { ca: pair.cert, servername: 'localhost', ...options } },
      open: (connection) => void connection.write('x'),
      data() {},
      session: (given) => {
        session = given;
      },
      close: () => resolve(),
    }).catch(reject);
  });
  await within(over, () => 'the end of a visit');
  return session;
}

/** A handshake that comes to nothing. */
async function fail(port: number, options: object): Promise<void> {
  const socket = tlsConnect({ host: '127.0.0.1', port, ...options });
  socket.on('error', () => {});
  const peer = new Peer(socket);
  onTestFinished(() => peer.destroy());
  await within(new Promise((resolve) => socket.once('close', resolve)), () => 'the end');
}

describe('metrics() of a listener with tls', () => {
  it('has handshakes by version, and how many of them resumed', async () => {
    const listener = echo();
    const port = listener.port as number;
    expect(listener.metrics().tls).toMatchObject({ reuseRatio: 0, full: 0, resumed: 0 });
    const session = await visit(port);
    await visit(port, { session });
    for (let i = 0; i < 2; i++) await visit(port, { maxVersion: 'TLSv1.2', session: Buffer.of(0) });
    expect(listener.metrics().tls).toMatchObject({
      ...{ handshakes: { 'TLSv1.3': 2, 'TLSv1.2': 2, older: 0 }, full: 3, resumed: 1 },
      ...{ reuseRatio: 0.25, failures: 0, alertsSent: {}, alertsReceived: {} },
    });
  });

  it('has failures, and alerts by their names, of both sides', async () => {
    const listener = echo({ tls: { ...pair, minVersion: 'TLSv1.3' } });
    const port = listener.port as number;
    await fail(port, { maxVersion: 'TLSv1.2', ca: pair.cert });
    await expect(
      connect({ host: '127.0.0.1', port, tls: { servername: 'localhost' }, data() {} }),
    ).rejects.toMatchObject({ code: 'ERR_RINGPOLL_TLS_VERIFY' });
    await within(
      (async () => {
        while (listener.metrics().tls?.connections !== 0) await new Promise(setImmediate);
      })(),
      () => 'the connections to be over',
    );
    const { alertsSent, alertsReceived, failures } = listener.metrics().tls ?? {};
    expect(alertsSent).toEqual({ protocol_version: 1 });
    // The certificate is signed by itself.
    expect(alertsReceived).toEqual({ unknown_ca: 1 });
    expect(failures).toBe(2);
  });

  it('counts each listener by itself, and is there when it is over', async () => {
    const [one, other] = [echo(), echo()];
    await visit(one.port as number);
    expect(other.metrics().tls).toMatchObject({ full: 0 });
    await one.stop();
    expect(one.metrics()).toMatchObject({ connections: 0, tls: { connections: 0, full: 1 } });
  });

  it('is a part of what an HTTP server has, and nothing without tls', async () => {
    const server = serveHttps({ handler: (_request, response) => void response.end() });
    expect(server.metrics()).toMatchObject({ connections: 0, tls: { full: 0 } });
    expect(echo({ tls: undefined }).metrics()).toEqual({ connections: 0, tls: undefined });
  });
});
