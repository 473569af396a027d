// Requests of the HTTP client that share a connection before they are answered.
import type { Socket } from 'node:net';
import type { Client, ClientOptions } from 'ringpoll/client';
import { describe, expect, it } from 'vitest';
import { client, failure, serveRaw } from '../support/client.js';
import { answerOf, type HeldServer, pathOf, serveHeld } from '../support/pipelines.js';
import { Random } from '../support/random.js';

const PATHS = ['/a', '/b', '/c', '/d'];

async function begun(held: HeldServer, options: ClientOptions = {}): Promise<Client> {
  const one = client({ maxConnections: 1, pipelining: 4, ...options });
  await (await one.request(`${held.raw.url}/first`)).text();
  return one;
}

const textOf = async (one: Client, url: string) => (await one.request(url)).text();
const textsOf = (one: Client, { raw }: HeldServer, paths = PATHS) =>
  paths.map((path) => textOf(one, raw.url + path));

describe('pipelining', () => {
  it('is off by default', async () => {
    const held = await serveHeld();
    const one = client({ maxConnections: 1 });
    const texts = textsOf(one, held);
    for (let i = 0; i < PATHS.length; i++) {
      const socket = await held.came(i + 1);
      expect(one.counts.pending).toBe(PATHS.length - 1 - i);
      socket.write(answerOf(PATHS[i]));
      expect(await texts[i]).toBe(PATHS[i]);
    }
  });

  it('sends requests behind others when no connection may be opened', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const texts = textsOf(one, held, [...PATHS, '/e']);
    const socket = await held.came(4);
    expect([one.counts.pending, one.counts.open]).toEqual([1, 1]);
    socket.write(answerOf('/a'));
    await held.came(5);
    socket.write([...PATHS.slice(1), '/e'].map((path) => answerOf(path)).join(''));
    expect(await Promise.all(texts)).toEqual([...PATHS, '/e']);
    expect([held.raw.connections, one.counts.idle]).toEqual([1, 1]);
  });

  it('opens connections first, and waits for the first answer of each', async () => {
    const held = await serveHeld();
    const one = await begun(held, { maxConnections: 2 });
    const texts = textsOf(one, held);
    const socket = await held.came(2);
    expect(held.raw.connections).toBe(2);
    expect(one.counts.pending).toBe(2);
    socket.write(answerOf(held.asked[1]));
    const other = [...held.raw.sockets].find((each) => each !== socket) as Socket;
    other.write(answerOf(held.asked[0]));
    const third = await held.came(3);
    const fourth = await held.came(4);
    third.write(answerOf(held.asked[2]));
    fourth.write(answerOf(held.asked[3]));
    expect(await Promise.all(texts)).toEqual(PATHS);
  });

  it.each([
    ['a method that is not safe', { method: 'PUT' }],
    ['a body', { body: 'x' }],
    ['an empty body', { body: '' }],
    ['a stream', { body: ['x'], headers: { 'content-length': 1 } }],
    ['Expect', { body: 'x', expectContinue: true }],
    ['an upgrade', { upgrade: 'x' }],
    ['CONNECT', { method: 'CONNECT' }],
    ['Connection: close', { headers: { connection: 'close' } }],
    ['idempotent: false', { idempotent: false }],
  ])('leaves a request alone that has %s', async (_, options) => {
    const held = await serveHeld();
    const one = await begun(held);
    const before = textOf(one, `${held.raw.url}/a`);
    const socket = await held.came(1);
    const alone = one.request(`${held.raw.url}/b`, options);
    const after = textOf(one, `${held.raw.url}/c`);
    expect(one.counts.pending).toBe(2);
    socket.write(answerOf('/a'));
    expect(await before).toBe('/a');
    await held.came(2);
    expect(one.counts.pending).toBe(1);
    const closed = { headers: { connection: 'close' } };
    socket.write(answerOf('/b', 'Connection: close\r\n'));
    expect((await alone).status).toBe(200);
    one.request(`${held.raw.url}/first`, closed).catch(() => {});
    (await held.came(3)).write(answerOf('/c'));
    expect(await after).toBe('/c');
  });

  it('knows which responses have no body', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const url = held.raw.url;
    const all = [
      one.request(`${url}/a`, { method: 'HEAD' }),
      one.request(`${url}/b`),
      one.request(`${url}/c`),
      one.request(`${url}/d`, { method: 'OPTIONS' }),
    ];
    const socket = await held.came(4);
    const long = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
    const none = 'HTTP/1.1 204 No Content\r\n\r\n';
    const same = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n';
    socket.write(long + none + same + answerOf('/d'));
    const found = await Promise.all(
      all.map(async (each) => [await each, await (await each).text()]),
    );
    expect(found.map(([response, text]) => [(response as Response).status, text])).toEqual([
      [200, ''],
      [204, ''],
      [304, ''],
      [200, '/d'],
    ]);
  });

  it('takes responses that are cut anywhere, or come together', async () => {
    const held = await serveHeld();
    const chunked =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n/b\r\n0\r\nT: 1\r\n\r\n';
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3);
    const bytes = answerOf('/a') + chunked + interim + answerOf('/c') + answerOf('/d');
    const one = await begun(held);
    for (let cut = 1, count = 4; cut < bytes.length; cut++, count += 4) {
      const texts = textsOf(one, held);
      const socket = await held.came(count);
      socket.write(bytes.slice(0, cut));
      await new Promise(setImmediate);
      socket.write(bytes.slice(cut));
      expect(await Promise.all(texts)).toEqual(PATHS);
    }
    expect(held.raw.connections).toBe(1);
  });
});

