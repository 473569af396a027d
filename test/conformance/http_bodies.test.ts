// Bodies on their way up.

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
import { pattern } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const echo = async (request: HttpRequest, response: HttpResponse) => {
  const body = await request.body();
  response.header('X-Trailers', JSON.stringify(request.trailers)).end(body);
};

const chunkedText = (path: string, chunks: string) =>
  requestText('POST', path, { 'Transfer-Encoding': 'chunked' }, chunks);

describe('a whole body', () => {
  it.each([1, 100, 65_536, 1_000_000, 1_100_000, 5_000_000])('of %d bytes', async (length) => {
    const bytes = pattern(length);
    const client = await HttpClient.connect(serveHttp({ handler: echo }));
    client.send(requestText('POST', '/', { 'Content-Length': String(length) }));
    client.send(bytes);
    expect((await client.next()).body === bytes.toString('latin1')).toBe(true);
  });

  it('is text, JSON, or nothing', async () => {
    const server = serveHttp({
      async handler(request, response) {
        if (request.path === '/json') response.json(await request.json());
        else response.json([await request.text(), request.hasBody]);
      },
    });
    const client = await HttpClient.connect(server);
    const text = Buffer.from('grün').toString('latin1');
    expect((await client.post('/', text)).body).toBe(`["${text}",true]`);
    expect((await client.post('/json', '{"a":[1]}')).body).toBe('{"a":[1]}');
    expect((await client.get('/')).body).toBe('["",false]');
    expect((await client.post('/', '')).body).toMatch(/^\["",(true|false)\]$/);
  });

  it('that is no JSON gets 400', async () => {
    const server = serveHttp({
      error() {},
      handler: async (request, response) => response.json(await request.json()),
    });
    const client = await HttpClient.connect(server);
    expect((await client.post('/', '{"a":')).status).toBe(400);
    expect((await client.post('/', '[1]')).body).toBe('[1]');
  });

  it('is limited by the call', async () => {
    const server = serveHttp({
      error() {},
      handler: async (request, response) => response.end(await request.body({ limit: 10 })),
    });
    const fits = await HttpClient.connect(server);
    expect((await fits.post('/', '1234567890')).status).toBe(200);
    expect((await fits.post('/', '12345678901')).status).toBe(413);
    const chunked = await HttpClient.connect(server);
    chunked.send(chunkedText('/', '8\r\n12345678\r\n8\r\n12345678\r\n'));
    expect((await chunked.next()).status).toBe(413);
    await chunked.peer.untilEnd();
  });

  it('can be read once', async () => {
    let error: unknown;
    const server = serveHttp({
      async handler(request, response) {
        await request.body();
        error = await request.body().catch((thrown) => thrown);
        response.end();
      },
    });
    await (await HttpClient.connect(server)).post('/', 'x');
    expect(error).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_BODY_USED' });
  });

  it('can be read later', async () => {
    const server = serveHttp({
      async handler(request, response) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        response.end(await request.body());
      },
    });
    const client = await HttpClient.connect(server);
    expect((await client.post('/', 'later')).body).toBe('later');
    const long = 'x'.repeat(900_000);
    expect((await client.post('/', long)).body).toBe(long);
  });
});

describe('a chunked body', () => {
  const chunks =
    '5;ext="a b"\r\nhello\r\n1\r\n,\r\nA\r\n0123456789\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n';
  const text = chunkedText('/', chunks) + requestText('GET', '/next');

  it('is the same when it is cut anywhere', async () => {
    const server = serveHttp({ handler: echo });
    const start = text.indexOf('\r\n\r\n');
    for (let cut = start; cut < text.length; cut += 1) {
      const client = await HttpClient.connect(server);
      client.send(text.slice(0, cut));
      await new Promise(setImmediate);
      client.send(text.slice(cut));
      const answer = await client.next();
      expect(answer.body).toBe('hello,0123456789');
      expect(answer.headers['x-trailers']).toBe('{"x-sum":"7, 8"}');
      expect((await client.next()).status).toBe(200);
      client.peer.destroy();
    }
  });

  it('has trailers whose names every object has', async () => {
    const server = serveHttp({ handler: echo });
    const client = await HttpClient.connect(server);
    client.send(chunkedText('/', '0\r\nConstructor: a\r\nToString: b\r\ntostring: c\r\n\r\n'));
    const trailers = JSON.parse(String((await client.next()).headers['x-trailers']));
    expect(trailers).toEqual({ constructor: 'a', tostring: 'b, c' });
  });

  it('is the same byte by byte', async () => {
    const client = await HttpClient.connect(serveHttp({ handler: echo }));
    for (const byte of text) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    expect((await client.next()).body).toBe('hello,0123456789');
  });
});

