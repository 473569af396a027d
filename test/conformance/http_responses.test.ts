// What a handler can answer, and how it is framed.
import { Loop } from 'ringpoll';
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
import { Random } from '../support/random.js';
import { pattern } from '../support/serve.js';
import { overTls } from '../support/tls/switch.js';

type Write = (response: HttpResponse) => unknown;

/** What the peer gets from a handler, to the end of the connection. */
async function answersOf(write: Write, text = requestText('GET', '/'), methods: string[] = []) {
  const server = serveHttp({ handler: (_, response) => write(response), error() {} });
  return parseAnswers(await exchange(server, text), methods);
}

describe('a whole response', () => {
  it('carries Date, Server, Content-Type and Content-Length', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const [answer] = await answersOf((r) => r.header('Content-Type', 'text/x').end('grüße'));
    expect(answer).toMatchObject({ status: 200, version: '1.1' });
    expect(answer!.headers).toMatchObject({
      server: 'ringpoll',
      'content-type': 'text/x',
      'content-length': '7',
    });
    expect(Date.parse(answer!.headers.date!)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(answer!.headers.date!)).toBeLessThanOrEqual(Date.now());
    expect(answer!.headers.connection).toBe('keep-alive');
    expect(Buffer.from(answer!.body, 'latin1').toString()).toBe('grüße');
  });

  it.each([
    ['empty', undefined, ''],
    ['an empty string', '', ''],
    ['bytes', Buffer.from([0, 255, 10, 13]), '\x00\xff\n\r'],
    ['a view of other memory', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), '\x02\x03'],
    ['what has no UTF-8', 'a\ud800b', Buffer.from('a\ufffdb').toString('latin1')],
  ])('may be %s', async (_, body, expected) => {
    const [answer] = await answersOf((response) => response.end(body));
    expect(answer!.body).toBe(expected);
    expect(answer!.headers['content-length']).toBe(String(expected.length));
  });

  it('may be the one before again, or differ from it in a little', async () => {
    const [bodies, fields] = [
      ['OK', 'KO', '', 'é', 'Hello, World!', 'Hello, World?'],
      ['a', 'b'],
    ];
    const random = new Random(0x5ca1e);
    const said: number[] = [0];
    while (said.length < 5000) {
      const another = Math.floor(random.next() * bodies.length * fields.length);
      said.push(random.next() < 0.7 ? said.at(-1)! : another);
    }
    let asked = 0;
    const handler = (_: unknown, response: HttpResponse) => {
      const which = said[asked++]!;
      response.header('X-Which', fields[which % 2]!).end(bodies[which >> 1]);
    };
    const text = requestText('GET', '/').repeat(said.length);
    const answers = parseAnswers(await exchange(serveHttp({ handler }), text));
    const got = answers.map(({ headers, body }) => [headers['x-which'], body]);
    const latin1 = (body: string) => Buffer.from(body).toString('latin1');
    expect(got).toEqual(said.map((which) => [fields[which % 2], latin1(bodies[which >> 1]!)]));
  });

  it.each([1, 15, 16, 17, 4095, 4097, 21_000, 22_000, 32_768, 33_000, 300_000, 3_000_000])(
    'may be %d bytes long, as text and as bytes',
    async (length) => {
      const bytes = pattern(length);
      const text = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
      const [one] = await answersOf((response) => response.end(bytes));
      expect(one!.body === bytes.toString('latin1')).toBe(true);
      const [two] = await answersOf((response) => response.header('X-A', 'b').end(text));
      expect(Buffer.from(two!.body, 'latin1').toString() === text).toBe(true);
    },
  );

  it('leaves with its head in one system call, sent from where it is', async (context) => {
    context.skip(overTls, 'TLS sends no body from where it is');
    const body = pattern(40_000);
    const before = Loop.current().metrics().sends;
    const [answer] = await answersOf((response) => response.end(body));
    expect(answer!.body === body.toString('latin1')).toBe(true);
    expect(Loop.current().metrics().sends).toBe(before + 1);
  });

  it('has the headers that were set', async () => {
    const [answer] = await answersOf((response) =>
      response
        .status(201)
        .header('X-A', '1')
        .header('X-B', 2)
        .header('Content-Type', 'a/b')
        .header('content-type', 'c/d')
        .end('x'),
    );
    expect(answer!.status).toBe(201);
    expect(answer!.headers).toMatchObject({ 'x-a': '1', 'x-b': '2', 'content-type': 'c/d' });
  });

  it('has a Date that follows the clock', async () => {
    const server = serveHttp({ handler: (_, response) => response.end() });
    const client = await HttpClient.connect(server);
    const second = (time: number) => Math.floor(time / 1000);
    const dates = new Set<number>();
    for (const end = Date.now() + 2200; Date.now() < end; ) {
      const before = Date.now();
      const { headers } = await client.get('/');
      const date = second(Date.parse(headers.date!));
      // It is made at most once a turn, and the turn may have begun before.
      expect(date).toBeGreaterThanOrEqual(second(before - 100));
      expect(date).toBeLessThanOrEqual(second(Date.now()));
      dates.add(date);
      await new Promise(setImmediate);
    }
    expect(dates.size).toBeGreaterThanOrEqual(2);
  });

  it('may bring its own Date and Server, and none', async () => {
    const [own] = await answersOf((r) => r.header('Date', 'then').header('Server', 'me').end());
    expect(own!.headers).toMatchObject({ date: 'then', server: 'me' });
    const server = serveHttp({ serverHeader: false, handler: (_, response) => response.end() });
    const [none] = parseAnswers(await exchange(server, requestText('GET', '/')));
    expect(none!.headers.server).toBeUndefined();
  });

  it('may have many different types and a long one', async () => {
    let count = 0;
    const server = serveHttp({
      handler(_, response) {
        count += 1;
        const long = count % 100 === 0 ? 'y'.repeat(1000) : '';
        response.header('Content-Type', `x/${count}${long}`).end();
      },
    });
    const text = requestText('GET', '/').repeat(700);
    const answers = parseAnswers(await exchange(server, text));
    expect(answers).toHaveLength(700);
    answers.forEach(({ headers }, index) => {
      const long = (index + 1) % 100 === 0 ? 'y'.repeat(1000) : '';
      expect(headers['content-type']).toBe(`x/${index + 1}${long}`);
    });
  });

  it('is JSON', async () => {
    const [answer] = await answersOf((response) => response.json({ a: [1, 'ä'] }));
    expect(answer!.headers['content-type']).toBe('application/json');
    expect(JSON.parse(Buffer.from(answer!.body, 'latin1').toString())).toEqual({ a: [1, 'ä'] });
  });
});