describe('a pipelined connection that ends', () => {
  it.each([
    ['in front of a response', '', ''],
    ['within a head', 'HTTP/1.1 20', 'RESPONSE_TRUNCATED'],
    ['within a body', answerOf('/b').slice(0, -1), 'RESPONSE_TRUNCATED'],
    ['after garbage', 'garbage\r\n', 'RESPONSE_INVALID'],
    ['after too many 1xx', 'HTTP/1.1 103 E\r\n\r\n'.repeat(40), 'RESPONSE_LIMIT'],
  ])('%s gives those behind to others, one at a time', async (_, piece, code) => {
    const held = await serveHeld();
    const one = await begun(held);
    const texts = textsOf(one, held);
    const failed = code === '' ? undefined : failure(texts[1]);
    const socket = await held.came(4);
    socket.end(answerOf('/a') + piece);
    expect(await texts[0]).toBe('/a');
    if (failed !== undefined) expect((await failed).code).toBe(`ERR_RINGPOLL_${code}`);
    const left = code === '' ? PATHS.slice(1) : PATHS.slice(2);
    for (const [i, path] of left.entries()) {
      const next = await held.came(5 + i);
      expect(held.asked.length).toBe(5 + i);
      expect(held.asked[4 + i]).toBe(path);
      next.write(answerOf(path));
      expect(await texts[PATHS.indexOf(path)]).toBe(path);
    }
    expect(held.raw.connections).toBe(2);
  });

  it('after `Connection: close` moves those behind, however often', async () => {
    const paths = Array.from({ length: 12 }, (_, i) => `/${i}`);
    const raw = await serveRaw((socket, nth, request) => {
      // Each connection answers two requests, and says so with the second.
      if (socket.writableEnded) return;
      const isLast = nth > 1 && socket.bytesWritten > 0;
      if (isLast) socket.end(answerOf(pathOf(request), 'Connection: close\r\n'));
      else socket.write(answerOf(pathOf(request)));
    });
    const one = client({ maxConnections: 1, pipelining: 8, retry: false });
    const texts = await Promise.all(paths.map((path) => textOf(one, raw.url + path)));
    expect(texts).toEqual(paths);
    expect(raw.connections).toBe(6);
  });

  it('behind several responses takes them all before', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const texts = textsOf(one, held);
    (await held.came(4)).end(PATHS.map((path) => answerOf(path)).join(''));
    expect(await Promise.all(texts)).toEqual(PATHS);
    expect([held.raw.connections, held.asked.length]).toEqual([1, 4]);
  });

  it('with retry: false fails those behind', async () => {
    const held = await serveHeld();
    const one = await begun(held, { retry: false });
    const texts = Promise.allSettled(textsOf(one, held));
    (await held.came(4)).end(answerOf('/a'));
    const codes = (await texts).map((each) =>
      each.status === 'rejected' ? each.reason.code : each.value,
    );
    const lost = 'ERR_RINGPOLL_NO_RESPONSE';
    expect(codes).toEqual(['/a', lost, lost, lost]);
  });

  it('does so for what nobody asked for, and those after it go elsewhere', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const texts = textsOf(one, held, ['/a', '/b']);
    const socket = await held.came(2);
    const after = texts[1].then(() => textOf(one, `${held.raw.url}/c`));
    socket.write(answerOf('/a') + answerOf('/b') + answerOf('/evil'));
    expect(await Promise.all(texts)).toEqual(['/a', '/b']);
    (await held.came(3)).write(answerOf('/c'));
    expect(await after).toBe('/c');
    expect(held.raw.connections).toBe(2);
  });

  it('fails all of them when the client is destroyed', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const texts = Promise.allSettled(textsOf(one, held));
    await held.came(4);
    one.destroy();
    for (const each of await texts) {
      expect(each).toMatchObject({ reason: { code: 'ERR_RINGPOLL_CLIENT_CLOSED' } });
    }
  });
});

