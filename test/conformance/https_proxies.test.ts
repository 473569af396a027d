// PROXY headers before TLS, from proxies that pass it through.

import { connect as http2Connect } from 'node:http2';
import { type Socket, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { TlsError } from 'ringpoll';
import type { HttpServer, ServeOptions } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred } from '../support/http.js';
import { ask2 } from '../support/http2.js';
import { serveHttps } from '../support/https.js';
import { within } from '../support/recorder.js';
import { pair } from '../support/tls/certificate.js';
import { roundTrips } from '../support/turns.js';

const V1 = Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 443\r\n');

function v2(command: number, family: number, addresses: number[], extra = 0): Buffer {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
  const length = addresses.length + extra;
  const fixed = [0x20 | command, family, length >> 8, length & 0xff];
  return Buffer.concat([signature, Buffer.from([...fixed, ...addresses]), Buffer.alloc(extra)]);
}

const PORTS = [0x15, 0xb3, 0x01, 0xbb];
const V2 = v2(1, 0x11, [192, 0, 2, 7, 192, 0, 2, 1, ...PORTS]);
const SIX = [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 7];
const V2_SIX = v2(1, 0x21, [...SIX, ...SIX, ...PORTS]);

function serveBehind(proxies: string[], more: Partial<ServeOptions> = {}) {
  const errors: { code?: string }[] = [];
  const server = serveHttps({
    proxyProtocol: proxies,
    tlsError: (error: { code?: string }) => errors.push(error),
    handler: ({ remoteAddress, remotePort }, response) =>
      void response.end(`${remoteAddress} ${remotePort}`),
    ...more,
  } as Partial<ServeOptions>);
  return { server, errors };
}