describe('a streamed body', () => {
  it('comes in pieces and in order', async () => {
    const bytes = pattern(3_000_000);
    const server = serveHttp({
      async handler(request, response) {
        const pieces: Buffer[] = [];
        for await (const piece of request.stream()) pieces.push(piece);
        response.json([pieces.length > 1, Buffer.concat(pieces).equals(bytes)]);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': String(bytes.length) }));
    client.send(bytes);
    expect((await client.next()).body).toBe('[true,true]');
  });

  it('pauses the peer while nobody asks', async () => {
    const total = 32 * 1024 * 1024;
    const go = deferred();
    const server = serveHttp({
      async handler(request, response) {
        await go.promise;
        let bytes = 0;
        for await (const piece of request.stream()) bytes += piece.length;
        response.end(String(bytes));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': String(total) }));
    const piece = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 32; i += 1) client.peer.socket.write(piece);
    await roundTrips(200);
    // What the kernel's buffers and ours hold has left; most has not.
    expect(client.peer.socket.writableLength).toBeGreaterThan(total / 4);
    go.resolve();
    expect((await client.next()).body).toBe(String(total));
  });

  it('can be left early, and the rest is dropped', async () => {
    const server = serveHttp({
      async handler(request, response) {
        for await (const piece of request.stream()) {
          response.end(String(piece.length > 0));
          break;
        }
      },
    });
    const client = await HttpClient.connect(server);
    expect((await client.post('/', 'x'.repeat(50))).body).toBe('true');
    expect((await client.post('/', 'x'.repeat(50))).body).toBe('true');
    const long = await HttpClient.connect(server);
    long.send(requestText('POST', '/', { 'Content-Length': '100000000' }, 'x'));
    expect((await long.next()).body).toBe('true');
    await long.peer.untilEnd();
  });

  it('goes back while it comes', async () => {
    const server = serveHttp({
      async handler(request, response) {
        for await (const piece of request.stream()) {
          if (!response.write(piece)) await response.drained();
        }
        response.end();
      },
    });
    const bytes = pattern(4_000_000);
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': String(bytes.length) }));
    client.send(bytes);
    const answer = await client.next();
    expect(answer.body === bytes.toString('latin1')).toBe(true);
    expect((await client.post('/', 'again')).body).toBe('again');
  });
});

describe('a body that nobody reads', () => {
  it('does not get in the way of the next request', async () => {
    const server = serveHttp({ handler: (request, response) => response.end(request.path) });
    const text = requestText('POST', '/a', { 'Content-Length': '5' }, '12345');
    const answers = parseAnswers(
      await exchange(server, `${text}${chunkedText('/b', '3\r\nabc\r\n0\r\n\r\n')}${text}`),
    );
    expect(answers.map(({ body }) => body)).toEqual(['/a', '/b', '/a']);
  });

  it('that is long ends the connection, and the answer arrives', async () => {
    const server = serveHttp({ handler: (_, response) => response.status(401).end('no') });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': '50000000' }));
    client.send(Buffer.alloc(8_000_000));
    const answer = await client.next();
    expect(answer).toMatchObject({ status: 401, body: 'no' });
    expect(answer.headers.connection).toBe('close');
    await client.peer.untilEnd();
    expect(client.peer.error).toBeUndefined();
  });
});

describe('a response that ends before the body of its request', () => {
  const read = {
    'body()': (request: HttpRequest) => request.body(),
    'text()': (request: HttpRequest) => request.text(),
    async 'stream()'(request: HttpRequest) {
      for await (const piece of request.stream()) expect(piece.length).toBeGreaterThan(0);
    },
  };
  const head = (chunked: boolean) =>
    requestText(
      'POST',
      '/',
      chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': '10' },
    );
  const pieces = (chunked: boolean) =>
    chunked ? ['5\r\nfirst\r\n', '4\r\nlast\r\n0\r\n\r\n'] : ['first', ' last'];
  const cases = Object.keys(read).flatMap((how) =>
    [true, false].flatMap((chunked) =>
      [true, false].map((before) => ({ how: how as keyof typeof read, chunked, before })),
    ),
  );

  it.each(cases)(
    'tells whoever reads it: $how, chunked $chunked, begun before $before',
    async ({ how, chunked, before }) => {
      const outcome = deferred<unknown>();
      const server = serveHttp({
        async handler(request, response) {
          if (request.method === 'GET') return response.end('next');
          const failure = (error: unknown) => error;
          const reading = before ? read[how](request).then(undefined, failure) : undefined;
          if (before) await new Promise(setImmediate);
          response.end('early');
          outcome.resolve(await (reading ?? read[how](request).then(undefined, failure)));
        },
      });
      const client = await HttpClient.connect(server);
      const [first, last] = pieces(chunked);
      client.send(head(chunked) + first);
      expect((await client.next()).body).toBe('early');
      client.send(last!);
      expect(await outcome.promise).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_REQUEST_OVER' });
      expect((await client.get('/')).body).toBe('next');
    },
  );

  it('leaves a body that is there already', async () => {
    const outcome = deferred<string>();
    const server = serveHttp({
      async handler(request, response) {
        await new Promise(setImmediate);
        response.end('early');
        outcome.resolve(await request.text());
      },
    });
    const client = await HttpClient.connect(server);
    expect((await client.post('/', 'hello')).body).toBe('early');
    expect(await outcome.promise).toBe('hello');
  });
});

describe('Expect: 100-continue', () => {
  const expecting = { 'Content-Length': '5', Expect: '100-continue' };

  it('may wait longer for the handler than a peer may be silent', async () => {
    const server = serveHttp({
      readTimeout: 50,
      async handler(request, response) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        echo(request, response);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', expecting));
    expect((await client.next()).status).toBe(100);
    client.send('12345');
    expect((await client.next()).body).toBe('12345');
  });

  it('can be refused with 417, and nothing of the body is taken', async () => {
    const server = serveHttp({ handler: (_, response) => response.status(417).end('too long') });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', expecting));
    expect(await client.next()).toMatchObject({ status: 417, body: 'too long' });
    client.send(`12345${requestText('GET', '/')}`);
    expect(await client.peer.untilEnd()).not.toContain('HTTP/1.1 2');
  });

  it('is answered when the body is read', async () => {
    const client = await HttpClient.connect(serveHttp({ handler: echo }));
    client.send(requestText('POST', '/', expecting));
    expect((await client.next()).status).toBe(100);
    client.send('12345');
    expect((await client.next()).body).toBe('12345');
    expect((await client.post('/', 'more')).body).toBe('more');
  });

  it('is not answered when it is not read: the answer ends the connection', async () => {
    const server = serveHttp({ handler: (_, response) => response.status(403).end() });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', expecting));
    const answer = await client.next();
    expect(answer.status).toBe(403);
    expect(answer.headers.connection).toBe('close');
    await client.peer.untilEnd();
  });

  it('is answered in turn', async () => {
    const first = deferred<HttpResponse>();
    const server = serveHttp({
      handler: (request, response) =>
        request.path === '/1' ? first.resolve(response) : echo(request, response),
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/1') + requestText('POST', '/2', expecting));
    (await first.promise).end('first');
    expect((await client.next()).body).toBe('first');
    expect((await client.next()).status).toBe(100);
    client.send('12345');
    expect((await client.next()).body).toBe('12345');
  });

  it('with anything else gets 417', async () => {
    const server = serveHttp({ handler: echo });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', '/', { Expect: 'x' })));
    expect(answer!.status).toBe(417);
  });
});

describe('a body that nobody reads, more than is kept unread', () => {
  it('does not keep the next request of its connection waiting', async () => {
    const begun = deferred<HttpResponse>();
    const server = serveHttp({
      async handler(request, response) {
        if (request.path === '/unread') begun.resolve(response);
        else response.end(String((await request.body()).length));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/unread', { 'Content-Length': '300000' }));
    client.send(Buffer.alloc(200_000));
    const response = await begun.promise;
    await roundTrips(3);
    client.send(Buffer.alloc(100_000)); // its end comes in the turn in which reading is paused
    await roundTrips(3);
    response.end('answered');
    expect((await client.next()).body).toBe('answered');
    client.send(requestText('POST', '/read', { 'Content-Length': '50000' }));
    client.send(Buffer.alloc(50_000));
    expect((await client.next()).body).toBe('50000');
  });
});
