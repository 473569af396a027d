// HTTPS and peers that break rules, leave, or are slow.
import { connect as netConnect } from 'node:net';
import type { HttpServer, ServeOptions } from 'ringpoll/http';
import { describe, expect, it, vi } from 'vitest';
import { deferred, parseAnswers } from '../support/http.js';
import { ask, dialHttps, hello, serveHttps } from '../support/https.js';
import { connectPeer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { makePair, pair } from '../support/tls/certificate.js';

const dialPlain = (server: HttpServer) => connectPeer({ port: server.port as number });

/** Listens, and keeps what tlsError is given. */
function withErrors(options: Partial<ServeOptions> = {}) {
  const errors: Error[] = [];
  let heard: (() => void) | undefined;
  const server = serveHttps({
    handler: hello,
    tlsError(error: Error) {
      errors.push(error);
      heard?.();
    },
    ...options,
  } as Partial<ServeOptions>);
  const until = async (count: number) => {
    while (errors.length < count) {
      const next = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await within(next, () => `${count} errors of TLS; there are ${errors.length}`);
    }
    return errors.map(codeOf);
  };
  return { server, until };
}

describe('plain HTTP on a port of HTTPS', () => {
  it('is answered with 400 in plain text, and closed', async () => {
    const { server, until } = withErrors();
    const peer = await dialPlain(server);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await peer.untilOver();
    const [answer] = parseAnswers(peer.text);
    expect(answer?.status).toBe(400);
    expect(answer?.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer?.headers.connection).toBe('close');
    expect(await until(1)).toEqual(['ERR_RINGPOLL_TLS_NOT_TLS']);
    expect((await ask(server, '/')).status).toBe(200);
  });
});

describe('a handshake that fails', () => {
  it('is told to tlsError, whatever is wrong with it, and the server goes on', async () => {
    const { server, until } = withErrors();
    const nonsense = await dialPlain(server);
    nonsense.send('\x00'.repeat(64));
    await nonsense.untilOver();
    await until(1);
    const gone = await dialPlain(server);
    gone.send('\x16\x03\x01\x02\x00\x01');
    gone.end();
    await gone.untilOver();
    await until(2);
    await expect(
      dialHttps(server, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }),
    ).rejects.toThrow();
    await expect(dialHttps(server, { ca: (await makePair()).cert })).rejects.toThrow();
    const codes = await until(3);
    expect(codes.every((code) => code?.startsWith('ERR_RINGPOLL_TLS_'))).toBe(true);
    expect((await ask(server, '/')).status).toBe(200);
  });

  it('is silent, and never uncaught, without tlsError', async () => {
    const uncaught = vi.fn();
    process.on('uncaughtExceptionMonitor', uncaught);
    const server = serveHttps({ handler: hello });
    const peer = await dialPlain(server);
    peer.send('\x16\x03\x01\x00\x04\xff\x00\x00\x00');
    await peer.untilOver();
    expect((await ask(server, '/')).status).toBe(200);
    process.off('uncaughtExceptionMonitor', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  });

  it('is one that takes too long', async () => {
    const { server, until } = withErrors({ tls: { ...pair, handshakeTimeout: 100 } });
    const peer = await dialPlain(server);
    peer.send('\x16\x03\x01');
    await peer.untilOver();
    expect(await until(1)).toEqual(['ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT']);
  });
});

describe('a client over TLS that', () => {
  it('leaves aborts its request', async () => {
    const arrived = deferred();
    const aborted = deferred<string>();
    const server = serveHttps({
      handler({ signal }) {
        signal.addEventListener('abort', () => aborted.resolve(String(codeOf(signal.reason))));
        arrived.resolve();
      },
    });
    const peer = await dialHttps(server);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived.promise;
    peer.destroy();
    expect(await aborted.promise).toBe('ERR_RINGPOLL_HTTP_ABORTED');
  });

  it('leaves in the middle of a body fails that body', async () => {
    const failed = deferred<string>();
    const server = serveHttps({
      async handler(request) {
        await request.body().catch((error) => failed.resolve(String(codeOf(error))));
      },
    });
    const peer = await dialHttps(server);
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await new Promise<void>((resolve) => void peer.socket.write('', () => resolve()));
    peer.end();
    expect(await failed.promise).toBe('ERR_RINGPOLL_HTTP_ABORTED');
  });

  it('sends its head too slowly gets 408', async () => {
    const server = serveHttps({ handler: hello, headersTimeout: 100 });
    const peer = await dialHttps(server);
    peer.send('GET / HTTP/1.1\r\nHost');
    await peer.untilOver();
    expect(parseAnswers(peer.text)[0]?.status).toBe(408);
  });

  it('does not read what it asked for is given up', async () => {
    const over = deferred();
    const server = serveHttps({
      handler({ signal }, response) {
        signal.addEventListener('abort', () => over.resolve());
        response.write(Buffer.alloc(20_000_000));
      },
      writeTimeout: 300,
    });
    const peer = await dialHttps(server);
    peer.socket.pause();
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await over.promise;
    expect(server.connections).toBe(0);
  });
});

describe('an HTTPS server', () => {
  it('that stops answers what has come, and says close', async () => {
    const arrived = deferred();
    const answer = deferred();
    const server = serveHttps({
      async handler(_request, response) {
        arrived.resolve();
        await answer.promise;
        response.end('last');
      },
    });
    const peer = await dialHttps(server);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived.promise;
    const stopped = server.stop();
    answer.resolve();
    peer.socket.on('end', () => peer.end());
    await peer.untilEnd();
    expect(parseAnswers(peer.text)[0]).toMatchObject({
      body: 'last',
      headers: { connection: 'close' },
    });
    await within(stopped, () => 'stop()');
  });

  it('serves new connections with a new certificate, and old ones with theirs', async () => {
    const server = serveHttps({ handler: hello });
    const old = await dialHttps(server);
    const next = await makePair();
    server.setSecureContext(next);
    const fresh = await dialHttps(server, { ca: next.cert });
    expect(fresh.socket.getPeerCertificate().fingerprint256).not.toBe(
      old.socket.getPeerCertificate().fingerprint256,
    );
    old.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await old.untilEnd();
    expect(parseAnswers(old.text)[0]?.body).toBe('hello');
  });

  it('has its connections of handshakes closed by destroy()', async () => {
    const server = serveHttps({ handler: hello });
    const socket = netConnect(server.port as number, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('\x16\x03\x01');
    await ask(server, '/');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    server.destroy();
    await within(closed, () => 'the end of a handshake');
  });
});
