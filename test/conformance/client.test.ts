// The HTTP client: requests, bodies both ways, and how connections are kept and given up.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClientError } from 'ringpoll/client';
import { serve } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client, failure, serveNode, serveRaw } from '../support/client.js';
import { spawnNode } from '../support/program.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a request', () => {
  it('gets status, headers and body', async () => {
    const { url } = await serveNode((request, response) => {
      response.setHeader('X-Twice', ['a', 'b']);
      response.setHeader('Set-Cookie', ['c=1', 'd=2']);
      response.statusMessage = 'Fine';
      response.statusCode = 203;
      response.end(`${request.method} ${request.url} ${request.headers.host}`);
    });
    const response = await client().request(`${url}/path?query`);
    expect([response.status, response.statusText, response.ok]).toEqual([203, 'Fine', true]);
    expect(response.headers['x-twice']).toBe('a, b');
    expect(response.headers['set-cookie']).toEqual(['c=1', 'd=2']);
    expect(response.header('Content-Length')).toBe(String(new URL(url).host.length + 16));
    expect(response.header('absent')).toBeUndefined();
    expect(await response.text()).toBe(`GET /path?query ${new URL(url).host}`);
    expect((await failure(response.text())).code).toBe('ERR_RINGPOLL_HTTP_BODY_USED');
  });

  it('reads a head and a body that outlast their turn', async () => {
    const { url } = await serveNode((_, response) => response.end('later'));
    const response = await client().request(url);
    for (let i = 0; i < 3; i++) await (await client().request(url)).text();
    expect(response.header('content-length')).toBe('5');
    expect(await response.text()).toBe('later');
  });

  it('sends text, bytes and streams', async () => {
    const { url } = await serveNode((request, response) => {
      response.setHeader('x-length', request.headers['content-length'] ?? 'chunked');
      request.pipe(response);
    });
    const one = client();
    const long = 'x'.repeat(300_000);
    async function* pieces() {
      yield 'a';
      yield Buffer.from('b');
      yield long;
    }
    for (const [body, text, length] of [
      ['hällo', 'hällo', '6'],
      [Buffer.from('bytes'), 'bytes', '5'],
      [long, long, '300000'],
      [pieces(), `ab${long}`, 'chunked'],
      [['p', 'q'], 'pq', 'chunked'],
      ['', '', '0'],
    ] as const) {
      const response = await one.request(url, { method: 'POST', body });
      expect(response.header('x-length')).toBe(length);
      expect(await response.text()).toBe(text);
    }
  });

  it('sends a stream of a known length without chunks, and refuses another length', async () => {
    const { url } = await serveNode((request, response) => request.pipe(response));
    const options = (body: string[]) => ({
      method: 'POST',
      headers: { 'content-length': 3 },
      body,
    });
    const response = await client().request(url, options(['ab', 'c']));
    expect(await response.text()).toBe('abc');
    const error = await failure(client().request(url, options(['ab'])));
    expect(error.message).toMatch(/content-length/);
  });

  it('has trailers both ways', async () => {
    const { url } = await serveNode((request, response) => {
      request.resume();
      request.on('end', () => {
        response.write('body');
        response.addTrailers({ 'X-Sum': String(request.trailers['x-sent']) });
        response.end();
      });
    });
    const response = await client().request(url, {
      method: 'POST',
      body: ['a'],
      trailers: () => ({ 'x-sent': '42' }),
    });
    expect(await response.text()).toBe('body');
    expect(response.trailers).toEqual({ 'x-sum': '42' });
  });

  it('streams a long body with backpressure', async () => {
    const total = 8 * 1024 * 1024;
    const { url } = await serveNode((_, response) => {
      response.setHeader('content-length', total);
      response.end(Buffer.alloc(total, 'z'));
    });
    const response = await client().request(url);
    let length = 0;
    for await (const piece of response) {
      length += piece.length;
      if (length % 5 === 0) await new Promise(setImmediate);
    }
    expect(length).toBe(total);
  });

  it('hears of 1xx responses', async () => {
    const { url } = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
    });
    const seen: unknown[] = [];
    const response = await client().request(url, {
      informational: ({ status, headers }) => seen.push([status, headers.link]),
    });
    expect(seen).toEqual([[103, '</a>']]);
    expect(await response.text()).toBe('ok');
  });

  it('can be a HEAD request, and one whose response has no body', async () => {
    const { url } = await serveNode((request, response) => {
      response.statusCode = request.url === '/304' ? 304 : 200;
      response.setHeader('content-length', 1000);
      response.end();
    });
    const one = client();
    for (const path of ['/', '/']) {
      const response = await one.request(url + path, { method: 'HEAD' });
      expect([response.header('content-length'), await response.text()]).toEqual(['1000', '']);
    }
    expect((await one.request(`${url}/304`)).status).toBe(304);
    expect(one.counts.open).toBe(1);
  });

  it('goes to a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    const path = join(folder, 's');
    const server = createServer((request, response) => response.end(request.headers.host));
    server.listen(path);
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    });
    const response = await client({ socketPath: path }).request('http://any.host/');
    expect(await response.text()).toBe('any.host');
  });

  it('switches to another protocol', async () => {
    const { url } = await serveRaw((socket, _, request) => {
      expect(request).toMatch(/\r\nconnection: upgrade\r\nupgrade: echo\r\n/);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nfirst');
      socket.removeAllListeners('data');
      socket.on('data', (data) => socket.write(data));
    });
    const response = await client().request(url, { upgrade: 'echo' });
    expect(response.status).toBe(101);
    let text = '';
    await new Promise<void>((resolve) => {
      const connection = response.upgrade({
        data(_, chunk) {
          text += chunk.toString();
          if (text === 'firstsecond') connection.close();
        },
        close: () => resolve(),
      });
      connection.write('second');
    });
    expect(text).toBe('firstsecond');
  });
});

