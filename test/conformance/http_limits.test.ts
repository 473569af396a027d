// Limits and time-outs: what is too much or too slow gets an answer, and the server lives on.
import type { HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import {
  deferred,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { roundTrips } from '../support/turns.js';

const ok = async (request: { body(): Promise<Buffer> }, response: HttpResponse) => {
  await request.body();
  response.end('ok');
};

const errorsOf = () => {
  const codes: unknown[] = [];
  return { codes, error: (error: Error) => void codes.push((error as { code?: string }).code) };
};

describe('limits', () => {
  const chunked = { 'Transfer-Encoding': 'chunked' };
  it.each([
    ['maxHeadBytes', 1024, 431, requestText('GET', '/', { A: 'x'.repeat(2000) })],
    ['maxUrlBytes', 50, 414, requestText('GET', `/${'x'.repeat(60)}`)],
    ['maxHeaders', 3, 431, requestText('GET', '/', { A: '1', B: '2', C: '3' })],
    ['maxBodyBytes', 10, 413, requestText('POST', '/', { 'Content-Length': '11' })],
    ['maxBodyBytes', 10, 413, requestText('POST', '/', chunked, 'b\r\n12345678901\r\n0\r\n\r\n')],
    [
      ...(['maxTrailerBytes', 64, 431] as const),
      requestText('POST', '/', chunked, `0\r\nA: ${'x'.repeat(100)}\r\n\r\n`),
    ],
    ['maxTrailers', 1, 431, requestText('POST', '/', chunked, '0\r\nA: 1\r\nB: 2\r\n\r\n')],
    [
      ...(['maxChunkExtensionBytes', 10, 413] as const),
      requestText('POST', '/', chunked, '1;aaaaaaaaaaaaaaaa=b\r\nx\r\n0\r\n\r\n'),
    ],
  ] as [string, number, number, string][])('%s %d: %d', async (name, value, status, text) => {
    const { codes, error } = errorsOf();
    const server = serveHttp({ [name]: value, handler: ok, error });
    const client = await HttpClient.connect(server);
    client.send(text);
    const answer = await client.next();
    expect(answer.status).toBe(status);
    expect(answer.headers.connection).toBe('close');
    await client.peer.untilEnd();
    expect(codes).toEqual([expect.stringMatching(/^ERR_RINGPOLL_HTTP_/)]);
    const other = await HttpClient.connect(server);
    expect((await other.get('/')).body).toBe('ok');
  });

  it('of a body reach a peer that is still sending', async () => {
    const server = serveHttp({ maxBodyBytes: 1000, handler: ok, error() {} });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', chunkedHeader));
    for (let i = 0; i < 80; i += 1) client.send(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    expect((await client.next()).status).toBe(413);
    await client.peer.untilEnd();
    expect(client.peer.error).toBeUndefined();
  });

  it('come behind the answers that are due', async () => {
    const first = deferred<HttpResponse>();
    const server = serveHttp({ handler: (_, response) => first.resolve(response), error() {} });
    const client = await HttpClient.connect(server);
    client.send(`${requestText('GET', '/')}GET /\x00 HTTP/1.1\r\n\r\n`);
    const response = await first.promise;
    await roundTrips();
    expect(client.peer.text).toBe('');
    response.end('first');
    expect((await client.next()).body).toBe('first');
    expect((await client.next()).status).toBe(400);
    await client.peer.untilEnd();
  });

  it('of the options are checked', () => {
    const wrong: [string, unknown, string][] = [
      ['maxHeadBytes', 10, 'OUT_OF_RANGE'],
      ['maxHeadBytes', '1', 'INVALID_ARG_TYPE'],
      ['maxHeaders', 1001, 'OUT_OF_RANGE'],
      ['minSendRate', -1, 'OUT_OF_RANGE'],
      ['minReceiveRate', '1', 'INVALID_ARG_TYPE'],
      ['rateWindow', 0, 'OUT_OF_RANGE'],
      ['keepAliveTimeout', -1, 'OUT_OF_RANGE'],
      ['maxRequestsPerConnection', 0, 'OUT_OF_RANGE'],
      ['lenient', 1, 'INVALID_ARG_TYPE'],
      ['serverHeader', 'a\r\nb', 'INVALID_ARG_VALUE'],
      ['proxyProtocol', ['300.1.1.1'], 'INVALID_ARG_VALUE'],
      ['proxyProtocol', ['10.0.0.0/33'], 'INVALID_ARG_VALUE'],
      ['proxyProtocol', '10.0.0.0/8', 'INVALID_ARG_TYPE'],
      ['handler', 1, 'INVALID_ARG_TYPE'],
      ['fetch', () => {}, 'INVALID_ARG_VALUE'],
      ['error', 1, 'INVALID_ARG_TYPE'],
      ['static', { x: { body: '' } }, 'INVALID_ARG_VALUE'],
      ['static', { '/x': {} }, 'INVALID_ARG_TYPE'],
      ['static', { '/x': { body: '', headers: { Date: 'x' } } }, 'INVALID_ARG_VALUE'],
      ['routes', { x() {} }, 'INVALID_ARG_VALUE'],
    ];
    for (const [name, value, code] of wrong) {
      expect(() => serveHttp({ handler: ok, [name]: value }), name).toThrow(
        expect.objectContaining({ code: `ERR_RINGPOLL_${code}` }),
      );
    }
  });
});

const chunkedHeader = { 'Transfer-Encoding': 'chunked' };

describe('time-outs', () => {
  it('close an idle connection, also one that never asked', async () => {
    const server = serveHttp({ keepAliveTimeout: 60, headersTimeout: 60, handler: ok });
    const silent = await HttpClient.connect(server);
    const client = await HttpClient.connect(server);
    expect((await client.get('/')).body).toBe('ok');
    const start = performance.now();
    await client.peer.untilEnd();
    await silent.peer.untilEnd();
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('leave an idle connection alone until then', async () => {
    const server = serveHttp({ keepAliveTimeout: 400, handler: ok });
    const client = await HttpClient.connect(server);
    for (let i = 0; i < 8; i += 1) {
      expect((await client.get('/')).body).toBe('ok');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(client.peer.ended).toBe(false);
  });

  it('do not count what a handler takes', async () => {
    const server = serveHttp({
      ...{ keepAliveTimeout: 40, headersTimeout: 40, requestTimeout: 40, readTimeout: 40 },
      async handler(_, response) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        response.end('slow');
      },
    });
    const client = await HttpClient.connect(server);
    expect((await client.get('/')).body).toBe('slow');
  });

  it.each([
    ['headersTimeout', 'GET / HTTP/1.1\r\n', 'X: y\r\n', 'HEADERS'],
    ['readTimeout', 'GET / HTTP/1.1\r\nHost:', '', 'HEADERS'],
    ['requestTimeout', requestText('POST', '/', { 'Content-Length': '9999' }), 'x', 'REQUEST'],
    ['readTimeout', requestText('POST', '/', { 'Content-Length': '9999' }, 'abc'), '', 'REQUEST'],
    ['readTimeout', requestText('POST', '/', chunkedHeader, '5\r\nab'), '', 'REQUEST'],
  ])('%s: 408 in the middle of %j', async (name, start, drip, what) => {
    const { codes, error } = errorsOf();
    const server = serveHttp({ [name]: 150, handler: ok, error });
    const client = await HttpClient.connect(server);
    client.send(start);
    // Slow bytes do not help.
    const dripping = drip === '' ? undefined : setInterval(() => client.send(drip), 20);
    try {
      const answer = await client.next();
      expect(answer.status).toBe(408);
      expect(answer.headers.connection).toBe('close');
    } finally {
      clearInterval(dripping);
    }
    await client.peer.untilEnd();
    expect(codes).toContain(`ERR_RINGPOLL_HTTP_${what}_TIMEOUT`);
  });

  it('do not count while the reader of a body is behind', async () => {
    const go = deferred();
    const total = 4_000_000;
    const server = serveHttp({
      ...{ readTimeout: 150, requestTimeout: 150 },
      async handler(request, response) {
        let bytes = 0;
        for await (const piece of request.stream()) {
          if (bytes === 0) await go.promise;
          bytes += piece.length;
        }
        response.end(String(bytes));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': String(total) }));
    client.send(Buffer.alloc(total));
    setTimeout(() => go.resolve(), 600);
    expect((await client.next()).body).toBe(String(total));
  });

  it('give up a peer that takes nothing', async () => {
    const closed = deferred<unknown>();
    const server = serveHttp({
      writeTimeout: 150,
      handler(request, response) {
        request.signal.addEventListener('abort', () => closed.resolve(request.signal.reason));
        response.write(Buffer.alloc(16 * 1024 * 1024));
      },
    });
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    client.send(requestText('GET', '/'));
    expect(await closed.promise).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
  });

  it('do not give up a peer that is slow', async () => {
    const total = 6 * 1024 * 1024;
    const server = serveHttp({
      ...{ writeTimeout: 1000, keepAliveTimeout: 100 },
      handler: (_, response) => response.end(Buffer.alloc(total)),
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/', { Connection: 'close' }));
    const { socket } = client.peer;
    const slow = setInterval(() => {
      socket.pause();
      setTimeout(() => socket.resume(), 15);
    }, 30);
    try {
      await client.peer.received(total);
    } finally {
      clearInterval(slow);
      socket.resume();
    }
    const [answer] = parseAnswers(await client.peer.untilEnd());
    expect(answer!.body.length).toBe(total);
  });

  it('end a connection whose peer does not', async () => {
    const server = serveHttp({ lingerTimeout: 80, handler: ok });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/', { Connection: 'close' }));
    await client.peer.untilEnd();
    const deadline = performance.now() + 5000;
    while (server.connections > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(server.connections).toBe(0);
  });

  it('bound what a peer may send behind its last answer', async () => {
    const server = serveHttp({ maxLingerBytes: 100_000, handler: ok });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/', { Connection: 'close' }));
    await client.peer.untilEnd();
    const sending = setInterval(() => client.send(Buffer.alloc(50_000)), 5);
    try {
      await client.peer.untilClosed();
    } finally {
      clearInterval(sending);
    }
    expect(server.connections).toBe(0);
  });

  it('can be switched off', async () => {
    const server = serveHttp({
      ...{ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0, readTimeout: 0 },
      ...{ writeTimeout: 0, lingerTimeout: 0 },
      handler: ok,
    });
    const client = await HttpClient.connect(server);
    client.send('GET / HTTP/1.1\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.send('Host: x\r\n\r\n');
    expect((await client.next()).body).toBe('ok');
  });
});

describe('what could smuggle a request', () => {
  const inner = requestText('GET', '/smuggled');
  it.each([
    [
      'two lengths',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n${inner}`,
    ],
    ['a list of lengths', `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n${inner}`],
    [
      'length and chunks',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n` +
        `\r\n0\r\n\r\n${inner}`,
    ],
    [
      'chunks twice',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'a space before the colon',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'an unknown coding',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    ['a signed length', `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n12345${inner}`],
    [
      'a hexadecimal length',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n12345${inner}`,
    ],
    ['a folded line', `GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n Content-Length: 5\r\n\r\n${inner}`],
    ['a bare line feed', `GET / HTTP/1.1\nHost: x\n\n${inner}`],
    ['a bare carriage return', `GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n${inner}`],
    ['no Host', `GET / HTTP/1.1\r\n\r\n${inner}`],
    ['two Hosts', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${inner}`],
    [
      'chunks in HTTP/1.0',
      `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'a chunk size that overflows',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n` +
        `\r\n10000000000000000\r\n${inner}`,
    ],
    [
      'a chunk without its end',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n` +
        `\r\n3\r\nabcd\r\n0\r\n\r\n${inner}`,
    ],
    [
      'a line feed in a chunk extension',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n${inner}`,
    ],
    ['NUL in a value', `GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n${inner}`],
  ])('is refused: %s', async (_, text) => {
    const paths: string[] = [];
    const server = serveHttp({
      error() {},
      async handler(request, response) {
        paths.push(request.path);
        await request.body();
        response.end('served');
      },
    });
    const answers = parseAnswers(await exchange(server, Buffer.from(text, 'latin1')));
    expect(answers).toHaveLength(1);
    expect(answers[0]!.status).toBeGreaterThanOrEqual(400);
    expect(answers[0]!.headers.connection).toBe('close');
    expect(paths).not.toContain('/smuggled');
  });
});
