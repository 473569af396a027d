// What a server counts of its requests, and how long it says that they took.
import type { HttpServer, RequestMetrics } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { turnMeter } from '../../lib/runtime/turn_meter.js';
import { dialHttp, exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function requestsOf(server: HttpServer): RequestMetrics {
  const { requests } = server.metrics();
  if (requests === undefined) throw new Error('nobody measures');
  return requests;
}

/** Count by 'METHOD route status'. */
const counted = (server: HttpServer) =>
  Object.fromEntries(
    requestsOf(server).counts.map(({ route, method, status, count }) => [
      `${method} ${route} ${status}`,
      count,
    ]),
  );

describe('a server that measures', () => {
  it('counts by route, method and status, those behind one another too', async () => {
    const server = serveHttp({
      metrics: true,
      routes: {
        '/users/:id': { GET: (request) => `${request.params.id}`, PUT: async () => 'later' },
        '/gone': (_, response) => response.status(410).end(),
      },
    });
    const asked = ['GET /users/1', 'GET /users/2', 'PUT /users/3', 'GET /gone', 'GET /none'];
    const text = asked.map((line) => requestText(...(line.split(' ') as [string, string])));
    await exchange(server, text.join(''));
    expect(counted(server)).toEqual({
      'GET /users/:id 200': 2,
      'PUT /users/:id 200': 1,
      'GET /gone 410': 1,
      'GET  404': 1,
    });
    expect(requestsOf(server)).toMatchObject({ total: 5, waiting: 0, aborted: 0 });
    expect(requestsOf(server).microseconds.count).toBe(5);
  });

  it('times what outlasts its turn by itself, and the rest with its turn', async () => {
    const server = serveHttp({
      metrics: true,
      routes: {
        '/slow': async () => {
          await delay(30);
          return 'slow';
        },
        '/fast': () => 'fast',
      },
    });
    await exchange(server, requestText('GET', '/fast') + requestText('GET', '/slow'));
    const { routes } = requestsOf(server);
    expect(routes['/slow']).toMatchObject({ count: 1 });
    expect(routes['/slow'].p50).toBeGreaterThan(29_000);
    expect(routes['/fast']).toMatchObject({ count: 1 });
    expect(routes['/fast'].p50).toBeGreaterThan(0);
    expect(routes['/fast'].p50).toBeLessThan(routes['/slow'].p50);
  });

  it('says how many wait, and forgets those whose peers went away', async () => {
    let begun = () => {};
    const both = new Promise<void>((resolve) => {
      let left = 2;
      begun = () => --left === 0 && resolve();
    });
    const server = serveHttp({
      metrics: true,
      handler(request) {
        request.signal.addEventListener('abort', () => gone());
        begun();
        return new Promise<string>(() => {});
      },
    });
    let gone = () => {};
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/').repeat(2));
    await both;
    await delay(0);
    expect(requestsOf(server)).toMatchObject({ waiting: 2, total: 0 });
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    peer.reset();
    await left;
    await delay(0);
    expect(requestsOf(server)).toMatchObject({ waiting: 0, total: 0, aborted: 2 });
  });

  it('counts errors of handlers and refused requests by their codes', async () => {
    const server = serveHttp({
      metrics: true,
      error() {},
      handler() {
        throw Object.assign(new Error('no'), { code: 'E_MINE' });
      },
    });
    await exchange(server, requestText('GET', '/'));
    await exchange(server, 'NONSENSE\r\n\r\n');
    const { errors, counts } = requestsOf(server);
    expect(counts).toEqual([{ route: '', method: 'GET', status: 500, count: 1 }]);
    expect(errors.E_MINE).toBe(1);
    const refused = Object.keys(errors).filter((code) => code.startsWith('ERR_RINGPOLL_HTTP_'));
    expect(refused).toHaveLength(1);
  });

  it('counts an upgrade as 101', async () => {
    const server = serveHttp({
      metrics: true,
      upgrade: true,
      handler(_, response) {
        response.upgrade({ Upgrade: 'mine' }, { data() {} }).end();
      },
    });
    await exchange(server, requestText('GET', '/', { Connection: 'Upgrade', Upgrade: 'mine' }));
    expect(counted(server)).toEqual({ 'GET  101': 1 });
  });

  it('stays bounded whatever methods and errors peers and handlers think of', async () => {
    let which = 0;
    const server = serveHttp({
      metrics: true,
      unknownMethods: true,
      error() {},
      handler(_, response) {
        if (which++ % 2 === 0) throw Object.assign(new Error(), { code: `E_${which}` });
        response.status(200 + (which % 400)).end();
      },
    });
    const text = Array.from({ length: 200 }, (_, i) => requestText(`METHOD${i}`, `/${i}`));
    await exchange(server, text.join(''));
    const { errors, total, counts } = requestsOf(server);
    expect(total).toBe(200);
    expect(Object.keys(errors).length).toBe(65);
    expect(errors['(other)']).toBe(100 - 64);
    expect(new Set(counts.map(({ method }) => method))).toEqual(new Set(['OTHER']));
  });
});

describe('a server that tells how long it took', () => {
  it('says so in Server-Timing, of answers at once, later and in pieces', async () => {
    const server = serveHttp({
      serverTiming: true,
      routes: {
        '/now': () => 'now',
        '/later': async () => {
          await delay(20);
          return 'later';
        },
        '/pieces': (_, response) => {
          response.header('Server-Timing', 'db;dur=7').write('one');
          response.end('two');
        },
      },
    });
    const text = ['/now', '/later', '/pieces'].map((path) => requestText('GET', path)).join('');
    const answers = parseAnswers(await exchange(server, text));
    const times = answers.map(({ headers }) => headers['server-timing']!);
    const total = (time: string) => Number(/total;dur=(\d+\.\d{3})$/.exec(time)?.[1]);
    expect(total(times[0])).toBeGreaterThan(0);
    expect(total(times[1])).toBeGreaterThan(19);
    expect(times[2]).toMatch(/^db;dur=7, total;/);
    expect(server.metrics().requests?.total).toBe(3);
  });
});

describe('a server that does not measure', () => {
  it('counts nothing, and can be asked to begin and to end', async () => {
    const server = serveHttp({ handler: () => 'here' });
    await exchange(server, requestText('GET', '/'));
    expect(server.metrics().requests).toBeUndefined();
    const stop = server._measure();
    await exchange(server, requestText('GET', '/'));
    expect(counted(server)).toEqual({ 'GET  200': 1 });
    stop();
    stop();
    expect(server.metrics().requests).toBeUndefined();
  });
});

describe('the meter of turns', () => {
  it('accounts for all of the time between two looks', async () => {
    const meter = turnMeter();
    meter.join();
    try {
      const server = serveHttp({ handler: () => 'here' });
      const from = meter.now();
      await exchange(server, requestText('GET', '/').repeat(100));
      const before = meter.sums();
      await exchange(server, requestText('GET', '/').repeat(100));
      const after = meter.sums();
      const took = meter.now() - from;
      // A wait may have begun before the first look.
      const parts = ['received', 'walked', 'sent', 'host'] as const;
      const sum = parts.reduce((total, part) => total + after[part] - before[part], 0);
      expect(after.turns).toBeGreaterThan(before.turns);
      expect(after.walked).toBeGreaterThan(before.walked);
      // What is under way is not counted yet, neither before nor behind.
      expect(sum).toBeLessThan(took * 1.05);
      expect(sum).toBeGreaterThan(0);
      expect(meter.delays().count).toBe(after.events);
      expect(meter.busy().count).toBeGreaterThan(0);
    } finally {
      meter.leave();
    }
  });

  it('keeps the last turns in order, on the clock of performance.now()', async () => {
    const meter = turnMeter();
    meter.join();
    try {
      const ring = meter.record(8);
      const from = performance.now();
      const server = serveHttp({ handler: () => 'here' });
      for (let i = 0; i < 10; i++) await exchange(server, requestText('GET', '/'));
      const turns = [...ring];
      ring.stop();
      expect(ring.written).toBeGreaterThan(8);
      expect(turns).toHaveLength(8);
      const times = turns.flatMap(({ start, ready, walked, end }) =>
        ready === undefined ? [start, end] : [start, ready, walked, end],
      );
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times[0]).toBeGreaterThan(from - 1);
      expect(times.at(-1)).toBeLessThan(performance.now() + 1);
    } finally {
      meter.leave();
    }
  });
});
