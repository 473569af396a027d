// proxy() and Upstream: what the target gets, what the client gets, and what happens when targets
// fail, lie, come and go.
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpServer, serve } from 'ringpoll/http';
import {
  dnsDiscovery,
  fileDiscovery,
  type ProxyOptions,
  proxy,
  Upstream,
  type UpstreamOptions,
} from 'ringpoll/upstream';
import { WebSocket } from 'ringpoll/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client, failure, serveNode, serveRaw } from '../support/client.js';

function upstreamOf(options: UpstreamOptions): Upstream {
  const upstream = new Upstream(options);
  onTestFinished(() => upstream.destroy());
  return upstream;
}

function gateway(
  upstream: Upstream,
  options: ProxyOptions = {},
): { server: HttpServer; url: string } {
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    upgrade: true,
    handler: (request, response) => proxy(request, response, upstream, options),
  });
  onTestFinished(() => server.destroy());
  return { server, url: `http://127.0.0.1:${server.port}` };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('a request through proxy()', () => {
  it('arrives with its headers, but for those of the connection', async () => {
    let seen: IncomingMessage['headers'] = {};
    let path = '';
    const target = await serveNode((request, response) => {
      seen = request.headers;
      path = request.url as string;
      response.setHeader('X-Answer', 'a');
      response.setHeader('Connection', 'keep-alive, x-hop');
      response.setHeader('X-Hop', 'h');
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.end('body');
    });
    const { url } = gateway(upstreamOf({ targets: [target.url] }));
    const raw = await import('node:net');
    const socket = raw.connect(Number(new URL(url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(
      'GET /p/%2e?q=1 HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nConnection: close, X-Mine\r\n' +
        'X-Mine: m\r\nTE: gzip\r\nX-Two: 2\r\nKeep-Alive: 5\r\nX-Forwarded-For: 6.6.6.6\r\n' +
        'Forwarded: for=6.6.6.6\r\nProxy-Authorization: secret\r\nX-Three: 3\r\n\r\n',
    );
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    await once(socket, 'close');
    expect(path).toBe('/p/%2e?q=1');
    const { connection, ...others } = seen;
    expect(connection).not.toBe('close');
    expect(others).toEqual({
      host: 'a.example',
      ...{ 'x-one': '1', 'x-two': '2', 'x-three': '3' },
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example',
      forwarded: 'for=127.0.0.1;proto=http;host="a.example"',
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\nX-Answer: a\r\n/);
    expect(text.match(/\r\nSet-Cookie: /g)).toHaveLength(2);
    expect(text.match(/\r\nDate: /g)).toHaveLength(1);
    expect(text).not.toMatch(/x-hop/i);
    expect(text.endsWith('\r\n\r\nbody')).toBe(true);
  });

  it('adds to what a proxy of ours says, when it is told to', async () => {
    const target = await serveNode((request, response) => {
      const { 'x-forwarded-for': xff, forwarded } = request.headers;
      response.end(JSON.stringify([xff, forwarded]));
    });
    const { url } = gateway(upstreamOf({ targets: [target.url] }), { trustForwarded: true });
    const headers = { 'x-forwarded-for': '1.2.3.4', forwarded: 'for=1.2.3.4' };
    const response = await client().request(url, { headers });
    const [xff, forwarded] = (await response.json()) as string[];
    expect(xff).toBe('1.2.3.4, 127.0.0.1');
    expect(forwarded).toMatch(/^for=1\.2\.3\.4, for=127\.0\.0\.1;proto=http;host="127/);
  });

  it('streams bodies both ways, whatever their length', async () => {
    const target = await serveNode((request, response) => {
      if (request.headers['content-length'] !== undefined) {
        response.setHeader('content-length', request.headers['content-length']);
      }
      request.pipe(response);
    });
    const { url } = gateway(upstreamOf({ targets: [target.url] }));
    const one = client();
    for (const size of [0, 1, 1000, 70_000, 3_000_000]) {
      const body = Buffer.alloc(size, 'k');
      const whole = await one.request(url, { method: 'POST', body });
      expect((await whole.bytes()).equals(body)).toBe(true);
      const chunked = await one.request(url, { method: 'POST', body: [body, 'end'] });
      expect((await chunked.bytes()).length).toBe(size + 3);
    }
  });

  it('can be HEAD, and have an answer without a body or with trailers', async () => {
    const target = await serveNode((request, response) => {
      if (request.url === '/204') response.writeHead(204);
      if (request.url === '/head') response.setHeader('content-length', 1234);
      if (request.url === '/trailers') {
        response.write('x');
        response.addTrailers({ 'x-t': 'u' });
      }
      response.end();
    });
    const { url } = gateway(upstreamOf({ targets: [target.url] }));
    const one = client();
    expect((await one.request(`${url}/204`)).status).toBe(204);
    const head = await one.request(`${url}/head`, { method: 'HEAD' });
    expect([head.status, head.header('content-length'), await head.text()]).toEqual([
      ...[200, '1234', ''],
    ]);
    const trailers = await one.request(`${url}/trailers`);
    expect([await trailers.text(), trailers.trailers]).toEqual(['x', { 'x-t': 'u' }]);
    expect(one.counts.open).toBe(1);
  });

  it('may be an upgrade, as WebSocket is', async () => {
    const target = serve({
      host: '127.0.0.1',
      port: 0,
      handler: (_, response) => response.end(),
      websocket: { message: (socket, message) => void socket.send(`echo ${message}`) },
    } as never);
    onTestFinished(() => target.destroy());
    const { url } = gateway(upstreamOf({ targets: [`http://127.0.0.1:${target.port}`] }));
    const socket = new WebSocket(url.replace('http', 'ws'));
    const message = await new Promise((resolve, reject) => {
      socket.onopen = () => socket.send('hello');
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    });
    expect(message).toBe('echo hello');
    socket.close();
    await until(() => socket.readyState === 3);
  });
});

describe('an upgraded connection on which no byte moves', () => {
  it('is closed on both sides after tunnelTimeout', async () => {
    const raw = await serveRaw((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello');
    });
    const { url } = gateway(upstreamOf({ targets: [raw.url] }), { tunnelTimeout: 100 });
    const response = await client().request(url, { upgrade: 'x' });
    let text = '';
    await new Promise<void>((resolve) => {
      response.upgrade({
        data(_, chunk) {
          text += chunk.toString();
        },
        close: () => resolve(),
      });
    });
    expect(text).toBe('hello');
    await until(() => raw.sockets.size === 0);
  });
});

describe('what proxy() does not pass on', () => {
  it('is CONNECT, and an upgrade that the server does not let through', async () => {
    const raw = await serveRaw((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
    });
    const upstream = upstreamOf({ targets: [raw.url] });
    const { url } = gateway(upstream);
    const connect = await client().request(url, { method: 'CONNECT' });
    expect(connect.status).toBe(405);
    const server = serve({
      host: '127.0.0.1',
      port: 0,
      handler: (request, response) => proxy(request, response, upstream),
    });
    onTestFinished(() => server.destroy());
    const upgrade = client().request(`http://127.0.0.1:${server.port}/`, { upgrade: 'x' });
    expect((await upgrade).status).toBe(502);
    await until(() => raw.sockets.size === 0);
    expect(upstream.targets[0]!.active).toBe(0);
  });
});

describe('targets', () => {
  it('get requests in turn, and those that fail are left out for a while', async () => {
    const counts = [0, 0, 0];
    const targets = await Promise.all(
      counts.map((_, i) =>
        serveNode((_request, response) => {
          counts[i]!++;
          response.statusCode = i === 1 ? 500 : 200;
          response.end(String(i));
        }),
      ),
    );
    let now = 0;
    const upstream = upstreamOf({
      targets: targets.map(({ url }) => url),
      outlier: { consecutive5xx: 3, ejection: 1000 },
      now: () => now,
    });
    const { url } = gateway(upstream);
    const one = client({ maxConnections: 1 });
    for (let i = 0; i < 30; i++) await (await one.request(url)).text();
    expect(counts[1]).toBe(3);
    expect(counts[0]! + counts[2]!).toBe(27);
    expect(upstream.targets.map(({ ejected }) => ejected)).toEqual([false, true, false]);
    now = 1001;
    for (let i = 0; i < 9; i++) await (await one.request(url)).text();
    expect(counts[1]).toBe(6);
    expect(upstream.targets[1]).toMatchObject({ ejected: true, failures: 6, active: 0 });
  });

  it('that do not answer cost no request that can be sent twice', async () => {
    const gone = await serveNode(() => {});
    gone.server.close();
    await once(gone.server, 'close');
    const good = await serveNode((_, response) => response.end('good'));
    const liar = await serveRaw((socket) => socket.destroy());
    const upstream = upstreamOf({ targets: [gone.url, good.url, liar.url, `${good.url}`] });
    const { url } = gateway(upstream, { retry: { attempts: 3 } });
    const one = client();
    for (let i = 0; i < 12; i++) expect(await (await one.request(url)).text()).toBe('good');
    // Nothing of it was sent to one that refuses: so a POST may go to another, too.
    const refusing = gateway(upstreamOf({ targets: [gone.url, good.url] }));
    for (let i = 0; i < 4; i++) {
      const response = await one.request(refusing.url, { method: 'POST', body: 'x' });
      expect([response.status, await response.text()]).toEqual([200, 'good']);
    }
  });

  it('that lie get 502, that are late 504, and that are too busy 503', async () => {
    const answers: Record<string, (socket: import('node:net').Socket) => unknown> = {
      '/garbage': (socket) => socket.write('garbage\r\n\r\n'),
      '/leave': (socket) => socket.destroy(),
      '/headers': (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(200)}`),
      '/late': () => {},
    };
    const raw = await serveRaw((socket, _, request) => answers[request.split(' ')[1]!]!(socket));
    const outlier = { consecutive5xx: 0 };
    const upstream = upstreamOf({ targets: [raw.url], outlier, headTimeout: 200 });
    const { url } = gateway(upstream, { retry: false });
    const one = client();
    const status = async (path: string, headers = {}) => {
      const response = await one.request(url + path, { headers });
      await response.text();
      return response.status;
    };
    expect(await status('/garbage')).toBe(502);
    expect(await status('/leave')).toBe(502);
    expect(await status('/headers')).toBe(502);
    expect(await status('/late')).toBe(504);
    const before = performance.now();
    expect(await status('/late', { 'x-timeout-ms': '30' })).toBe(504);
    expect(performance.now() - before).toBeLessThan(190);
    const small = upstreamOf({ targets: [raw.url], outlier, maxConnections: 1, maxPending: 1 });
    const busy = gateway(small, { retry: false });
    const all = Array.from({ length: 4 }, () => client().request(`${busy.url}/late`));
    const first = await Promise.race(all);
    expect([first.status, first.header('retry-after')]).toEqual([503, '1']);
    small.destroy();
    await Promise.all(all);
    for (const { active } of [...upstream.targets, ...small.targets]) expect(active).toBe(0);
  });

  it('that break off within a body break off the answer too', async () => {
    const raw = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', () => socket.destroy());
    });
    const { url } = gateway(upstreamOf({ targets: [raw.url] }));
    const response = await client().request(url);
    expect((await failure(response.text())).code).toBe('ERR_RINGPOLL_RESPONSE_TRUNCATED');
  });

  it('do not go on for a client that has left', async () => {
    let closed = 0;
    const raw = await serveRaw((socket, _, request) => {
      socket.on('close', () => closed++);
      if (request.includes('/body'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
    });
    const upstream = upstreamOf({ targets: [raw.url] });
    const { url } = gateway(upstream);
    for (const path of ['/head', '/body']) {
      const control = new AbortController();
      const response = client().request(url + path, { signal: control.signal });
      if (path === '/body') (await response).text().catch(() => {});
      else response.catch(() => {});
      await until(() => upstream.targets[0]!.active === 1 && raw.sockets.size > 0);
      control.abort();
      await until(() => upstream.targets[0]!.active === 0);
    }
    await until(() => closed === 2);
  });

  it('never give one client the answer that is for another', async () => {
    const raw = await serveRaw((socket, nth, request) => {
      const path = request.split(' ')[1] as string;
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;
      socket.write(nth % 3 === 0 ? `${answer}${OK}` : answer);
    });
    const { url } = gateway(upstreamOf({ targets: [raw.url], outlier: { consecutive5xx: 0 } }));
    const one = client({ maxConnections: 16 });
    const all = Array.from({ length: 400 }, async (_, i) => {
      const response = await one.request(`${url}/${i}`);
      expect([200, 502]).toContain(response.status);
      if (response.status === 200) expect(await response.text()).toBe(`/${i}`);
    });
    await Promise.all(all);
  });

  it('are asked whether they are well', async () => {
    let isWell = false;
    const target = await serveNode((request, response) => {
      response.statusCode = request.url === '/health' && !isWell ? 500 : 200;
      response.end();
    });
    const health = { path: '/health', interval: 5, unhealthy: 1, healthy: 1 };
    const upstream = upstreamOf({ targets: [target.url], health });
    const { url } = gateway(upstream);
    await until(() => !upstream.targets[0]!.healthy);
    expect((await client().request(url)).status).toBe(503);
    isWell = true;
    await until(() => upstream.targets[0]!.healthy);
    expect((await client().request(url)).status).toBe(200);
  });
});

describe('discovery', () => {
  it('by a file takes what is right, and answers what is under way', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) =>
        serveNode((_, response) => setTimeout(() => response.end(name), 20)),
      ),
    );
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'targets.json');
    const write = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    write(JSON.stringify([a!.url]));
    const errors: Error[] = [];
    const upstream = upstreamOf({
      targets: fileDiscovery(path, { interval: 5 }),
      error: (error) => void errors.push(error),
    });
    const { url } = gateway(upstream);
    await until(() => upstream.targets.length === 1);
    const underWay = client().request(url);
    await until(() => upstream.targets[0]!.active === 1);
    write(JSON.stringify([{ url: b!.url, weight: 2 }]));
    await until(() => upstream.targets[0]!.url === b!.url);
    expect(await (await underWay).text()).toBe('a');
    expect(await (await client().request(url)).text()).toBe('b');
    for (const wrong of ['no json', '[]', '["ftp://x"]', '[{"url":"http://a","weight":-1}]']) {
      const before = errors.length;
      write(wrong);
      await until(() => errors.length > before);
      expect(upstream.targets.map((target) => target.url)).toEqual([b!.url]);
    }
  });

  it('by DNS follows its answers, and keeps what it has when there is none', async () => {
    const { port } = new URL((await serveNode((_, response) => response.end('d'))).url);
    let answer: () => Promise<string[]> = async () => ['127.0.0.1'];
    const errors: Error[] = [];
    const upstream = upstreamOf({
      targets: dnsDiscovery('service.test', {
        port: Number(port),
        interval: 5,
        resolver: { resolve4: () => answer(), resolveSrv: async () => [] },
      }),
      error: (error) => void errors.push(error),
    });
    const { url } = gateway(upstream);
    await until(() => upstream.targets.length === 1);
    expect(await (await client().request(url)).text()).toBe('d');
    answer = async () => ['127.0.0.1', '127.0.0.2'];
    await until(() => upstream.targets.length === 2);
    answer = () => Promise.reject(new Error('SERVFAIL'));
    await until(() => errors.length > 1);
    answer = async () => [];
    const before = errors.length;
    await until(() => errors.length > before + 1);
    expect(upstream.targets).toHaveLength(2);
  });
});

describe('a mirror', () => {
  it('gets copies, and its answers reach nobody', async () => {
    const seen: string[] = [];
    const target = await serveNode((_, response) => response.end('real'));
    const other = await serveNode((request, response) => {
      seen.push(request.url as string);
      response.statusCode = 500;
      response.end('mirror');
    });
    const mirror = { upstream: upstreamOf({ targets: [other.url] }), share: 1 };
    const { url } = gateway(upstreamOf({ targets: [target.url] }), { mirror });
    for (let i = 0; i < 5; i++) {
      expect(await (await client().request(`${url}/${i}`)).text()).toBe('real');
    }
    await until(() => seen.length === 5);
    expect(seen).toEqual(['/0', '/1', '/2', '/3', '/4']);
  });
});

describe('wrong arguments', () => {
  it('are refused', () => {
    expect(() => new Upstream({ targets: [] })).toThrow(TypeError);
    expect(() => new Upstream({ targets: ['ftp://a'] })).toThrow(TypeError);
    expect(() => new Upstream({ targets: 7 as never })).toThrow(TypeError);
    expect(() => new Upstream({ targets: ['http://a'], balance: 'x' as never })).toThrow(
      /round-robin/,
    );
    expect(() => new Upstream({ targets: ['http://a'], balanced: 'x' } as never)).toThrow(
      /unknown/,
    );
    expect(() => new Upstream({ targets: [{ url: 'http://a', weight: 0 }] })).toThrow(RangeError);
    const upstream = upstreamOf({ targets: ['http://a'] });
    const asked = (options: unknown) => () =>
      proxy({ method: 'GET' } as never, {} as never, upstream, options as ProxyOptions);
    expect(asked({ halfCloseTimeout: -1 })).toThrow(RangeError);
    expect(asked({ halfCloseTimeout: '1' })).toThrow(TypeError);
    expect(asked({ halfClose: 1 })).toThrow(/halfCloseTimeout/);
  });
});