describe('connections', () => {
  it('are kept, and used one request at a time', async () => {
    const raw = await serveRaw((socket) => setImmediate(() => socket.write(OK)));
    const one = client({ maxConnections: 4 });
    for (let round = 0; round < 5; round++) {
      const all = Array.from({ length: 20 }, async () => (await one.request(raw.url)).text());
      expect(new Set(await Promise.all(all))).toEqual(new Set(['ok']));
    }
    expect(raw.connections).toBe(4);
    expect(one.counts).toMatchObject({ open: 4, idle: 4, pending: 0, connecting: 0 });
  });

  it('without a request are at most as many as maxIdle', async () => {
    const raw = await serveRaw((socket) => setImmediate(() => socket.write(OK)));
    const one = client({ maxIdle: 2 });
    await Promise.all(Array.from({ length: 8 }, async () => (await one.request(raw.url)).text()));
    expect(one.counts.open).toBe(8);
    while (one.counts.open > 2) await new Promise(setImmediate);
    expect(one.counts).toMatchObject({ open: 2, idle: 2 });
    const none = client({ maxIdle: 0 });
    await (await none.request(raw.url)).text();
    expect(none.counts.open).toBe(0);
  });

  it('go on behind a body whose reader has paused', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const raw = await serveRaw((socket) => socket.write(chunked));
    const one = client({ maxConnections: 1 });
    const paused = [];
    for (let i = 0; i < 5; i++) {
      const response = await one.request(raw.url);
      response.pause();
      paused.push(response);
    }
    for (const response of paused) expect(await response.text()).toBe('ok');
    expect(raw.connections).toBe(1);
  });

  it('end after maxRequestsPerConnection', async () => {
    const raw = await serveRaw((socket) => socket.write(OK));
    const one = client({ maxRequestsPerConnection: 3 });
    for (let i = 0; i < 7; i++) await (await one.request(raw.url)).text();
    expect(raw.connections).toBe(3);
  });

  it('that the server has closed cost no request, whatever its method', async () => {
    const raw = await serveRaw((socket) => socket.end(OK));
    const one = client();
    for (let i = 0; i < 6; i++) {
      const method = i % 2 === 0 ? 'GET' : 'POST';
      expect(await (await one.request(raw.url, { method })).text()).toBe('ok');
      // The FIN is here, or is on its way.
      await new Promise((resolve) => setTimeout(resolve, i < 3 ? 0 : 5));
    }
    expect(raw.connections).toBe(6);
  });

  it('that have rested without a request repeat what may be repeated, too', async () => {
    const raw = await serveRaw((socket, nth) => {
      if (nth % 2 === 1) socket.destroy();
      else socket.write(OK);
    });
    const one = client();
    // Nobody waits for the connection any more when it is open.
    const left = new AbortController();
    const asked = failure(one.request(raw.url, { signal: left.signal }));
    left.abort();
    await asked;
    while (one.counts.idle === 0) await new Promise(setImmediate);
    expect(await (await one.request(raw.url)).text()).toBe('ok');
    expect(raw.connections).toBe(2);
    // A connection that is new is not asked twice.
    const fresh = client();
    expect((await failure(fresh.request(raw.url))).code).toBe('ERR_RINGPOLL_NO_RESPONSE');
    expect(raw.connections).toBe(3);
  });

  it('that end without a response repeat what may be repeated, and nothing else', async () => {
    const raw = await serveRaw((socket, nth) => {
      if (nth === 2 || nth === 5) socket.destroy();
      else socket.write(OK);
    });
    const one = client();
    await (await one.request(raw.url)).text();
    expect(await (await one.request(raw.url)).text()).toBe('ok'); // 2 fails, 3 answers
    await (await one.request(raw.url)).text();
    const error = await failure(one.request(raw.url, { method: 'POST', body: 'x' }));
    expect(error).toBeInstanceOf(ClientError);
    expect(error.code).toBe('ERR_RINGPOLL_NO_RESPONSE');
  });

  it('that have all become stale cost one repetition: it goes by a new one', async () => {
    const asked = new Map<Socket, number>();
    const raw = await serveRaw((socket) => {
      asked.set(socket, (asked.get(socket) ?? 0) + 1);
      if (asked.get(socket) === 2) socket.destroy();
      else if (asked.size > 4) socket.write(OK);
      else if (asked.size === 4) for (const each of asked.keys()) each.write(OK);
    });
    const one = client();
    const ask = async () => (await one.request(raw.url)).text();
    await Promise.all([ask(), ask(), ask(), ask()]);
    expect(raw.connections).toBe(4);
    expect(await ask()).toBe('ok');
    expect(raw.connections).toBe(5);
  });

  it('are not waited for by more than maxPending requests', async () => {
    const raw = await serveRaw(() => {});
    const one = client({ maxConnections: 1, maxPending: 2 });
    const all = Array.from({ length: 5 }, () => failure(one.request(raw.url)));
    const busy = await Promise.race(all.slice(3));
    expect(busy.code).toBe('ERR_RINGPOLL_CLIENT_BUSY');
    one.destroy();
    const codes = (await Promise.all(all)).map(({ code }) => code);
    expect(codes.filter((code) => code === 'ERR_RINGPOLL_CLIENT_CLOSED')).toHaveLength(3);
  });

  it('that do not come about reject with the error of the system', async () => {
    const raw = await serveRaw(() => {});
    const { port } = new URL(raw.url);
    const gone = await serveNode(() => {});
    const where = gone.url;
    gone.server.close();
    gone.server.closeAllConnections();
    await once(gone.server, 'close');
    expect(Number(port)).toBeGreaterThan(0);
    expect((await failure(client().request(where))).code).toBe('ECONNREFUSED');
  });

  it('without a request keep no process alive', async () => {
    const { url } = await serveNode((_, response) => response.end('answered'));
    const path = fileURLToPath(new URL('../support/programs/client_exits.mjs', import.meta.url));
    const program = spawnNode([path, url]);
    const { code, stdout } = await program.ending();
    expect([code, stdout]).toEqual([0, 'answered\nanswered\nexit\n']);
  });

  it('that wait when close() is called are answered, and then nothing is left', async () => {
    const { url, server } = await serveNode((_, response) => response.end('late'));
    let opened = 0;
    server.on('connection', () => opened++);
    for (const maxConnections of [1, 3]) {
      const one = client({ maxConnections });
      const texts = Promise.all(
        Array.from({ length: 9 }, async () => (await one.request(url)).text()),
      );
      await one.close();
      expect(await texts).toEqual(Array(9).fill('late'));
      expect(one.counts).toEqual({ origins: 0, open: 0, idle: 0, connecting: 0, pending: 0 });
    }
    expect(opened).toBe(4);
    // One that gives up before it is connected does not keep the client.
    const control = new AbortController();
    const left = client();
    const asked = failure(left.request(url, { signal: control.signal }));
    const closed = left.close();
    control.abort();
    await closed;
    expect((await asked).name).toBe('AbortError');
  });

  it('end with close() when what is under way is answered', async () => {
    let answer = () => {};
    const raw = await serveRaw((socket) => {
      answer = () => socket.write(OK);
    });
    const one = client();
    const response = one.request(raw.url);
    while (raw.sockets.size === 0 || one.counts.open === 0) await new Promise(setImmediate);
    const closed = one.close();
    expect((await failure(one.request(raw.url))).code).toBe('ERR_RINGPOLL_CLIENT_CLOSED');
    while (answer.toString() === '() => {}') await new Promise(setImmediate);
    answer();
    expect(await (await response).text()).toBe('ok');
    await closed;
    expect(one.counts.origins).toBe(0);
  });
});

