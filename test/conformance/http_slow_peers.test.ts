// What slow and idle peers may do: as much as with node:http where nothing is attacked, and rates
// instead of gaps where something is.
import { Agent, get, request as httpRequest } from 'node:http';
import { Loop } from 'ringpoll';
import { type HttpResponse, type HttpServer, Response, type ServeOptions } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { within } from '../support/recorder.js';

const MB = 1024 * 1024;
const memory = () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};
const settled = () => {
  globalThis.gc?.();
  return memory();
};
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a connection that stays', () => {
  const static_ = { '/static': { body: 'fixed' } };
  const handler = (_: unknown, response: { end(body: string): void }) => response.end('ok');
  const hints = async (server: HttpServer, path: string, version = '1.1', extra = '') => {
    const client = await HttpClient.connect(server);
    client.send(`GET ${path} HTTP/${version}\r\nHost: x\r\n${extra}\r\n`);
    const { headers } = await client.next();
    return [headers.connection, headers['keep-alive']];
  };

  it.each(['/static', '/handler'])('is told for how long: %s', async (path) => {
    const server = serveHttp({ static: static_, handler });
    expect(await hints(server, path)).toEqual(['keep-alive', 'timeout=5']);
    expect(await hints(server, path, '1.0', 'Connection: keep-alive\r\n')).toEqual([
      'keep-alive',
      'timeout=5',
    ]);
    expect(await hints(server, path, '1.1', 'Connection: close\r\n')).toEqual(['close', undefined]);
    const short = serveHttp({ static: static_, keepAliveTimeout: 900, handler });
    expect(await hints(short, path)).toEqual([undefined, undefined]);
    const endless = serveHttp({ static: static_, keepAliveTimeout: 0, handler });
    expect(await hints(endless, path)).toEqual([undefined, undefined]);
  });

  it('is closed later than it was told', async () => {
    const server = serveHttp({ keepAliveTimeout: 1000, handler });
    const client = await HttpClient.connect(server);
    expect((await client.get('/')).body).toBe('ok');
    await later(1200);
    expect((await client.get('/')).body).toBe('ok');
    const start = performance.now();
    await client.peer.untilEnd();
    expect(performance.now() - start).toBeGreaterThan(1900);
  });

  it("never fails under Node's own agent", async () => {
    const server = serveHttp({ keepAliveTimeout: 1000, handler });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        get({ port: server.port, host: '127.0.0.1', agent }, (answer) => {
          answer.setEncoding('utf8').on('data', resolve);
        }).on('error', reject);
      });
    try {
      // Around the end of what the hint says, where the two sides could miss each other.
      for (const gap of [950, 990, 1000, 1010, 1050]) {
        expect(await ask()).toBe('ok');
        await later(gap);
      }
    } finally {
      agent.destroy();
    }
  });

  it('may wait with its first request', async () => {
    const server = serveHttp({ keepAliveTimeout: 50, handler });
    const early = await HttpClient.connect(server);
    await later(400);
    expect((await early.get('/')).body).toBe('ok');
    await early.peer.untilEnd();
  });
});

