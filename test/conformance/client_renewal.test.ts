// Connections that have a limit of requests: which end when, and when another one is opened that
// takes their place.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Client } from 'ringpoll/client';
import { serve } from 'ringpoll/http';
import { proxy, Upstream, type UpstreamOptions } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { client, failure, type RawServer, serveRaw } from '../support/client.js';
import { within } from '../support/recorder.js';
import { pair } from '../support/tls/certificate.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const MAX = 40;
/** A tenth fewer. */
const LEAST = 36;

/** Date.now() alone: timers and sockets have the real time. */
function fakeDate(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.setSystemTime(Date.now() + ms);
}

async function until(done: () => boolean, what: string): Promise<void> {
  const looks = async () => {
    while (!done()) await new Promise(setImmediate);
  };
  await within(looks(), () => what);
}

const ask = async (one: Client, url: string) => (await one.request(url)).text();

/** A server that counts the requests of each connection; `before`: what an answer waits for. */
async function serveCounting(
  before: (nth: number, raw: RawServer) => Promise<void> | undefined = () => undefined,
  tls?: { key: string; cert: string },
) {
  const counts = new Map<Socket, number>();
  const raw = await serveRaw(async (socket) => {
    const nth = (counts.get(socket) ?? 0) + 1;
    counts.set(socket, nth);
    await before(nth, raw);
    socket.write(OK);
  }, tls);
  return { counts, raw };
}

function gateway(options: UpstreamOptions): { url: string; upstream: Upstream } {
  const upstream = new Upstream(options);
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    handler: (request, response) => proxy(request, response, upstream),
  });
  onTestFinished(() => {
    upstream.destroy();
    server.destroy();
  });
  return { url: `http://127.0.0.1:${server.port}`, upstream };
}

describe('a connection that is near its limit of requests', () => {
  it.each([
    ['plain', undefined],
    ['over TLS', pair],
  ])('is replaced by one that is open before it ends (%s)', async (_, tls) => {
    const isReplaced = (nth: number, raw: RawServer) =>
      nth >= MAX - 2 ? until(() => raw.connections > 1, 'a second connection') : undefined;
    const { counts, raw } = await serveCounting(isReplaced, tls);
    const { url, upstream } = gateway({
      targets: [raw.url],
      maxRequestsPerConnection: MAX,
      random: () => 0,
      ...(tls !== undefined && { tls: { ca: tls.cert } }),
    });
    const one = client();
    for (let i = 0; i < 3 * MAX; i++) expect(await ask(one, url)).toBe('ok');
    const each = [...counts.values()];
    expect(Math.max(...each)).toBeLessThanOrEqual(MAX);
    // The last one goes on.
    expect(Math.min(...each.slice(0, -1))).toBeGreaterThanOrEqual(MAX - 2);
    await until(() => raw.sockets.size === 1, 'the end of those that were replaced');
    expect(upstream.targets[0]).toMatchObject({ connections: 1, pending: 0 });
  });

  it('is not replaced ahead when its requests are rare', async () => {
    const later = fakeDate();
    const { counts, raw } = await serveCounting();
    const one = client({ maxRequestsPerConnection: MAX, keepAliveTimeout: 0 });
    while (counts.size < 3) {
      const text = ask(one, raw.url);
      expect(one.counts.open + one.counts.connecting).toBe(1);
      expect(await text).toBe('ok');
      later(2000);
    }
    const [all] = counts.values();
    expect(all).toBeGreaterThanOrEqual(LEAST);
  });

  it('is not replaced ahead when another one is free', async () => {
    const { raw } = await serveCounting();
    const one = client({ maxRequestsPerConnection: MAX });
    await Promise.all([ask(one, raw.url), ask(one, raw.url)]);
    expect(one.counts).toMatchObject({ open: 2, idle: 2 });
    while (one.counts.open === 2) expect(await ask(one, raw.url)).toBe('ok');
    expect(one.counts).toMatchObject({ open: 1, idle: 1, connecting: 0 });
    expect(raw.connections).toBe(2);
  });

  it('is not replaced ahead when there may be no more connections', async () => {
    let most = 0;
    const raw: RawServer = await serveRaw((socket) => {
      most = Math.max(most, raw.sockets.size);
      socket.write(OK);
    });
    const one = client({ maxRequestsPerConnection: MAX, maxConnections: 1 });
    for (let i = 0; i < 3 * MAX; i++) {
      const text = ask(one, raw.url);
      expect(one.counts.open + one.counts.connecting).toBeLessThanOrEqual(1);
      expect(await text).toBe('ok');
    }
    expect(raw.connections).toBeGreaterThanOrEqual(3);
  });

  it('serves its last requests when no other one can be opened', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.write(OK)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const one = client({ maxRequestsPerConnection: MAX });
    await ask(one, url);
    // The connection that is open stays.
    server.close();
    let answered = 1;
    for (; one.counts.open === 1; answered++) expect(await ask(one, url)).toBe('ok');
    expect(answered).toBeGreaterThanOrEqual(LEAST);
    expect((await failure(ask(one, url))).code).toBe('ECONNREFUSED');
  });
});

describe('connections that were opened together', () => {
  it('do not end together', async () => {
    const ends: number[] = [];
    let answered = 0;
    const raw = await serveRaw((socket, nth) => {
      answered = nth;
      socket.write(OK);
    });
    const { url } = gateway({ targets: [raw.url] });
    const one = client();
    const CROWD = 16;
    const round = () => Promise.all(Array.from({ length: CROWD }, () => ask(one, url)));
    await round();
    for (const socket of raw.sockets) once(socket, 'close').then(() => ends.push(answered));
    while (ends.length < CROWD) await round();
    // Each carries 90 to 100, or ends two before that when its successor has come.
    expect(Math.min(...ends)).toBeGreaterThanOrEqual((90 - 3) * CROWD);
    expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(2 * CROWD);
  });
});