describe('an abort', () => {
  it('ends a request that waits, one that is sent, and a body that is coming', async () => {
    const raw = await serveRaw((socket, nth) => {
      if (nth === 2) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
    });
    const one = client({ maxConnections: 1 });
    const sent = new AbortController();
    const waiting = new AbortController();
    const first = failure(one.request(raw.url, { signal: sent.signal }));
    const second = failure(one.request(raw.url, { signal: waiting.signal }));
    while (raw.sockets.size === 0) await new Promise(setImmediate);
    waiting.abort(new Error('waits'));
    expect((await second).message).toBe('waits');
    sent.abort(new Error('sent'));
    expect((await first).message).toBe('sent');
    const body = new AbortController();
    const response = await one.request(raw.url, { signal: body.signal });
    const text = failure(response.text());
    body.abort(new Error('body'));
    expect((await text).message).toBe('body');
    const already = failure(one.request(raw.url, { signal: AbortSignal.abort(new Error('was')) }));
    expect((await already).message).toBe('was');
  });
});

describe('the server of this package', () => {
  it('and its client understand each other', async () => {
    const server = serve({
      host: '127.0.0.1',
      port: 0,
      async handler(request, response) {
        response.header('x-path', request.path).end(await request.body());
      },
    });
    onTestFinished(() => server.destroy());
    const one = client();
    const all = Array.from({ length: 200 }, async (_, i) => {
      const url = `http://127.0.0.1:${server.port}/${i}`;
      const response = await one.request(url, { method: 'PUT', body: 'b'.repeat(i * 321) });
      expect(response.header('x-path')).toBe(`/${i}`);
      expect((await response.bytes()).length).toBe(i * 321);
    });
    await Promise.all(all);
  });
});