describe('responses without a body', () => {
  it.each([204, 304])('to %d have no length', async (status) => {
    const answers = await answersOf(
      (response) => response.status(status).end('ignored'),
      requestText('GET', '/').repeat(2),
    );
    expect(answers).toHaveLength(2);
    expect(answers[0]!.headers['content-length']).toBeUndefined();
    expect(answers[0]!.headers['transfer-encoding']).toBeUndefined();
  });

  it('to HEAD say how long it would be', async () => {
    const text = requestText('HEAD', '/').repeat(3);
    const heads = ['HEAD', 'HEAD', 'HEAD'];
    for (const body of ['grüße', Buffer.from('grüße'), 'é'.repeat(50_000)]) {
      const answers = await answersOf((response) => response.end(body), text, heads);
      const length = String(Buffer.byteLength(body));
      expect(answers.map(({ headers }) => headers['content-length'])).toEqual([
        length,
        length,
        length,
      ]);
    }
  });

  it('to HEAD may be streamed for nobody', async () => {
    const streamed = (response: HttpResponse) => {
      response.write('abc');
      response.end('def');
    };
    const text = requestText('HEAD', '/') + requestText('GET', '/');
    const answers = await answersOf(streamed, text, ['HEAD']);
    expect(answers[0]!.headers['transfer-encoding']).toBe('chunked');
    expect(answers[1]!.body).toBe('abcdef');
  });
});

