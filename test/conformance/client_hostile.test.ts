// Servers that lie to the HTTP client, drip, flood or leave: each meets a limit that has a name.
import type { Socket } from 'node:net';
import type { ClientOptions } from 'ringpoll/client';
import { describe, expect, it } from 'vitest';
import { client, failure, serveRaw } from '../support/client.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** What a request, or the body of its response, fails with. */
async function failureOf(answer: (socket: Socket) => unknown, options: ClientOptions = {}) {
  const raw = await serveRaw((socket) => answer(socket));
  const one = client(options);
  const error = await failure(one.request(raw.url).then((response) => response.text()));
  const { code, reason, limit, phase } = error;
  while (one.counts.open > 0) await new Promise(setImmediate);
  return { code, reason, limit, phase };
}

const invalid = (reason: string) => ({
  ...{ code: 'ERR_RINGPOLL_RESPONSE_INVALID', reason: `ERR_RINGPOLL_HTTP_${reason}` },
  ...{ limit: undefined, phase: undefined },
});
const overLimit = (limit: string) => ({
  ...{ code: 'ERR_RINGPOLL_RESPONSE_LIMIT', limit, reason: undefined, phase: undefined },
});
const failed = (code: string, phase?: string) => ({
  ...{ code: `ERR_RINGPOLL_${code}`, phase, reason: undefined, limit: undefined },
});