describe('wrong arguments', () => {
  it('are refused before anything is sent', async () => {
    const one = client();
    const url = 'http://127.0.0.1:1/';
    const code = async (work: () => unknown) => {
      try {
        await work();
      } catch (error) {
        return (error as { code?: string }).code;
      }
      return undefined;
    };
    expect(await code(() => one.request('nowhere'))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(await code(() => one.request('ftp://a/'))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(await code(() => one.request('http://u:p@a/'))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(await code(() => one.request(7 as never))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    const options: [object, string | RegExp][] = [
      [{ methode: 'GET' }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
      [{ method: 'A B' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
      [{ headers: { 'a b': 'c' } }, 'ERR_INVALID_HTTP_TOKEN'],
      [{ headers: { a: 'b\r\nc: d' } }, 'ERR_INVALID_CHAR'],
      [{ headers: { 'transfer-encoding': 'chunked' } }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
      [{ headers: { 'content-length': 3 } }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
      [{ headers: { upgrade: 'x' } }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
      [{ headers: { connection: 'x-secret' } }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
      [{ body: 7 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
      [{ signal: {} }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
      [{ timeout: -1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ];
    for (const [given, wanted] of options) {
      expect(await code(() => one.request(url, given)), JSON.stringify(given)).toBe(wanted);
    }
    expect(() => client({ connections: 3 } as never)).toThrow(/maxConnections/);
    expect(() => client({ maxConnections: 0 })).toThrow(RangeError);
  });
});
