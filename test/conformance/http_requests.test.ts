// What a handler sees of a request, and how requests of one connection follow each other.
import type { HttpRequest, HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import {
  deferred,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { overTls } from '../support/tls/switch.js';
import { roundTrips } from '../support/turns.js';

describe('a request', () => {
  it('is read as it was sent', async () => {
    let seen: unknown;
    const server = serveHttp({
      handler(request, response) {
        const { method, url, path, query, httpVersion, hasBody } = request;
        seen = [method, url, path, query, httpVersion, hasBody, request.headers()];
        response.end(request.header('X-Mixed-Case'));
      },
    });
    const client = await HttpClient.connect(server);
    const answer = await client.get('/a/b%20c?x=1&y', { 'x-MIXED-case': 'v 1', Cookie: 'a=1' });
    expect(answer.body).toBe('v 1');
    const headers = { host: 'test', 'x-mixed-case': 'v 1', cookie: 'a=1' };
    expect(seen).toEqual(['GET', '/a/b%20c?x=1&y', '/a/b%20c', 'x=1&y', '1.1', false, headers]);
  });

  it('of a later HTTP/1 is one of 1.1', async () => {
    const server = serveHttp({
      handler: (request, response) => response.end(request.httpVersion),
    });
    const text = ['1.2', '1.9', '1.1'].map((of) => `GET / HTTP/${of}\r\nHost: h\r\n\r\n`).join('');
    const answers = parseAnswers(await exchange(server, text));
    expect(answers.map(({ version, body }) => [version, body])).toEqual(
      Array.from({ length: 3 }, () => ['1.1', '1.1']),
    );
  });

  it('joins headers of the same name, and keeps them apart in rawHeaders()', async () => {
    const server = serveHttp({
      handler: (request, response) =>
        response.json([request.header('x-a'), request.header('cookie'), request.rawHeaders()]),
    });
    const text = 'GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nCookie: a\r\nx-a: 2\r\ncookie: b\r\n\r\n';
    const [answer] = parseAnswers(await exchange(server, text));
    const raw = ['Host', 'h', 'X-A', '1', 'Cookie', 'a', 'x-a', '2', 'cookie', 'b'];
    expect(JSON.parse(answer!.body)).toEqual(['1, 2', 'a; b', raw]);
  });

  it.each([
    ['http://test/a/b?c=d', '/a/b', 'c=d'],
    ['http://test', '/', ''],
    ['http://test?q', '/', 'q'],
  ])('in absolute form (%s) has a path', async (target, path, query) => {
    const server = serveHttp({
      handler: (request, response) => response.json([request.path, request.query, request.url]),
    });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', target)));
    expect(JSON.parse(answer!.body)).toEqual([path, query, target]);
  });

  it('can be used across await', async () => {
    const go = deferred();
    const server = serveHttp({
      async handler(request, response) {
        await go.promise;
        const { method, path, query } = request;
        response.json([method, path, query, request.header('x-q'), request.rawHeaders().length]);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('DELETE', '/one?two', { 'X-Q': 'q'.repeat(100) }));
    // Others pass through the memory that the first one was received into.
    const other = await HttpClient.connect(server);
    other.send(requestText('PUT', '/zzz?zzz', { 'X-Q': 'z'.repeat(100) }));
    const third = await HttpClient.connect(server);
    third.send('GET /slow');
    await new Promise(setImmediate);
    go.resolve();
    expect(JSON.parse((await client.next()).body)).toEqual([
      'DELETE',
      '/one',
      'two',
      'q'.repeat(100),
      4,
    ]);
    expect(JSON.parse((await other.next()).body)).toEqual([
      'PUT',
      '/zzz',
      'zzz',
      'z'.repeat(100),
      4,
    ]);
  });

  it('throws when it is used after its response has ended and the turn is over', async () => {
    const requests: HttpRequest[] = [];
    const server = serveHttp({
      handler(request, response) {
        requests.push(request);
        response.end('x');
      },
    });
    const client = await HttpClient.connect(server);
    await client.get('/first');
    await client.get('/second');
    const [request] = requests;
    const over = expect.objectContaining({ code: 'ERR_RINGPOLL_HTTP_REQUEST_OVER' });
    expect(() => request!.path).toThrow(over);
    expect(() => request!.method).toThrow(over);
    expect(() => request!.url).toThrow(over);
    expect(() => request!.query).toThrow(over);
    expect(() => request!.httpVersion).toThrow(over);
    expect(() => request!.header('host')).toThrow(over);
    expect(() => request!.headers()).toThrow(over);
    expect(() => request!.rawHeaders()).toThrow(over);
  });

  it('knows the address of its peer', async (context) => {
    context.skip(overTls, 'the peer is a relay');
    const server = serveHttp({
      handler: (request, response) => response.json([request.remoteAddress, request.remotePort]),
    });
    const client = await HttpClient.connect(server);
    const { localPort } = client.peer.socket;
    expect(JSON.parse((await client.get('/')).body)).toEqual(['127.0.0.1', localPort]);
  });
});

describe('a head that arrives in pieces', () => {
  const text = requestText('GET', '/piecewise?q=1', { 'X-One': '1', 'X-Two': 'two' });
  const server = () =>
    serveHttp({
      handler: (request, response) => response.json([request.url, request.headers()]),
    });
  const expected = ['/piecewise?q=1', { host: 'test', 'x-one': '1', 'x-two': 'two' }];

  it('is the same when it is cut anywhere', async () => {
    const target = server();
    for (let cut = 1; cut < text.length; cut += 1) {
      const client = await HttpClient.connect(target);
      client.send(text.slice(0, cut));
      await new Promise(setImmediate);
      client.send(text.slice(cut));
      expect(JSON.parse((await client.next()).body)).toEqual(expected);
      client.peer.destroy();
    }
  });

  it('is the same byte by byte', async () => {
    const client = await HttpClient.connect(server());
    for (const byte of text + text) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    expect(JSON.parse((await client.next()).body)).toEqual(expected);
    expect(JSON.parse((await client.next()).body)).toEqual(expected);
  });

  it('may be as long as maxHeadBytes', async () => {
    const client = await HttpClient.connect(server());
    const long = { 'X-Long': 'x'.repeat(15_000) };
    const head = requestText('GET', '/', long);
    for (let at = 0; at < head.length; at += 1000) {
      client.send(head.slice(at, at + 1000));
      await new Promise(setImmediate);
    }
    const [, headers] = JSON.parse((await client.next()).body);
    expect(headers['x-long']).toBe(long['X-Long']);
  });
});

describe('pipelined requests', () => {
  it('are answered in their order, whatever the order in which handlers finish', async () => {
    const waiting: { response: HttpResponse; path: string }[] = [];
    const all = deferred();
    const server = serveHttp({
      handler(request, response) {
        waiting.push({ response, path: request.path });
        if (waiting.length === 5) all.resolve();
      },
    });
    const client = await HttpClient.connect(server);
    client.send([1, 2, 3, 4, 5].map((n) => requestText('GET', `/${n}`)).join(''));
    await all.promise;
    for (const index of [3, 1, 4, 2, 0]) {
      const { response, path } = waiting[index]!;
      if (index === 4) {
        response.write(`streamed `);
        response.end(path);
      } else {
        response.header('X-Path', path).end(path);
      }
      await new Promise(setImmediate);
    }
    const bodies: string[] = [];
    for (let i = 0; i < 5; i += 1) bodies.push((await client.next()).body);
    expect(bodies).toEqual(['/1', '/2', '/3', '/4', 'streamed /5']);
  });

  it.each([1000, 5000])('are all answered: %d in one write', async (count) => {
    let handled = 0;
    const server = serveHttp({
      handler(request, response) {
        handled += 1;
        response.end(request.path);
      },
    });
    const texts = Array.from({ length: count }, (_, i) => requestText('GET', `/${i}`));
    const answers = parseAnswers(await exchange(server, texts.join('')));
    expect(handled).toBe(count);
    expect(answers.map(({ body }) => body)).toEqual(texts.map((_, i) => `/${i}`));
  });

  it('are not all taken while handlers are slow', async () => {
    const open: HttpResponse[] = [];
    let started = 0;
    const server = serveHttp({
      handler(request, response) {
        started += 1;
        open.push(response.header('X-Path', request.path));
      },
    });
    const count = 2000;
    const client = await HttpClient.connect(server);
    const texts = Array.from({ length: count }, (_, i) => requestText('GET', `/${i}`));
    client.send(texts.join(''));
    let most = 0;
    for (let done = 0; done < count; ) {
      while (open.length === 0) await new Promise(setImmediate);
      most = Math.max(most, open.length);
      for (const response of open.splice(0)) {
        response.end('x');
        done += 1;
      }
    }
    for (let i = 0; i < count; i += 1) {
      expect((await client.next()).headers['x-path']).toBe(`/${i}`);
    }
    expect(started).toBe(count);
    expect(most).toBeLessThanOrEqual(256);
  });

  it('of bodies and none in between', async () => {
    const server = serveHttp({
      async handler(request, response) {
        response.end(`${request.method}${request.path}:${await request.text()}`);
      },
    });
    const chunked = requestText('POST', '/c', { 'Transfer-Encoding': 'chunked' });
    const text =
      requestText('POST', '/a', { 'Content-Length': '3' }, 'abc') +
      requestText('GET', '/b') +
      `${chunked}2\r\nxy\r\n3;e=1\r\nz12\r\n0\r\n\r\n` +
      requestText('GET', '/d');
    const answers = parseAnswers(await exchange(server, text));
    expect(answers.map(({ body }) => body)).toEqual([
      'POST/a:abc',
      'GET/b:',
      'POST/c:xyz12',
      'GET/d:',
    ]);
  });
});

describe('a peer that ends its side', () => {
  it('still gets its answers', async () => {
    const go = deferred();
    const server = serveHttp({
      async handler(request, response) {
        await go.promise;
        response.end(request.path);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/1') + requestText('GET', '/2'));
    client.peer.end();
    await roundTrips();
    go.resolve();
    expect((await client.next()).body).toBe('/1');
    expect((await client.next()).body).toBe('/2');
    await client.peer.untilEnd();
  });

  it('aborts the signal of its requests', async () => {
    const aborted = deferred<unknown>();
    const server = serveHttp({
      handler(request) {
        request.signal.addEventListener('abort', () => aborted.resolve(request.signal.reason));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await roundTrips();
    client.peer.end();
    expect(await aborted.promise).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
  });

  it('does not, when half-open connections are allowed', async () => {
    const ended = deferred<HttpResponse>();
    let signal: AbortSignal | undefined;
    const server = serveHttp({
      allowHalfOpen: true,
      handler(request, response) {
        signal = request.signal;
        ended.resolve(response);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    client.peer.end();
    const response = await ended.promise;
    await roundTrips();
    expect(signal!.aborted).toBe(false);
    response.end('late');
    expect((await client.next()).body).toBe('late');
  });

  it('aborts by a reset too, and the body fails', async () => {
    const failed = deferred<unknown>();
    const started = deferred();
    const server = serveHttp({
      error() {},
      async handler(request) {
        started.resolve();
        await request.body().catch((error) => failed.resolve([error, request.signal.aborted]));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': '100' }, 'abc'));
    await started.promise;
    client.peer.reset();
    const [error, isAborted] = (await failed.promise) as [Error, boolean];
    expect(error).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
    expect(isAborted).toBe(true);
  });
});