describe('a server that breaks HTTP', () => {
  it.each([
    ['garbage', 'STATUS_LINE', '\x16\x03\x01\x02\x00garbage'],
    ['another version', 'STATUS_LINE', 'HTTP/2.0 200 OK\r\n\r\n'],
    [
      'two lengths',
      'CONTENT_LENGTH_REPEATED',
      `${OK.slice(0, 17)}Content-Length: 3\r\n${OK.slice(17)}`,
    ],
    [
      'a length and chunks',
      'LENGTH_AND_TRANSFER_ENCODING',
      `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ],
    ['a chunk size that is none', 'CHUNK_SIZE', `${CHUNKED}xyz\r\n`],
    ['a chunk longer than it says', 'CHUNK_END', `${CHUNKED}1\r\nabc`],
    ['a header name with a space', 'HEADER_NAME_SPACE', 'HTTP/1.1 200 OK\r\na : b\r\n\r\n'],
    ['a bare line feed', 'LINE_END', 'HTTP/1.1 200 OK\n\n'],
    ['a trailer that frames', 'TRAILER_FORBIDDEN', `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`],
    ['101 without an upgrade', 'UPGRADE_UNASKED', 'HTTP/1.1 101 X\r\nUpgrade: y\r\n\r\n'],
  ])('by %s', async (_, reason, bytes) => {
    expect(await failureOf((socket) => socket.write(bytes, 'latin1'))).toEqual(invalid(reason));
  });
});

describe('a server that sends too much', () => {
  const endless = (socket: Socket, piece: string) => {
    const more = () => {
      while (!socket.destroyed && socket.writable && socket.write(piece)) {}
    };
    socket.on('drain', more);
    more();
  };

  it.each([
    [
      'of headers',
      'maxHeadBytes',
      'HTTP/1.1 200 OK\r\n',
      'a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n',
      { maxHeaders: 1000 },
    ],
    ['header lines', 'maxHeaders', 'HTTP/1.1 200 OK\r\n', 'a:b\r\n', {}],
    ['1xx responses', 'maxInformational', '', 'HTTP/1.1 100 Continue\r\n\r\n', {}],
    ['of a body in chunks', 'maxBodyBytes', CHUNKED, '4\r\nabcd\r\n', { maxBodyBytes: 1_000_000 }],
    [
      'of a body to the end',
      'maxBodyBytes',
      'HTTP/1.1 200 OK\r\n\r\n',
      'abcd',
      { maxBodyBytes: 1_000_000 },
    ],
    ['chunk extensions', 'maxChunkExtensionBytes', CHUNKED, '1;abcdefghijklm\r\na\r\n', {}],
    ['trailers', 'maxTrailers', `${CHUNKED}0\r\n`, 'a:b\r\n', {}],
  ] as const)('%s', async (_, limit, begin, piece, options) => {
    const found = await failureOf((socket) => {
      socket.write(begin);
      endless(socket, piece.repeat(100));
    }, options);
    expect(found).toEqual(overLimit(limit));
  });

  it('of a body for who reads it whole', async () => {
    const raw = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      socket.write('x'.repeat(100_000));
    });
    const response = await client().request(raw.url);
    expect(await failure(response.text(1000))).toMatchObject(overLimit('limit'));
  });
});

describe('a server that leaves', () => {
  it.each([
    ['at once', 'NO_RESPONSE', ''],
    ['within the status line', 'RESPONSE_TRUNCATED', 'HTTP/1.1 2'],
    ['within the headers', 'RESPONSE_TRUNCATED', 'HTTP/1.1 200 OK\r\nA: b\r\n'],
    ['within a body', 'RESPONSE_TRUNCATED', OK.slice(0, -1)],
    ['within a chunk', 'RESPONSE_TRUNCATED', `${CHUNKED}5\r\nab`],
    ['before the last chunk', 'RESPONSE_TRUNCATED', `${CHUNKED}2\r\nab\r\n`],
  ])('%s', async (_, code, bytes) => {
    expect(await failureOf((socket) => socket.end(bytes))).toEqual(failed(code));
  });

  it('with a reset in the middle of a body', async () => {
    const found = await failureOf((socket) => {
      socket.write(`${CHUNKED}5\r\nab`, () => socket.resetAndDestroy());
    });
    expect(found).toEqual(failed('RESPONSE_TRUNCATED'));
  });
});

describe('a server that is slow', () => {
  it('has headTimeout for the head, however it drips', async () => {
    const found = await failureOf(
      (socket) => {
        let at = 0;
        const drip = setInterval(() => socket.write(OK[at++ % 10] as string), 20);
        socket.on('close', () => clearInterval(drip));
      },
      { headTimeout: 150 },
    );
    expect(found.code).toMatch(/TIMEOUT/);
    expect(found.phase).toBe('head');
  });

  it('has bodyTimeout between two pieces of a body', async () => {
    const found = await failureOf((socket) => socket.write(OK.slice(0, -1)), { bodyTimeout: 100 });
    expect(found).toEqual(failed('RESPONSE_TIMEOUT', 'body'));
  });

  it('has timeout for all of it', async () => {
    const found = await failureOf(
      (socket) => {
        socket.write(CHUNKED);
        const drip = setInterval(() => socket.write('1\r\na\r\n'), 20);
        socket.on('close', () => clearInterval(drip));
      },
      { timeout: 200 },
    );
    expect(found).toEqual(failed('RESPONSE_TIMEOUT', 'whole'));
  });

  it('has writeTimeout to take a request', async () => {
    const raw = await serveRaw((socket) => socket.pause());
    const one = client({ writeTimeout: 200 });
    const body = Buffer.alloc(32 * 1024 * 1024);
    const error = await failure(one.request(raw.url, { method: 'POST', body }));
    expect(error).toMatchObject({ code: 'ERR_RINGPOLL_RESPONSE_TIMEOUT', phase: 'write' });
  });
});

describe('bytes that nobody has asked for', () => {
  it('end the connection, and the next request goes over another one', async () => {
    const raw = await serveRaw((socket, nth) => {
      socket.write(OK);
      // Behind the response, or while the connection rests: it would be taken for the next one's.
      const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
      if (nth % 2 === 0) socket.write(evil);
      else setTimeout(() => socket.write(evil), 5);
    });
    const one = client();
    for (let i = 0; i < 10; i++) {
      const response = await one.request(raw.url, { method: i % 3 === 0 ? 'POST' : 'GET' });
      expect(await response.text()).toBe('ok');
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(raw.connections).toBe(10);
  });

  it('in one piece with a response do not touch that', async () => {
    const raw = await serveRaw((socket) => socket.write(`${OK}${OK}`));
    const one = client();
    for (let i = 0; i < 5; i++) expect(await (await one.request(raw.url)).text()).toBe('ok');
    expect(raw.connections).toBe(5);
  });

  it('in the first moment of a connection end it', async () => {
    const raw = await serveRaw(() => {});
    const { port } = new URL(raw.url);
    const { createServer } = await import('node:net');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 smtp\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port: own } = server.address() as { port: number };
    expect(own).not.toBe(Number(port));
    const error = await failure(client().request(`http://127.0.0.1:${own}/`));
    server.close();
    expect(error.code).toMatch(/^ERR_RINGPOLL_(RESPONSE_INVALID|NO_RESPONSE)$/);
  });
});