describe('a response of unknown length', () => {
  const stream = async (response: HttpResponse) => {
    response.header('X-A', '1').write('one,');
    await new Promise(setImmediate);
    response.write(Buffer.from('two,'));
    response.write('');
    response.write(new Uint8Array(0));
    response.end('grün');
  };

  it('is chunked', async () => {
    const [answer] = await answersOf(stream);
    expect(answer!.headers).toMatchObject({ 'x-a': '1', 'transfer-encoding': 'chunked' });
    expect(answer!.headers['content-length']).toBeUndefined();
    expect(Buffer.from(answer!.body, 'latin1').toString()).toBe('one,two,grün');
  });

  it('ends with the connection for HTTP/1.0', async () => {
    const text = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const [answer, ...more] = await answersOf(stream, text + text);
    expect(answer!.headers['transfer-encoding']).toBeUndefined();
    expect(answer!.headers.connection).toBe('close');
    expect(Buffer.from(answer!.body, 'latin1').toString()).toBe('one,two,grün');
    expect(more).toEqual([]);
  });

  it('has trailers', async () => {
    const withTrailers = (response: HttpResponse) => {
      response.write('x');
      response.trailer('X-Sum', '1').trailer('X-More', '2').end();
    };
    const [answer] = await answersOf(withTrailers);
    expect(answer).toMatchObject({ body: 'x', trailers: { 'x-sum': '1', 'x-more': '2' } });
    const [whole] = await answersOf((response) => response.trailer('X-T', 'v').end('whole'));
    expect(whole).toMatchObject({ body: 'whole', trailers: { 'x-t': 'v' } });
    const old = 'GET / HTTP/1.0\r\n\r\n';
    const [none] = await answersOf((response) => response.trailer('X-T', 'v').end('whole'), old);
    expect(none).toMatchObject({ body: 'whole', trailers: {} });
  });

  it('may have its head sent first, and nothing after it', async () => {
    const text = requestText('GET', '/') + requestText('HEAD', '/') + requestText('GET', '/');
    const handler = (response: HttpResponse) => {
      response.flushHead();
      response.end();
    };
    const answers = await answersOf(handler, text, ['GET', 'HEAD', 'GET']);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, ''],
      [200, ''],
      [200, ''],
    ]);
  });

  it('is not chunked when its length was set', async () => {
    const [answer] = await answersOf((response) => {
      response.header('Content-Length', 6).write('abc');
      response.end('def');
    });
    expect(answer!.headers['content-length']).toBe('6');
    expect(answer!.body).toBe('abcdef');
  });

  it('waits for a peer that does not read', async () => {
    const total = 8 * 1024 * 1024;
    const piece = pattern(64 * 1024);
    let written = 0;
    let sawFalse = false;
    const paused = deferred();
    const server = serveHttp({
      writeTimeout: 0,
      async handler(_, response) {
        while (written < total) {
          written += piece.length;
          if (!response.write(piece)) {
            sawFalse = true;
            paused.resolve();
            await response.drained();
          }
        }
        response.end();
      },
    });
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    client.send(requestText('GET', '/', { Connection: 'close' }));
    await paused.promise;
    client.peer.socket.resume();
    const [answer] = parseAnswers(await client.peer.untilEnd());
    expect(answer!.body.length).toBe(total);
    expect(sawFalse).toBe(true);
    expect(written).toBe(total);
  });
});