describe('rates', () => {
  const rates = { minSendRate: 100_000, minReceiveRate: 100_000, rateWindow: 300 };

  it('end a peer that takes too little, and leave one that takes enough', async () => {
    const body = Buffer.alloc(24 * MB);
    const server = serveHttp({
      ...{ ...rates, lingerTimeout: 100 },
      handler: (request, response) => response.end(request.path === '/large' ? body : 'ok'),
    });
    const stalled = await HttpClient.connect(server);
    stalled.peer.socket.pause();
    stalled.send(requestText('GET', '/large'));
    const honest = await HttpClient.connect(server);
    honest.send(requestText('GET', '/large', { Connection: 'close' }));
    const [answer] = parseAnswers(await honest.peer.untilEnd());
    expect(answer?.body.length).toBe(body.length);
    const deadline = performance.now() + 5000;
    while (server.connections > 0 && performance.now() < deadline) await later(20);
    expect(server.connections).toBe(0);
  });

  it('end an upload that drips, and leave one that pauses', async () => {
    const server = serveHttp({
      ...{ ...rates, rateWindow: 1000 },
      handler: async (request, response) => response.end(String((await request.body()).length)),
      error() {},
    });
    const dripping = await HttpClient.connect(server);
    dripping.send(requestText('POST', '/', { 'Content-Length': '1000000' }));
    const drip = setInterval(() => dripping.send('x'), 20);
    const pausing = await HttpClient.connect(server);
    pausing.send(requestText('POST', '/', { 'Content-Length': '600000' }));
    try {
      for (let i = 0; i < 6; i += 1) {
        pausing.send(Buffer.alloc(100_000));
        await later(300);
      }
      expect((await pausing.next()).body).toBe('600000');
      expect((await dripping.next()).status).toBe(408);
    } finally {
      clearInterval(drip);
    }
  });

  it('are no gaps: by default nobody is ended for a pause', async () => {
    const server = serveHttp({
      handler: async (request, response) => response.end(String((await request.body()).length)),
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('POST', '/', { 'Content-Length': '2' }, 'a'));
    await later(500);
    client.send('b');
    expect((await client.next()).body).toBe('2');
  });
});

/** Ways to come by a body, and by its length in the end. */
const readers: [string, Partial<ServeOptions>][] = [
  [
    'body()',
    { handler: async (request, response) => response.end(String((await request.body()).length)) },
  ],
  ['text()', { fetch: async (request) => new Response(String((await request.text()).length)) }],
  [
    'text() by way of the stream',
    {
      async fetch(request) {
        expect(request.body).not.toBe(null);
        return new Response(String((await request.text()).length));
      },
    },
  ],
];

describe('memory', () => {
  it('is a few bytes for each byte of small pieces: a response that waits', async () => {
    const count = 400_000;
    let first: HttpResponse | undefined;
    let written = false;
    const server = serveHttp({
      handler(request, response) {
        if (request.path === '/first') {
          first = response;
          return;
        }
        for (let at = 0; at < count; at += 1) response.write(Buffer.from([0x61 + (at % 26)]));
        written = true;
        response.end();
      },
    });
    const client = await HttpClient.connect(server);
    const before = settled();
    client.send(requestText('GET', '/first') + requestText('GET', '/pieces'));
    while (!written) await later(5);
    // An object for each piece would be some 50 MB.
    expect((settled() - before) / MB).toBeLessThan(10);
    first?.end('first');
    expect((await client.next()).body).toBe('first');
    expect((await client.next()).body).toHaveLength(count);
  });

  it.each(readers)('is a few bytes for each byte of small pieces: %s', async (_, options) => {
    const count = 200_000;
    const server = serveHttp(options);
    const client = await HttpClient.connect(server);
    const wire = Buffer.from('1\r\nx\r\n'.repeat(count));
    const before = settled();
    const read = () => Loop.current().metrics().bytesRead!;
    const all = read() + wire.length;
    client.send(requestText('POST', '/', { 'Transfer-Encoding': 'chunked' }));
    client.send(wire);
    while (read() < all) await later(5);
    // An object for each piece would be some 30 MB.
    expect((settled() - before) / MB).toBeLessThan(10);
    client.send('0\r\n\r\n');
    expect((await client.next()).body).toBe(String(count));
  });

  it('of one large buffer is not multiplied by peers that do not read it', async () => {
    const size = 24 * MB;
    const body = Buffer.alloc(size, 'b');
    const server = serveHttp({
      handler: (request, response) => response.end(request.path === '/large' ? body : 'ok'),
    });
    const honest = await HttpClient.connect(server);
    const before = memory();
    const stalled = await Promise.all(Array.from({ length: 10 }, () => HttpClient.connect(server)));
    for (const { peer } of stalled) {
      peer.socket.pause();
      peer.send(requestText('GET', '/large'));
      // What comes behind it waits for it.
      peer.send(requestText('GET', '/small', { Connection: 'close' }));
    }
    for (let i = 0; i < 50; i += 1) expect((await honest.get('/')).body).toBe('ok');
    expect((memory() - before) / MB).toBeLessThan(40);
    const [first] = stalled;
    first!.peer.socket.resume();
    const answers = parseAnswers(await first!.peer.untilEnd());
    expect(answers.map((one) => one.body.length)).toEqual([size, 2]);
    expect(Buffer.from(answers[0]!.body, 'latin1').equals(body)).toBe(true);
    for (const { peer } of stalled) peer.reset();
  }, 20_000);

  it("of a large body is its owner's again when drained() resolves", async () => {
    const body = Buffer.alloc(12 * MB, 'a');
    const server = serveHttp({
      async handler(_, response) {
        response.end(body);
        await response.drained();
        body.fill('z');
      },
    });
    const answer = await within(
      new Promise<Buffer>((resolve, reject) => {
        httpRequest({ port: server.port, host: '127.0.0.1' }, async (incoming) => {
          const pieces: Buffer[] = [];
          for await (const piece of incoming) pieces.push(piece);
          resolve(Buffer.concat(pieces));
        })
          .on('error', reject)
          .end();
      }),
      () => 'the body',
    );
    expect(answer.length).toBe(body.length);
    expect(answer.every((byte) => byte === 0x61)).toBe(true);
  });
});
