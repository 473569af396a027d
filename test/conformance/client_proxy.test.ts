// The proxy option of Client: http: URLs are asked of the proxy, https: URLs go through a tunnel.
import { once } from 'node:events';
import { createServer, request as requestOfNode, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import { Client, type ClientOptions } from 'ringpoll/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Control } from '../../lib/runtime/protocol.js';
import { runtime } from '../../lib/runtime/runtime.js';
import { client, failure, serveNode, serveRaw } from '../support/client.js';
import { pair } from '../support/tls/certificate.js';

interface Proxy {
  url: string;
  /** 'GET http://...' or 'CONNECT host:port', with what it was authorized by. */
  asked: string[];
  sockets: Set<Socket>;
}

/** A proxy of node:http; `refuses` answers CONNECT instead of it. */
async function startProxy(refuses?: (socket: Socket) => void): Promise<Proxy> {
  const proxy: Proxy = { url: '', asked: [], sockets: new Set() };
  const note = (incoming: { method?: string; url?: string; headers: NodeJS.Dict<unknown> }) => {
    const by = incoming.headers['proxy-authorization'];
    proxy.asked.push(`${incoming.method} ${incoming.url}${by === undefined ? '' : ` ${by}`}`);
  };
  const server = createServer((incoming, response: ServerResponse) => {
    note(incoming);
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const onward = requestOfNode(incoming.url!, { method: incoming.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket: Socket) => {
    note(incoming);
    socket.on('error', () => {});
    if (refuses !== undefined) return refuses(socket);
    const [host, port] = incoming.url!.split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  server.on('connection', (socket) => {
    proxy.sockets.add(socket);
    socket.on('close', () => proxy.sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of proxy.sockets) socket.destroy();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

async function serveTls(): Promise<string> {
  const server = createTlsServer(pair, async (incoming, response) => {
    let body = '';
    for await (const piece of incoming) body += piece;
    response.setHeader('X-Seen', `${incoming.headers['proxy-authorization'] ?? 'none'}`);
    response.end(`${incoming.method} ${incoming.url} ${body}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

const through = (proxy: ClientOptions['proxy'], options: ClientOptions = {}) =>
  client({ proxy, tls: { ca: pair.cert }, ...options });

describe('a client with a proxy', () => {
  it('asks it for http: URLs, over connections that all origins share', async () => {
    const echo = (incoming: { url?: string }, response: ServerResponse) =>
      response.end(`at ${incoming.url}`);
    const [one, two] = [await serveNode(echo), await serveNode(echo)];
    const proxy = await startProxy();
    const asking = through(proxy.url);
    for (const { url } of [one, two, one]) {
      expect(await (await asking.request(`${url}/a?b=1`)).text()).toBe('at /a?b=1');
    }
    expect(proxy.asked).toEqual([one, two, one].map(({ url }) => `GET ${url}/a?b=1`));
    expect(proxy.sockets.size).toBe(1);
    expect(asking.counts).toMatchObject({ origins: 1, open: 1, idle: 1 });
  });

  it('opens a tunnel for https: URLs, and keeps it', async () => {
    const url = await serveTls();
    const proxy = await startProxy();
    const asking = through(proxy.url);
    for (let i = 0; i < 3; i++) {
      const body = 'x'.repeat(100_000 * i + 1);
      const response = await asking.request(`${url}/p`, { method: 'POST', body });
      expect(await response.text()).toBe(`POST /p ${body}`);
    }
    expect(proxy.asked).toEqual([`CONNECT ${new URL(url).host}`]);
    await asking.close();
    while (proxy.sockets.size > 0) await new Promise(setImmediate);
  });

  it('closes the socket of a tunnel that cannot be taken over', async () => {
    const url = await serveTls();
    const proxy = await startProxy();
    const asking = through(proxy.url);
    const { control, native } = runtime();
    vi.spyOn(native, 'adopt').mockImplementationOnce(() => {
      control[Control.resultError] = constants.errno.ENOMEM;
    });
    expect(await failure(asking.request(url))).toMatchObject({ code: 'ENOMEM' });
    await vi.waitUntil(() => proxy.sockets.size === 0);
    expect(await (await asking.request(url)).text()).toBe('GET / ');
  });

  it('opens as many tunnels as requests need at once', async () => {
    const url = await serveTls();
    const proxy = await startProxy();
    const asking = through(proxy.url, { maxConnections: 4 });
    const texts = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await asking.request(`${url}/${i}`)).text()),
    );
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `GET /${i} `));
    expect(proxy.asked.length).toBe(4);
  });

  it.each([
    ['the URL', (url: string) => url.replace('//', '//us%40er:pa%3Ass@'), 'us@er:pa:ss'],
    ['an option', (url: string) => ({ url, authorization: 'Bearer T' }), undefined],
  ])('says who it is by %s, and to nobody else', async (_, given, basic) => {
    const url = await serveTls();
    const plain = await serveNode((incoming, response) =>
      response.end(`${incoming.headers['proxy-authorization'] ?? 'none'}`),
    );
    const proxy = await startProxy();
    const asking = through(given(proxy.url));
    const response = await asking.request(url);
    expect(response.header('x-seen')).toBe('none');
    await response.text();
    expect(await (await asking.request(plain.url)).text()).toBe('none');
    const by = basic === undefined ? 'Bearer T' : `Basic ${Buffer.from(basic).toString('base64')}`;
    expect(proxy.asked).toEqual([`CONNECT ${new URL(url).host} ${by}`, `GET ${plain.url}/ ${by}`]);
  });

  it('tells what the proxy answers when it opens no tunnel', async () => {
    const url = await serveTls();
    const proxy = await startProxy((socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nwho?'),
    );
    const error = await failure(through(proxy.url).request(url));
    expect(error).toMatchObject({ code: 'ERR_RINGPOLL_PROXY_REFUSED', status: 407 });
  });

  it.each([
    ['garbage', 'SSH-2.0-x\r\n\r\n', 'ERR_RINGPOLL_RESPONSE_INVALID'],
    ['nothing', '', 'ERR_RINGPOLL_NO_RESPONSE'],
    ['bytes of its own in the tunnel', 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', undefined],
  ])('fails when the proxy sends %s', async (_, bytes, code) => {
    const url = await serveTls();
    const proxy = await startProxy((socket) => socket.end(bytes));
    const error = await failure(through(proxy.url).request(url));
    if (code === undefined) expect(error.code).toMatch(/^ERR_RINGPOLL_(NO_RESPONSE|TLS_\w+)$/);
    else expect(error.code).toBe(code);
  });

  it('gives up when the tunnel does not come, and when it is told to', async () => {
    const url = await serveTls();
    const proxy = await startProxy(() => {});
    const late = await failure(through(proxy.url, { headTimeout: 20 }).request(url));
    expect(late).toMatchObject({ code: 'ERR_RINGPOLL_RESPONSE_TIMEOUT', phase: 'head' });
    const control = new AbortController();
    const asked = failure(through(proxy.url).request(url, { signal: control.signal }));
    control.abort(new Error('enough'));
    expect((await asked).message).toBe('enough');
    const whole = await failure(through(proxy.url).request(url, { timeout: 20 }));
    expect(whole).toMatchObject({ phase: 'whole' });
  });

  it('checks the certificate of the server, not of the proxy', async () => {
    const url = await serveTls();
    const proxy = await startProxy();
    const error = await failure(client({ proxy: proxy.url }).request(url));
    expect(error.code).toMatch(/^ERR_RINGPOLL_TLS_/);
    const named = url.replace('localhost', '127.0.0.2');
    const other = await failure(through(proxy.url).request(named));
    expect(other.code).toMatch(/^ERR_RINGPOLL_TLS_|ERR_RINGPOLL_NO_RESPONSE/);
  });

  it('has no connection when the proxy is away', async () => {
    const raw = await serveRaw(() => {});
    const gone = await startProxy();
    const port = Number(new URL(gone.url).port);
    expect(port).toBeGreaterThan(0);
    const nowhere = through('http://127.0.0.1:1');
    for (const url of [raw.url, 'https://localhost:2']) {
      expect((await failure(nowhere.request(url))).code).toBe('ECONNREFUSED');
    }
  });

  it('leaves nothing behind when it is destroyed meanwhile', async () => {
    const url = await serveTls();
    const proxy = await startProxy((socket) => socket.on('end', () => socket.end()).resume());
    const asking = new Client({ proxy: proxy.url });
    const asked = failure(asking.request(url));
    while (proxy.asked.length === 0) await new Promise(setImmediate);
    asking.destroy();
    expect((await asked).code).toBe('ERR_RINGPOLL_CLIENT_CLOSED');
    while (proxy.sockets.size > 0) await new Promise(setImmediate);
    expect(asking.counts).toMatchObject({ origins: 0, open: 0, connecting: 0, pending: 0 });
  });

  it.each([
    [{ proxy: 7 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ proxy: 'proxy:3128' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ proxy: 'https://proxy' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ proxy: { url: 'http://p', authorization: 7 } }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ proxy: { url: 'http://p', authorization: 'a\r\nb: c' } }, 'ERR_INVALID_CHAR'],
    [{ proxy: { url: 'http://p', auth: 'x' } }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ proxy: 'http://p', socketPath: '/x' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
  ])('refuses %o', (options, code) => {
    expect(() => new Client(options as ClientOptions)).toThrow(expect.objectContaining({ code }));
  });
});