/** A connection whose first bytes are `pieces`, one write each. */
async function dialPlain(server: HttpServer, pieces: Uint8Array[]): Promise<Socket> {
  const socket = tcpConnect({ host: '127.0.0.1', port: server.port as number, noDelay: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise(setImmediate);
  }
  return socket;
}

async function askOver(socket: Socket): Promise<string> {
  const secure = tlsConnect({ socket, servername: 'localhost', ca: pair.cert });
  onTestFinished(() => void secure.destroy());
  secure.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  let text = '';
  secure.setEncoding('latin1').on('data', (piece) => {
    text += piece;
  });
  const over = deferred();
  secure.on('error', over.reject);
  secure.on('end', () => over.resolve());
  await over.promise;
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

const bytesOf = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

describe('a PROXY header before TLS', () => {
  it.each([
    ['of version 1', [V1], '192.0.2.7 5555'],
    ['of version 1, byte by byte', bytesOf(V1), '192.0.2.7 5555'],
    ['of version 2', [V2], '192.0.2.7 5555'],
    ['of version 2, byte by byte', bytesOf(V2), '192.0.2.7 5555'],
    ['of version 2 with IPv6', [V2_SIX], '2001:db8::7 5555'],
    [
      'with two kilobytes of TLVs',
      [v2(1, 0x11, [...V2.subarray(16), 4, 0x07, 0xd0], 2000)],
      '192.0.2.7 5555',
    ],
  ])('%s says who the client is', async (_what, pieces, expected) => {
    const { server, errors } = serveBehind(['127.0.0.1']);
    expect(await askOver(await dialPlain(server, pieces))).toBe(expected);
    expect(errors).toEqual([]);
  });

  it('of a proxy that speaks for itself leaves the address as it is', async () => {
    const { server } = serveBehind(['127.0.0.1']);
    expect(await askOver(await dialPlain(server, [v2(0, 0, [])]))).toMatch(/^127\.0\.0\.1 \d+$/);
  });

  it('may lie in one packet with the ClientHello', async () => {
    const { server } = serveBehind(['127.0.0.1']);
    const socket = tcpConnect({ host: '127.0.0.1', port: server.port as number });
    onTestFinished(() => void socket.destroy());
    socket.cork();
    socket.write(V2);
    process.nextTick(() => process.nextTick(() => socket.uncork()));
    expect(await askOver(socket)).toBe('192.0.2.7 5555');
  });

  it('counts for HTTP/2 too', async () => {
    const { server } = serveBehind(['127.0.0.1'], { http2: true });
    const socket = await dialPlain(server, [V2]);
    const options = { socket, servername: 'localhost', ca: pair.cert, ALPNProtocols: ['h2'] };
    const session = http2Connect('https://localhost', {
      createConnection: () => tlsConnect(options),
    });
    onTestFinished(() => session.destroy());
    expect(String((await ask2(session, '/')).body)).toBe('192.0.2.7 5555');
  });

  it.each([
    ['is missing', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
    ['is malformed', Buffer.from('PROXY TCP4 192.0.2.999 192.0.2.1 5555 443\r\n')],
    ['of version 1 never ends', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['of version 2 is over 4 KB', v2(1, 0x11, [...V2.subarray(16)], 5000)],
  ])('that %s ends the connection', async (_what, bytes) => {
    const { server, errors } = serveBehind(['127.0.0.1']);
    const socket = await dialPlain(server, [bytes]);
    socket.resume();
    await within(new Promise((resolve) => socket.once('close', resolve)), () => 'the end');
    expect(errors.map(({ code }) => code)).toEqual(['ERR_RINGPOLL_TLS_PROXY_HEADER']);
  });

  it('that does not come is waited for as long as a handshake', async () => {
    const { server, errors } = serveBehind(['127.0.0.1'], {
      tls: { ...pair, handshakeTimeout: 50 },
    });
    const socket = await dialPlain(server, [V1.subarray(0, 10)]);
    socket.resume();
    await within(new Promise((resolve) => socket.once('close', resolve)), () => 'the end');
    expect(errors.map(({ code }) => code)).toEqual(['ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT']);
  });

  it.each([
    ['that speaks no TLS', [V2, Buffer.from('nothing')], false, 'ERR_RINGPOLL_TLS_NOT_TLS'],
    ['that ends', [V1, Buffer.from([22, 3, 1])], false, 'ERR_RINGPOLL_TLS_HANDSHAKE'],
    ['that resets', [V2, Buffer.from([22, 3, 1])], true, 'ERR_RINGPOLL_TLS_HANDSHAKE'],
    ['that is too slow', [V2], undefined, 'ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT'],
  ])('of a client %s says whose handshake has failed', async (_what, pieces, reset, code) => {
    const told = deferred<TlsError>();
    const { server } = serveBehind(['127.0.0.1'], {
      tls: { ...pair, handshakeTimeout: reset === undefined ? 100 : 30_000 },
      tlsError: (error) => told.resolve(error as TlsError),
    });
    const socket = await dialPlain(server, pieces);
    if (reset) {
      // Otherwise the header may be lost with the reset.
      await roundTrips();
      socket.resetAndDestroy();
    } else if (reset === false) {
      socket.end();
    }
    const { remoteAddress, remotePort, ...error } = await told.promise;
    expect([error.code, remoteAddress, remotePort]).toEqual([code, '192.0.2.7', 5555]);
  });

  it('that is not whole leaves the address of the proxy', async () => {
    const told = deferred<TlsError>();
    const { server } = serveBehind(['127.0.0.1'], {
      tlsError: (error) => told.resolve(error as TlsError),
    });
    const socket = await dialPlain(server, [V1.subarray(0, 20)]);
    socket.end();
    expect((await told.promise).remoteAddress).toBe('127.0.0.1');
  });

  it('of somebody who is no proxy is no TLS', async () => {
    const { server, errors } = serveBehind(['192.0.2.200']);
    const socket = await dialPlain(server, [V2]);
    socket.resume();
    await within(new Promise((resolve) => socket.once('close', resolve)), () => 'the end');
    expect(errors.map(({ code }) => code)).toEqual(['ERR_RINGPOLL_TLS_NOT_TLS']);
    const honest = await dialPlain(server, []);
    expect(await askOver(honest)).toMatch(/^127\.0\.0\.1 /);
  });
});
