// The HTTP client over TLS: names, sessions that are resumed, servers that nobody vouches for.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client, failure } from '../support/client.js';
import { serveHttp } from '../support/http.js';
import { pair } from '../support/tls/certificate.js';

async function serveSecure() {
  const seen: { reused: boolean; alpn: unknown; name: unknown }[] = [];
  const server = createServer({ ...pair }, (request, response) => {
    const socket = request.socket as TLSSocket;
    const { alpnProtocol: alpn, servername: name } = socket as never as Record<string, unknown>;
    seen.push({ reused: socket.isSessionReused(), alpn, name });
    request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

describe('a request over TLS', () => {
  it('names the host, speaks HTTP/1.1, and resumes its sessions', async () => {
    const { port, seen } = await serveSecure();
    const one = client({ tls: { ca: pair.cert }, maxRequestsPerConnection: 1 });
    const body = 'b'.repeat(100_000);
    for (let i = 0; i < 4; i++) {
      const response = await one.request(`https://localhost:${port}/`, { method: 'PUT', body });
      expect(await response.text()).toBe(body);
    }
    expect(seen[0]).toEqual({ reused: false, alpn: 'http/1.1', name: 'localhost' });
    // A ticket that comes behind the last byte of a connection may be lost with it.
    expect(seen.filter(({ reused }) => reused).length).toBeGreaterThanOrEqual(2);
  });

  it('goes to an address whose certificate names it', async () => {
    const { port } = await serveSecure();
    const one = client({ tls: { ca: pair.cert } });
    const response = await one.request(`https://127.0.0.1:${port}/`, { method: 'POST', body: 'x' });
    expect(await response.text()).toBe('x');
  });

  it('is not sent to a server that nobody vouches for', async () => {
    const { port, seen } = await serveSecure();
    const error = await failure(client().request(`https://localhost:${port}/`));
    expect(error.code).toMatch(/^ERR_RINGPOLL_TLS_/);
    expect(seen).toEqual([]);
  });
});

describe('an upstream over TLS', () => {
  it('is one of https: URLs', async () => {
    const { port, seen } = await serveSecure();
    const upstream = new Upstream({
      targets: [`https://localhost:${port}`],
      tls: { ca: pair.cert },
    });
    onTestFinished(() => upstream.destroy());
    const server = serveHttp({
      handler: (request, response) => proxy(request, response, upstream),
    });
    const response = await client().request(`http://127.0.0.1:${server.port}/`, {
      method: 'POST',
      body: 'through',
    });
    expect(await response.text()).toBe('through');
    expect(seen).toHaveLength(1);
  });
});
