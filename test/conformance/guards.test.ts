// Guards around handlers and raw connections.
import { listen } from 'ringpoll';
import { ConnectionGuard, guard, type HttpGuardOptions } from 'ringpoll/guards';
import { type HttpRequest, type HttpResponse, serve, withDeadline } from 'ringpoll/http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { client, failure } from '../support/client.js';
import { connectPeer } from '../support/peer.js';

function guarded(
  handler: (request: HttpRequest, response: HttpResponse) => unknown,
  options: HttpGuardOptions,
) {
  const handle = guard((request, response) => handler(request, response), options);
  const server = serve({ host: '127.0.0.1', port: 0, handler: handle });
  onTestFinished(() => server.destroy());
  return { handle, url: `http://127.0.0.1:${server.port}` };
}

const quiet = { overload: false } as const;

describe('a guarded handler', () => {
  it('answers 429 with Retry-After beyond the rate of an address', async () => {
    const { url, handle } = guarded((_, response) => response.end('ok'), {
      ...quiet,
      rate: { rate: 0.01, burst: 3 },
    });
    const one = client({ maxConnections: 1 });
    const statuses: number[] = [];
    let after: string | undefined;
    for (let i = 0; i < 5; i++) {
      const response = await one.request(url);
      statuses.push(response.status);
      after = response.header('retry-after');
      await response.text();
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(Number(after)).toBeGreaterThan(90);
    expect(handle.counts).toMatchObject({ admitted: 3, active: 0 });
    expect(handle.counts.refused.rate).toBe(2);
  });

  it('answers 503 beyond its concurrency, also when clients leave', async () => {
    const waiting: HttpResponse[] = [];
    const { url, handle } = guarded(
      (request, response) => {
        waiting.push(response);
        request.signal.addEventListener('abort', () => response.end());
      },
      { ...quiet, concurrency: { limit: 2 } },
    );
    const control = new AbortController();
    const held = [0, 1].map(() => failure(client().request(url, { signal: control.signal })));
    while (handle.counts.active < 2) await new Promise(setImmediate);
    expect((await client().request(url)).status).toBe(503);
    control.abort(new Error('left'));
    await Promise.all(held);
    while (handle.counts.active > 0) await new Promise(setImmediate);
    const served = client().request(url);
    while (waiting.length < 3) await new Promise(setImmediate);
    waiting[2]!.end('ok');
    expect(await (await served).text()).toBe('ok');
    expect(handle.counts.active).toBe(0);
  });

  it('breaks what fails, answers by its fallback, and mends', async () => {
    let now = 0;
    let down = true;
    const { url, handle } = guarded((_, response) => response.status(down ? 500 : 200).end('x'), {
      ...quiet,
      now: () => now,
      breaker: { consecutive: 3, open: 1000, probes: 1 },
      fallback: (_, response, by) => response.end(`fallback ${by}`),
    });
    const one = client();
    const ask = async () => {
      const response = await one.request(url);
      return `${response.status} ${await response.text()}`;
    };
    for (let i = 0; i < 3; i++) expect(await ask()).toBe('500 x');
    expect(await ask()).toBe('200 fallback breaker');
    now = 1000;
    down = false;
    expect(await ask()).toBe('200 x');
    expect(handle.counts.breaker).toBe('closed');
  });

  it('lets go once of each request, however its handler ends', async () => {
    const ways: Record<string, (request: HttpRequest, response: HttpResponse) => unknown> = {
      '/at-once': (_, response) => response.end('ok'),
      '/later': (_, response) => setImmediate(() => response.end('ok')),
      '/promise': async (_, response) => {
        await null;
        response.end('ok');
      },
      '/throws': () => {
        throw new Error('before it has answered');
      },
      '/rejects': () => Promise.reject(new Error('before it has answered')),
    };
    const answer = (request: HttpRequest, response: HttpResponse) =>
      ways[request.path]!(request, response);
    const inside = withDeadline(answer, { timeout: 60_000 });
    for (const handler of [answer, inside]) {
      const { url, handle } = guarded(handler, { ...quiet, breaker: { consecutive: 1000 } });
      const outside = guarded(withDeadline(handle, { timeout: 60_000 }), quiet);
      const one = client({ maxConnections: 1 });
      for (const base of [url, outside.url]) {
        for (const path of Object.keys(ways)) {
          const { status } = await one.request(base + path);
          expect([path, status]).toEqual([path, /throws|rejects/.test(path) ? 500 : 200]);
          await vi.waitUntil(() => handle.counts.active === 0);
        }
      }
      expect(handle.counts.admitted).toBe(2 * Object.keys(ways).length);
      expect(outside.handle.counts).toMatchObject({ active: 0, admitted: 5 });
    }
  });

  it('counts streams until they end', async () => {
    let end = () => {};
    const { url, handle } = guarded((_, response) => {
      response.write('a');
      end = () => response.end('b');
    }, quiet);
    const response = await client().request(url);
    expect(handle.counts.active).toBe(1);
    end();
    expect(await response.text()).toBe('ab');
    expect(handle.counts.active).toBe(0);
  });
});

describe('a guard of connections', () => {
  it('resets what is too much', async () => {
    const guards = new ConnectionGuard({ overload: false, concurrency: { limit: 1 } });
    const listener = listen({
      host: '127.0.0.1',
      port: 0,
      open(connection) {
        if (guards.admit(connection)) connection.write('welcome');
      },
      data() {},
    });
    onTestFinished(() => listener.destroy());
    const first = await connectPeer({ port: listener.port as number });
    await first.received(7);
    const second = await connectPeer({ port: listener.port as number });
    await second.untilOver();
    expect(second.text).toBe('');
    first.end();
    await first.untilOver();
    while (guards.counts.active > 0) await new Promise(setImmediate);
    const third = await connectPeer({ port: listener.port as number });
    await third.received(7);
  });
});