describe('mistakes of a handler', () => {
  const code = (name: string) => expect.objectContaining({ code: `ERR_RINGPOLL_${name}` });

  it.each([
    ['a line break in a value', (r: HttpResponse) => r.header('X-A', 'a\r\nX-B: c')],
    ['a line feed in a value', (r: HttpResponse) => r.header('X-A', 'a\nb')],
    ['NUL in a value', (r: HttpResponse) => r.header('X-A', 'a\0b')],
    ['a character beyond Latin-1', (r: HttpResponse) => r.header('X-A', '\u{1f642}')],
    ['a long value with a line break', (r: HttpResponse) => r.header('A', `${'a'.repeat(99)}\r`)],
    ['a line break in a name', (r: HttpResponse) => r.header('X\r\nY', 'a')],
    ['an empty name', (r: HttpResponse) => r.header('', 'a')],
    ['a space in a name', (r: HttpResponse) => r.header('X A', 'a')],
    ['a line break in Content-Type', (r: HttpResponse) => r.header('Content-Type', 'a\r\nb: c')],
    ['a line break in a trailer', (r: HttpResponse) => r.trailer('X', 'a\r\n')],
    ['a line break in 103', (r: HttpResponse) => r.informational(103, { Link: 'a\r\n\r\n' })],
    ['a length in a trailer', (r: HttpResponse) => r.trailer('Content-Length', '5')],
    ['a coding in a trailer', (r: HttpResponse) => r.trailer('transfer-encoding', 'chunked')],
    ['a length in 103', (r: HttpResponse) => r.informational(103, { 'Content-Length': '5' })],
    ['Transfer-Encoding', (r: HttpResponse) => r.header('Transfer-Encoding', 'gzip')],
    ['a length that is none', (r: HttpResponse) => r.header('Content-Length', '-1')],
    ['status 199', (r: HttpResponse) => r.status(199)],
    ['status 600', (r: HttpResponse) => r.status(600)],
    ['status 200.5', (r: HttpResponse) => r.status(200.5)],
    ['a body of numbers', (r: HttpResponse) => r.end(5 as never)],
    [
      'too many headers',
      (r: HttpResponse) => {
        for (let i = 0; i < 40; i += 1) r.header(`X-${i}`, 'x'.repeat(1000));
      },
    ],
  ])('throw: %s', async (_, mistake) => {
    let thrown: unknown;
    const [answer, ...more] = await answersOf((response) => {
      try {
        mistake(response);
      } catch (error) {
        thrown = error;
      }
      response.status(200).end('fine');
    });
    expect(thrown).toBeInstanceOf(Error);
    expect(answer).toMatchObject({ status: 200, body: 'fine' });
    expect(answer!.headers['x-b']).toBeUndefined();
    expect(more).toEqual([]);
  });

  it('are named when they come too late', async () => {
    const thrown: unknown[] = [];
    const attempt = (act: () => unknown) => {
      try {
        act();
      } catch (error) {
        thrown.push(error);
      }
    };
    await answersOf((response) => {
      response.write('x');
      attempt(() => response.header('A', 'b'));
      attempt(() => response.status(201));
      attempt(() => response.informational(103));
      response.end();
      attempt(() => response.end());
      attempt(() => response.write('x'));
      attempt(() => response.header('A', 'b'));
      attempt(() => response.trailer('A', 'b'));
    });
    const sent = code('HTTP_HEADERS_SENT');
    const ended = code('HTTP_ENDED');
    expect(thrown).toEqual([sent, sent, sent, ended, ended, ended, ended]);
  });

  it('of length are not sent', async () => {
    let error: unknown;
    const [answer] = await answersOf((response) => {
      try {
        response.header('Content-Length', 5).end('four');
      } catch (thrown) {
        error = thrown;
        throw thrown;
      }
    });
    expect(error).toEqual(code('HTTP_CONTENT_LENGTH'));
    expect(answer!.status).toBe(500);
  });

  it('of length end the connection when the head is out', async () => {
    const server = serveHttp({
      error() {},
      handler(_, response) {
        response.header('Content-Length', 5).write('abc');
        response.end();
      },
    });
    const text = await exchange(server, requestText('GET', '/').repeat(2));
    expect(text).toMatch(/Content-Length: 5\r\n\r\nabc$/);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('secret');
      },
    ],
    [
      'rejects later',
      async () => {
        await new Promise(setImmediate);
        throw new Error('secret');
      },
    ],
    [
      'throws no Error',
      () => {
        throw 'secret';
      },
    ],
  ])('a handler that %s gets 500, and the server lives', async (_, fail) => {
    const errors: Error[] = [];
    let calls = 0;
    const server = serveHttp({
      error: (error) => void errors.push(error),
      handler(_request, response) {
        calls += 1;
        if (calls > 1) return response.end('alive');
        response.status(201).header('X-Never', 'sent');
        return fail();
      },
    });
    const client = await HttpClient.connect(server);
    const answer = await client.get('/');
    expect(answer).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
    expect(answer.headers['x-never']).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(errors.map(({ message }) => message)).toEqual(['secret']);
    expect((await client.get('/')).body).toBe('alive');
  });

  it('in the middle of a response cannot be taken for its end', async () => {
    const errors: Error[] = [];
    const server = serveHttp({
      error: (error) => void errors.push(error),
      async handler(_, response) {
        response.write('begun');
        await new Promise(setImmediate);
        throw new Error('in the middle');
      },
    });
    const text = await exchange(server, requestText('GET', '/'));
    expect(text).toMatch(/5\r\nbegun\r\n$/);
    expect(errors).toHaveLength(1);
  });

  it('in a later response leave those before it whole', async () => {
    const first = deferred<HttpResponse>();
    const server = serveHttp({
      error() {},
      handler(request, response) {
        if (request.path === '/1') {
          first.resolve(response);
          return;
        }
        response.write('never seen');
        throw new Error('second');
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/1') + requestText('GET', '/2') + requestText('GET', '/2'));
    (await first.promise).end('x'.repeat(100_000));
    expect((await client.next()).body.length).toBe(100_000);
    expect(await client.next()).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
    expect(await client.next()).toMatchObject({ status: 500 });
  });
});

describe('the end of a connection', () => {
  it.each([
    ['the request says close', requestText('GET', '/', { Connection: 'close' }), 'close'],
    ['HTTP/1.0 says nothing', 'GET / HTTP/1.0\r\n\r\n', 'close'],
    ['HTTP/1.0 asks to stay', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'keep-alive'],
    ['HTTP/1.1 says nothing', requestText('GET', '/'), 'keep-alive'],
  ])('when %s', async (_, text, connection) => {
    const server = serveHttp({ handler: (__, response) => response.end('x') });
    const client = await HttpClient.connect(server);
    client.send(text);
    const answer = await client.next();
    expect(answer.headers.connection).toBe(connection);
    if (connection === 'close') {
      await client.peer.untilEnd();
    } else {
      client.send(text);
      expect((await client.next()).body).toBe('x');
    }
  });

  it('when the handler says so, and no later request is served', async () => {
    const paths: string[] = [];
    const server = serveHttp({
      handler(request, response) {
        paths.push(request.path);
        response.header('Connection', 'close').end('x');
      },
    });
    const text = await exchange(server, requestText('GET', '/1') + requestText('GET', '/2'));
    const answers = parseAnswers(text);
    expect(answers).toHaveLength(1);
    expect(answers[0]!.headers.connection).toBe('close');
    expect(paths).toEqual(['/1']);
  });

  it('after maxRequestsPerConnection', async () => {
    let handled = 0;
    const server = serveHttp({
      maxRequestsPerConnection: 3,
      handler(_, response) {
        handled += 1;
        response.end('x');
      },
    });
    const answers = parseAnswers(await exchange(server, requestText('GET', '/').repeat(10)));
    expect(answers.map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
    ]);
    expect(handled).toBe(3);
  });
});