describe('a pipelined request that is aborted', () => {
  it('behind others has its response dropped', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const control = new AbortController();
    const { signal } = control;
    const first = textOf(one, `${held.raw.url}/a`);
    const aborted = failure(one.request(`${held.raw.url}/b`, { signal }));
    const chunks = failure(one.request(`${held.raw.url}/c`, { signal }));
    const last = textOf(one, `${held.raw.url}/d`);
    const socket = await held.came(4);
    control.abort(new Error('no more'));
    expect([(await aborted).message, (await chunks).message]).toEqual(['no more', 'no more']);
    const body = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n';
    socket.write(answerOf('/a') + answerOf('/b') + body + answerOf('/d'));
    expect([await first, await last]).toEqual(['/a', '/d']);
    expect([held.raw.connections, one.counts.idle]).toEqual([1, 1]);
  });

  it('ends the connection when its body is long', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const control = new AbortController();
    const first = textOf(one, `${held.raw.url}/a`);
    const aborted = failure(one.request(`${held.raw.url}/b`, { signal: control.signal }));
    const last = textOf(one, `${held.raw.url}/c`);
    const socket = await held.came(3);
    control.abort();
    await aborted;
    socket.write(answerOf('/a'));
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(500_000)}`);
    expect(await first).toBe('/a');
    (await held.came(4)).write(answerOf('/c'));
    expect(await last).toBe('/c');
    expect(held.raw.connections).toBe(2);
  });

  it('in front ends the connection, and those behind go over another one', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const control = new AbortController();
    const { signal } = control;
    const aborted = failure(one.request(`${held.raw.url}/a`, { signal }));
    const next = textOf(one, `${held.raw.url}/b`);
    await held.came(2);
    control.abort(new Error('no more'));
    expect((await aborted).message).toBe('no more');
    (await held.came(3)).write(answerOf('/b'));
    expect(await next).toBe('/b');
  });

  it('ends the connection when nobody is left', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const control = new AbortController();
    const { signal } = control;
    const first = textOf(one, `${held.raw.url}/a`);
    const aborted = failure(one.request(`${held.raw.url}/b`, { signal }));
    const socket = await held.came(2);
    control.abort();
    await aborted;
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(answerOf('/a'));
    expect(await first).toBe('/a');
    await closed;
    expect(one.counts.open).toBe(0);
  });
});

describe('a body that is not read', () => {
  it('holds the responses behind it back, with bounded memory', async () => {
    const held = await serveHeld();
    const one = await begun(held);
    const big = one.request(`${held.raw.url}/a`);
    const behind = textOf(one, `${held.raw.url}/b`);
    const socket = await held.came(2);
    const length = 64 * 2 ** 20;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    const response = await big;
    const piece = Buffer.alloc(2 ** 20, 'x');
    let sent = 0;
    // Nobody reads: the kernels' buffers fill, and the server has to wait.
    while (sent < length && socket.writableLength < 2 ** 20) {
      sent += piece.length;
      socket.write(piece);
      await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(length);
    expect(socket.writableLength).toBeGreaterThan(0);
    let got = 0;
    const reading = (async () => {
      for await (const each of response) got += each.length;
    })();
    while (sent < length) {
      sent += piece.length;
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    socket.write(answerOf('/b'));
    await reading;
    expect([got, await behind]).toEqual([length, '/b']);
  });
});

describe('against a model', () => {
  it.each([1, 2, 3, 4, 5, 6])('a plain server answers in order, seed %i', async (seed) => {
    const random = new Random(seed);
    // Answers in pieces of any size, and ends some connections in the middle of a line.
    const raw = await serveRaw((socket, _nth, request) => {
      if (socket.writableEnded) return;
      const path = pathOf(request);
      const isHead = request.startsWith('HEAD');
      const kind = random.below(20);
      if (kind === 0) {
        socket.end();
        return;
      }
      const last = kind === 1 ? 'Connection: close\r\n' : '';
      const chunks = `HTTP/1.1 200 OK\r\n${last}Transfer-Encoding: chunked\r\n\r\n`;
      let bytes =
        kind < 8
          ? `${chunks}${isHead ? '' : `${path.length.toString(16)}\r\n${path}\r\n0\r\n\r\n`}`
          : answerOf(path, last).slice(0, isHead ? -path.length : undefined);
      if (kind % 5 === 2) bytes = `HTTP/1.1 103 Hints\r\n\r\n${bytes}`;
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + random.below(bytes.length);
        socket.write(bytes.slice(at, at + size));
        at += size;
      }
      if (kind === 1) socket.end();
    });
    const one = client({ maxConnections: 1 + random.below(4), pipelining: 1 + random.below(16) });
    const outcomes = { answered: 0, aborted: 0, lost: 0 };
    const ask = async (path: string) => {
      const method = random.chance(0.2) ? 'HEAD' : random.chance(0.1) ? 'DELETE' : 'GET';
      const control = new AbortController();
      const isAborted = random.chance(0.1);
      const asked = one.request(raw.url + path, { method, signal: control.signal });
      if (isAborted) setImmediate(() => control.abort(new Error('aborted')));
      try {
        const response = await asked;
        expect(await response.text()).toBe(method === 'HEAD' ? '' : path);
        outcomes.answered++;
      } catch (thrown) {
        const error = thrown as Error & { code?: string };
        if (isAborted && error.message === 'aborted') outcomes.aborted++;
        // The third connection that ended, or the first of a body that was aborted.
        else if (error.code === 'ERR_RINGPOLL_NO_RESPONSE') outcomes.lost++;
        else throw error;
      }
    };
    for (let round = 0; round < 20; round++) {
      const paths = Array.from({ length: 1 + random.below(40) }, (_, i) => `/${round}/${i}`);
      await Promise.all(paths.map(ask));
    }
    expect(outcomes.answered).toBeGreaterThan(200);
    expect(outcomes.lost).toBeLessThan(outcomes.answered / 10);
    await one.close();
    expect(one.counts).toMatchObject({ open: 0, pending: 0, connecting: 0 });
  });
});