describe('informational responses', () => {
  it('come before the final one, and at once', async () => {
    const go = deferred();
    const server = serveHttp({
      async handler(_, response) {
        response.informational(103, { Link: '</a.css>' });
        await go.promise;
        response.end('final');
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    expect(await client.next()).toMatchObject({ status: 103, headers: { link: '</a.css>' } });
    go.resolve();
    expect(await client.next()).toMatchObject({ status: 200, body: 'final' });
  });

  it('wait for their turn, and are not sent to HTTP/1.0', async () => {
    const handler: Write = (response) => {
      response.informational(103, { Link: '</a.css>' });
      response.end('final');
    };
    const [old] = await answersOf(handler, 'GET / HTTP/1.0\r\n\r\n');
    expect(old!.status).toBe(200);
    const first = deferred<HttpResponse>();
    let seen = 0;
    const server = serveHttp({
      handler: (_, response) => (++seen === 1 ? first.resolve(response) : handler(response)),
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/').repeat(2));
    (await first.promise).end('first');
    const answers = [await client.next(), await client.next(), await client.next()];
    expect(answers.map(({ status }) => status)).toEqual([200, 103, 200]);
  });
});

describe('static routes', () => {
  const body = 'from native code';
  const options = {
    static: {
      '/static': { headers: { 'Content-Type': 'text/x', 'X-A': 'b' }, body },
      '/gone': { status: 410, body: Buffer.from([1, 2]) },
    },
    handler: (_: unknown, response: HttpResponse) => response.end('handler'),
  };

  it('are answered like by a handler', async () => {
    const server = serveHttp(options);
    const methods = ['GET', 'HEAD', 'POST', 'GET', 'GET', 'GET'];
    const text =
      requestText('GET', '/static?any=query') +
      requestText('HEAD', '/static') +
      requestText('POST', '/static', { 'Content-Length': '0' }) +
      requestText('GET', '/gone') +
      requestText('GET', '/static/') +
      requestText('GET', '/static', { Connection: 'close' });
    const answers = parseAnswers(await exchange(server, text), methods);
    const summary = answers.map(({ status, body: text }) => [status, text]);
    expect(summary).toEqual([
      [200, body],
      [200, ''],
      [200, 'handler'],
      [410, '\x01\x02'],
      [200, 'handler'],
      [200, body],
    ]);
    expect(answers[0]!.headers).toMatchObject({
      'content-type': 'text/x',
      'x-a': 'b',
      'content-length': String(body.length),
      server: 'ringpoll',
    });
    expect(answers[1]!.headers['content-length']).toBe(String(body.length));
    expect(answers[5]!.headers.connection).toBe('close');
    expect(Date.parse(answers[0]!.headers.date!)).toBeGreaterThan(Date.now() - 5000);
  });

  it('wait for the answers before them', async () => {
    const first = deferred<HttpResponse>();
    const server = serveHttp({ ...options, handler: (_, response) => first.resolve(response) });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/') + requestText('GET', '/static').repeat(2));
    (await first.promise).end('first');
    expect((await client.next()).body).toBe('first');
    expect((await client.next()).body).toBe(body);
    expect((await client.next()).body).toBe(body);
    expect((await client.get('/static')).body).toBe(body);
  });

  it('keep an HTTP/1.0 connection that asks for it', async () => {
    const text = 'GET /static HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const answers = parseAnswers(await exchange(serveHttp(options), text + text));
    expect(answers.map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'keep-alive']);
  });
});
