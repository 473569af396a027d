// The endpoint that says what the servers of a thread do: who may ask, and what it answers.
import {
  type Admin,
  type AdminOptions,
  admin,
  correlate,
  type Layers,
  type Report,
  type RoundTripReport,
} from 'ringpoll/admin';
import type { ServeOptions } from 'ringpoll/http';
import { HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WATCHERS_MAX } from '../../lib/admin/live.js';
import { SHARED_LOCKS } from '../../lib/admin/lock_waits.js';
import { dialHttp, exchange, HttpClient, requestText, serveHttp } from '../support/http.js';
import { codeOf } from '../support/recorder.js';

const TOKEN = 'a-token-for-these-tests';

function open(options: AdminOptions = {}): Admin {
  const made = admin({ port: 0, token: TOKEN, ...options });
  onTestFinished(() => made.stop());
  return made;
}

type Headers = Record<string, string>;
const bearer: Headers = { Authorization: `Bearer ${TOKEN}` };

/** With the headers as they are given: fetch() would not let Host be another. */
async function ask(of: Admin, path: string, headers: Headers = bearer, method = 'GET') {
  const client = await HttpClient.connect(of as never);
  client.send(requestText(method, path, { Host: `127.0.0.1:${of.port}`, ...headers }));
  const answer = await client.next(method);
  client.peer.destroy();
  return answer;
}

const served = (options: Partial<ServeOptions>) => serveHttp(options);

describe('who may ask', () => {
  it('is who shows the token', async () => {
    const endpoint = open();
    expect((await ask(endpoint, '/metrics')).status).toBe(200);
    expect((await ask(endpoint, '/metrics', {})).status).toBe(401);
    for (const wrong of [
      `Bearer ${TOKEN}x`,
      `Basic ${TOKEN}`,
      'Bearer',
      `Bearer ${TOKEN} ${TOKEN}`,
    ]) {
      expect((await ask(endpoint, '/metrics', { Authorization: wrong })).status).toBe(401);
    }
    expect((await ask(endpoint, `/metrics?token=${TOKEN}`, {})).status).toBe(401);
    expect((await ask(endpoint, '/nothing', {})).status).toBe(401);
    expect((await ask(endpoint, '/nothing')).status).toBe(404);
    expect((await ask(endpoint, '/constructor')).status).toBe(404);
  });

  it('is a browser that came with the token once, and keeps it nowhere', async () => {
    const endpoint = open();
    const { status, headers } = await ask(endpoint, `/?token=${TOKEN}`, {});
    expect({ status, location: headers.location }).toEqual({ status: 303, location: '/' });
    expect(headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict/);
    expect(headers['set-cookie']).not.toContain(TOKEN);
    const [cookie] = headers['set-cookie'].split(';');
    expect((await ask(endpoint, '/metrics', { Cookie: `other=1; ${cookie}` })).status).toBe(200);
    expect((await ask(endpoint, '/metrics', { Cookie: `${cookie}x` })).status).toBe(401);
    expect((await ask(endpoint, '/?token=wrong-wrong-wrong-wrong', {})).status).toBe(401);
  });

  it('is no page of another site, and nobody who calls us by a foreign name', async () => {
    const endpoint = open({ token: false, allowedHosts: ['admin.internal'] });
    const withHost = async (Host: string, path = '/metrics') =>
      (await ask(endpoint, path, { Host })).status;
    for (const host of [
      'localhost',
      'LOCALHOST:6060',
      '127.0.0.1:1',
      '[::1]:80',
      'admin.internal',
    ]) {
      expect(await withHost(host), host).toBe(200);
    }
    for (const host of [
      'evil.test',
      '127.0.0.1.evil.test',
      '8.8.8.8',
      'localhost.evil.test:6060',
    ]) {
      expect(await withHost(host), host).toBe(421);
      expect(await withHost(host, '/health'), host).toBe(421);
    }
    const site = async (from: string) =>
      (await ask(endpoint, '/metrics', { 'Sec-Fetch-Site': from })).status;
    expect(await Promise.all(['none', 'same-origin'].map(site))).toEqual([200, 200]);
    expect(await Promise.all(['same-site', 'cross-site'].map(site))).toEqual([403, 403]);
  });

  it('is anybody for probes, which change nothing', async () => {
    let ready = false;
    const endpoint = open({ ready: () => ready });
    expect(await ask(endpoint, '/health', {})).toMatchObject({ status: 200, body: 'ok\n' });
    expect((await ask(endpoint, '/ready', {})).status).toBe(503);
    ready = true;
    expect((await ask(endpoint, '/ready', {})).status).toBe(200);
    expect((await ask(endpoint, '/health', {}, 'POST')).status).toBe(405);
  });

  it('is told by a server that stops', async () => {
    const endpoint = open();
    const server = served({ handler: () => new Promise<string>(() => {}) });
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/'));
    expect((await ask(endpoint, '/ready', {})).status).toBe(200);
    void server.stop();
    expect((await ask(endpoint, '/ready', {})).status).toBe(503);
  });

  it.each<[object, string]>([
    [{ prot: 1 }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ port: 70_000 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ token: 'short' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ token: 7 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ token: false, host: '0.0.0.0' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ allowedHosts: ['a b'] }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ scheduler: {} }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ interval: 1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ ready: true }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
  ])('%o is refused', (options, code) => {
    let thrown: unknown;
    try {
      admin({ port: 0, ...options } as AdminOptions);
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });

  it('never finds the token in an error', () => {
    expect(() => admin({ port: 0, token: 'secret' })).toThrow(/^(?!.*secret)/s);
  });
});

/** Families by name, with their samples; throws for a line that Prometheus would refuse. */
function parseMetrics(text: string) {
  const families = new Map<string, { type: string; samples: Map<string, number> }>();
  let now: { type: string; samples: Map<string, number> } | undefined;
  let name = '';
  const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`;
  const sample = new RegExp(String.raw`^([a-z_:][a-z0-9_:]*)(\{${label}(?:,${label})*\})? (\S+)$`);
  for (const line of text.trimEnd().split('\n')) {
    const [, kind, of, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      expect(families.has(of!), `${of} twice`).toBe(false);
      name = of!;
      continue;
    }
    if (kind === 'TYPE') {
      expect(of).toBe(name);
      now = { type: rest!, samples: new Map() };
      families.set(name, now);
      continue;
    }
    const [, family, labels = '', value] = sample.exec(line) ?? [];
    expect(family, `not a sample: ${line}`).toBeDefined();
    const suffix = family!.slice(name.length);
    const suffixes = now!.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    expect(suffixes, line).toContain(suffix);
    expect(Number.isFinite(Number(value)), line).toBe(true);
    expect(now!.samples.has(suffix + labels), `${line} twice`).toBe(false);
    now!.samples.set(suffix + labels, Number(value));
  }
  return families;
}

describe('/metrics', () => {
  it('has the requests by route, method and status, and how long they took', async () => {
    const endpoint = open();
    const server = served({
      routes: { '/a/:b': () => 'a' },
    });
    const name = `127.0.0.1:${server.port}`;
    await exchange(server, requestText('GET', '/a/1') + requestText('POST', '/a/2'));
    const { body, headers } = await ask(endpoint, '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseMetrics(body);
    const requests = families.get('http_requests_total')!;
    expect(requests.type).toBe('counter');
    const of = (route: string, method: string) =>
      requests.samples.get(`{server="${name}",route="${route}",method="${method}",code="200"}`);
    expect([of('/a/:b', 'GET'), of('/a/:b', 'POST')]).toEqual([1, 1]);
    const durations = families.get('http_request_duration_seconds')!;
    const route = `server="${name}",route="/a/:b"`;
    expect(durations.samples.get(`_count{${route}}`)).toBe(2);
    expect(durations.samples.get(`_bucket{${route},le="+Inf"}`)).toBe(2);
    expect(durations.samples.get(`_bucket{${route},le="10"}`)).toBe(2);
    expect(durations.samples.get(`_sum{${route}}`)).toBeGreaterThan(0);
  });

  it('has the loop, connections, the process, and the scheduler that it was given', async () => {
    const scheduler = new HybridScheduler();
    onTestFinished(() => scheduler.close());
    const endpoint = open({ scheduler });
    await scheduler.run(() => 1, { class: 'request' });
    const server = served({ handler: () => 'here' });
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/'));
    await peer.received(1);
    const families = parseMetrics((await ask(endpoint, '/metrics')).body);
    const value = (name: string, labels = '') => families.get(name)?.samples.get(labels);
    expect(value('ringpoll_connections_by_state', '{state="idle"}')).toBeGreaterThanOrEqual(1);
    expect(value('ringpoll_turns_total')).toBeGreaterThan(0);
    expect(value('ringpoll_loop_seconds_total', '{phase="javascript"}')).toBeGreaterThan(0);
    expect(value('ringpoll_tasks_completed_total', '{class="request"}')).toBe(1);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    for (const lock of SHARED_LOCKS) {
      const labels = `{lock="${lock}"}`;
      expect(value('ringpoll_lock_waits_total', labels), lock).toBeGreaterThanOrEqual(0);
      expect(value('ringpoll_lock_wait_seconds_total', labels), lock).toBeGreaterThanOrEqual(0);
    }
    for (const [family, { type, samples }] of families) {
      expect(type === 'counter', family).toBe(family.endsWith('_total'));
      if (type === 'gauge') continue;
      for (const [labels, number] of samples)
        expect(number, family + labels).toBeGreaterThanOrEqual(0);
    }
  });

  it('counts servers that begin later, and nothing of its own', async () => {
    const endpoint = open();
    await ask(endpoint, '/metrics');
    const server = served({ handler: () => 'here' });
    await exchange(server, requestText('GET', '/'));
    const families = parseMetrics((await ask(endpoint, '/metrics')).body);
    expect([...families.get('http_requests_total')!.samples.keys()]).toEqual([
      `{server="127.0.0.1:${server.port}",route="",method="GET",code="200"}`,
    ]);
  });

  it('gives way to others while it writes 200 routes', async () => {
    const endpoint = open();
    const routes = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`/route${index}/:id`, () => 'here']),
    );
    const server = served({ routes });
    const text = Object.keys(routes).map((path) => requestText('GET', path.replace(':id', 'x')));
    await exchange(server, text.join(''));
    const client = await HttpClient.connect(endpoint as never);
    let turns = 0;
    const look = () => {
      turns++;
      if (client.peer.bytes === 0) setImmediate(look);
    };
    setImmediate(look);
    client.send(requestText('GET', '/metrics', { Host: 'localhost', ...bearer }));
    const { body } = await client.next();
    expect(body.match(/^http_requests_total\{/gm)).toHaveLength(200);
    // One behind each fifty of them, and one before.
    expect(turns).toBeGreaterThan(4);
  });

  it('measures nothing when it was stopped', async () => {
    const server = served({ handler: () => 'here' });
    const endpoint = admin({ port: 0 });
    expect(server.metrics().requests).toBeDefined();
    await endpoint.stop();
    expect(server.metrics().requests).toBeUndefined();
  });
});

/** A stream of reports, read as a browser reads it. */
async function watch(endpoint: Admin) {
  const client = await HttpClient.connect(endpoint as never);
  const { peer } = client;
  peer.send(requestText('GET', '/debug/live', { Host: 'localhost', ...bearer }));
  let seen = 0;
  const next = async (): Promise<Report> => {
    for (;;) {
      const reports = [...peer.text.matchAll(/^data: (\{"at".*\})$/gm)];
      if (reports.length > seen) return JSON.parse(reports[seen++]![1]!) as Report;
      await peer.received(peer.bytes + 1);
    }
  };
  await peer.received(1);
  return { peer, next };
}

describe('/debug/live', () => {
  it('reports what has happened since the last report', async () => {
    const endpoint = open({ interval: 100 });
    const server = served({
      routes: { '/here': () => 'here' },
      handler: (_, response) => response.status(500).end(),
    });
    const { next } = await watch(endpoint);
    await next();
    await exchange(server, requestText('GET', '/here').repeat(30) + requestText('GET', '/bad'));
    const reports = [await next(), await next(), await next()];
    const done = (kind: string) =>
      reports.reduce((sum, { requests, span }) => {
        return sum + ((requests.classes[kind] ?? 0) * span) / 1000;
      }, 0);
    expect(done('2xx')).toBeCloseTo(30);
    expect(done('5xx')).toBeCloseTo(1);
    const last = reports.at(-1)!;
    expect(last.requests.total).toBe(31);
    expect(last.routes.map(({ route }) => route).sort()).toEqual(['', '/here']);
    for (const { kernel } of reports) {
      expect(kernel.lockWaits).toBeGreaterThanOrEqual(0);
      // The kernel may be built without it; it never falls.
      expect(kernel.migrations ?? 0).toBeGreaterThanOrEqual(0);
    }
    const busy = reports.find(({ requests }) => requests.latency.count > 0)!;
    expect(busy.requests.latency.p50).toBeGreaterThan(0);
    expect(busy.requests.latency.p9999).toBeGreaterThanOrEqual(busy.requests.latency.p50);
    for (const { loop } of reports) {
      const all = Object.values(loop.phases).reduce((sum, share) => sum + share, 0);
      expect(all).toBeCloseTo(1);
    }
  });

  it('has a limit of watchers, and samples for nobody', async () => {
    const endpoint = open({ interval: 100 });
    const watchers = [];
    for (let i = 0; i < WATCHERS_MAX; i++) watchers.push(await watch(endpoint));
    expect(endpoint.watchers).toBe(WATCHERS_MAX);
    expect((await ask(endpoint, '/debug/live')).status).toBe(503);
    for (const { peer } of watchers) peer.destroy();
    while (endpoint.watchers > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const again = await watch(endpoint);
    expect((await again.next()).span).toBeLessThan(1000);
  });

  it('ends with the endpoint', async () => {
    const endpoint = open({ interval: 100 });
    const { peer } = await watch(endpoint);
    await endpoint.stop();
    await peer.untilOver();
    expect(endpoint.watchers).toBe(0);
  });
});

describe('recordings', () => {
  it('are a CPU profile, one at a time, cut short when nobody waits for it', async () => {
    const endpoint = open();
    const client = await HttpClient.connect(endpoint as never);
    client.send(requestText('GET', '/debug/profile?seconds=100', { Host: 'localhost', ...bearer }));
    let status = 0;
    while (status !== 409) ({ status } = await ask(endpoint, '/debug/profile?seconds=1'));
    client.peer.destroy();
    let answer = await ask(endpoint, '/debug/profile?seconds=1');
    while (answer.status === 409) answer = await ask(endpoint, '/debug/profile?seconds=1');
    const profile = JSON.parse(answer.body);
    expect(profile.nodes[0].callFrame.functionName).toBe('(root)');
    expect(profile.endTime - profile.startTime).toBeGreaterThan(900_000);
    for (const seconds of ['0', '-1', '1e9', '1.5', 'x', '']) {
      const path = `/debug/profile?seconds=${seconds}`;
      expect((await ask(endpoint, path)).status, seconds).toBe(400);
    }
  });

  it('are a trace of turns, requests and tasks on one clock', async () => {
    const scheduler = new HybridScheduler();
    onTestFinished(() => scheduler.close());
    const endpoint = open({ scheduler });
    const server = served({
      routes: {
        '/now': () => 'now',
        '/later': async () => {
          await scheduler.run((context) => context.sleep(5), { name: 'sleeper' });
          return 'later';
        },
      },
    });
    const recording = ask(endpoint, '/debug/trace?seconds=1');
    while (server._meter?.watcher === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await exchange(server, requestText('GET', '/now') + requestText('GET', '/later'));
    const { traceEvents, otherData } = JSON.parse((await recording).body);
    type Event = { name: string; ph: string; ts: number; dur: number; id?: number };
    const named = (name: string): Event[] =>
      traceEvents.filter((event: Event) => event.name.startsWith(name));
    expect(named('turn').length).toBe(otherData.turns);
    expect(named('JavaScript').length).toBeGreaterThan(0);
    const [begin, end] = named('GET /later');
    expect([begin.ph, end.ph]).toEqual(['b', 'e']);
    expect(end.ts - begin.ts).toBeGreaterThan(4000);
    // It came in a turn that is there, and a step of its task ran before its end.
    const turns = named('turn');
    expect(turns.some(({ ts, dur }) => ts <= begin.ts + 1 && begin.ts <= ts + dur)).toBe(true);
    const steps = named('sleeper');
    expect(steps.length).toBeGreaterThanOrEqual(2);
    expect(steps.every(({ ts }) => ts > begin.ts && ts < end.ts)).toBe(true);
    expect(named('GET /now')).toHaveLength(2);
    expect(server._meter?.watcher).toBeUndefined();
  });

  it('are a heap only where a token guards it', async () => {
    const endpoint = open({ token: false });
    expect((await ask(endpoint, '/debug/heap')).status).toBe(403);
  });
});

describe('lists', () => {
  it('are the connections, a page at a time', async () => {
    const endpoint = open();
    const server = served({ handler: () => 'here' });
    const peers = [];
    for (let i = 0; i < 5; i++) {
      const peer = await dialHttp(server);
      peer.send(requestText('GET', '/'));
      await peer.received(1);
      peers.push(peer);
    }
    const seen = [];
    for (let next: number | undefined = 0; next !== undefined; ) {
      const { body }: { body: string } = await ask(
        endpoint,
        `/debug/connections?from=${next}&limit=2`,
      );
      const page = JSON.parse(body);
      expect(page.connections.length).toBeLessThanOrEqual(2);
      seen.push(...page.connections);
      ({ next } = page);
    }
    const ours = seen.filter(({ endpoint: id }) => id === server._endpointId);
    expect(ours).toHaveLength(5);
    expect(ours[0]).toMatchObject({ state: 'idle', unsent: 0, secure: false, paused: false });
    expect(ours[0].bytesRead).toBeGreaterThan(0);
    expect(ours.map(({ remote }) => remote.address)).toEqual(Array(5).fill('127.0.0.1'));
    expect((await ask(endpoint, '/debug/connections?limit=100000')).status).toBe(400);
  });

  it('are the tasks, and what explain() says', async () => {
    const scheduler = new HybridScheduler();
    onTestFinished(() => scheduler.close());
    const endpoint = open({ scheduler });
    const waiting = scheduler.run((context) => context.sleep(10_000), { name: 'waits' });
    waiting.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1));
    const { tasks } = JSON.parse((await ask(endpoint, '/debug/tasks')).body);
    expect(tasks).toMatchObject([{ name: 'waits', state: 'waiting' }]);
    expect((await ask(endpoint, '/debug/explain')).body).toContain('receive by');
    const explained = JSON.parse((await ask(endpoint, '/debug/explain?format=json')).body);
    expect(explained.receive.preferred).toBeTypeOf('string');
  });
});

describe('the page', () => {
  it('is one file that may load nothing', async () => {
    const { body, headers } = await ask(open(), '/');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(body).not.toMatch(/\b(?:src|href)="(?!data:|#)/);
    expect(body).not.toMatch(/^import /m);
    expect(body).toContain('new EventSource(');
  });
});

describe('/debug/layers', () => {
  const LOAD = 2000;

  async function loadedLayers(endpoint: Admin): Promise<Layers> {
    const server = served({
      handler() {
        const end = performance.now() + 0.02;
        while (performance.now() < end);
        return 'here';
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await client.next();
    const length = client.peer.bytes;
    for (let i = 1; i < LOAD; i++) {
      client.send(requestText('GET', '/'));
      await client.peer.received((i + 1) * length);
    }
    return JSON.parse((await ask(endpoint, '/debug/layers')).body) as Layers;
  }

  it('says where the time of a request goes, and the layers are the whole', async () => {
    const endpoint = open();
    const layers = await loadedLayers(endpoint);
    expect(layers.turns).toBeGreaterThan(LOAD / 100);
    expect(layers.requests).toBeGreaterThan(LOAD / 100);
    const of = (name: string) => layers.layers.find(({ layer }) => layer === name)!;
    expect(of('handler').microseconds).toBeGreaterThan(18);
    expect(of('handler').laps).toBeGreaterThan(0.9);
    for (const name of ['parse', 'dispatch', 'serialise', 'write', 'host', 'loop']) {
      expect(of(name).microseconds, name).toBeGreaterThan(0);
    }
    const shares = layers.layers.reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1);
    const sum = layers.layers.reduce((all, { microseconds }) => all + microseconds, 0);
    expect(sum).toBeCloseTo(layers.microseconds);
    // By clocks that know of no layers: nothing is counted twice, and nothing is left out.
    const whole = (sum + layers.measuringMicroseconds) / layers.wholeMicroseconds;
    expect(whole).toBeGreaterThan(0.95);
    expect(whole).toBeLessThan(1.05);
    // As many requests as it takes: each waits for the one before.
  }, 40_000);
});

describe('stop()', () => {
  it('may be called again, and leaves others to measure', async () => {
    const stopped = open();
    const endpoint = open();
    await stopped.stop();
    await stopped.stop();
    const turns = async () => {
      const families = parseMetrics((await ask(endpoint, '/metrics')).body);
      return families.get('ringpoll_measured_turns_total')?.samples.get('') as number;
    };
    const before = await turns();
    expect(await turns()).toBeGreaterThan(before);
  });
});

describe('/debug/correlate', () => {
  it('finds the handler that has kept the loop', async () => {
    const endpoint = open();
    const server = served({
      handler() {
        const end = performance.now() + 40;
        while (performance.now() < end);
        return 'slow';
      },
    });
    const asked = ask(endpoint, '/debug/correlate?seconds=1&limit=30');
    let answered = false;
    void asked.then(() => {
      answered = true;
    });
    while (!answered) await exchange(server, requestText('GET', '/'));
    const { causes, slowest } = JSON.parse((await asked).body);
    expect(causes.javascript.turns).toBeGreaterThan(0);
    // On a busy machine another turn may have been slower, for another reason.
    const times = slowest.map(({ parts }: { parts: { javascript: number } }) => parts.javascript);
    expect(Math.max(...times)).toBeGreaterThan(39);
  });

  it('is correlate() for the program itself, one at a time', async () => {
    const server = served({
      handler() {
        const end = performance.now() + 30;
        while (performance.now() < end);
        return 'slow';
      },
    });
    const ending = new AbortController();
    const running = correlate({ limit: 20, signal: ending.signal });
    const code = 'ERR_RINGPOLL_RECORDER_RUNNING';
    await expect(correlate()).rejects.toMatchObject({ code });
    const endpoint = open();
    expect((await ask(endpoint, '/debug/correlate')).status).toBe(409);
    expect((await ask(endpoint, '/debug/trace')).status).toBe(409);
    await exchange(server, requestText('GET', '/'));
    ending.abort();
    const { slow, limit, slowest } = await running;
    expect(slow).toBeGreaterThan(0);
    expect(limit).toBe(20);
    // A collection in the handler counts as one.
    const inHandler = slowest.map(({ parts }) => parts.javascript + parts.collection);
    expect(Math.max(...inHandler)).toBeGreaterThan(29);
    await expect(correlate({ signal: AbortSignal.abort() })).resolves.toMatchObject({ limit: 10 });
    await expect(correlate({ seconds: 0 })).rejects.toThrow(RangeError);
    await expect(correlate({ signal: 1 as never })).rejects.toThrow(TypeError);
    await expect(correlate({ until: 1 } as never)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_UNKNOWN_OPTION',
    });
  });
});

describe('a group of threads', () => {
  it('is shown beside this thread, and a scrape does not wait for one that is stuck', async () => {
    const answers = [
      { thread: 0, state: 'serving', generation: 0, connections: 3, turnAge: 0, user: 1500 },
      { thread: 1, state: 'serving', generation: 0, connections: 4, turnAge: 20, system: 500 },
    ].map((each) => ({ ...each, loop: { httpRequests: 7, turns: 9, bytesRead: 1 } }));
    let stuck = false;
    const group = {
      metrics: () => (stuck ? new Promise(() => {}) : Promise.resolve({ threads: answers })),
    };
    const endpoint = open({ group: group as never });
    const scrape = async () => parseMetrics((await ask(endpoint, '/metrics')).body);
    const value = (families: Awaited<ReturnType<typeof scrape>>, name: string, thread: number) =>
      families.get(`ringpoll_thread_${name}`)?.samples.get(`{thread="${thread}"}`);
    let families = await scrape();
    expect(value(families, 'connections', 1)).toBe(4);
    expect(value(families, 'http_requests_total', 0)).toBe(7);
    expect(value(families, 'cpu_seconds_total', 0)).toBe(1.5);
    expect(value(families, 'turn_age_seconds', 1)).toBe(0.02);
    stuck = true;
    families = await scrape();
    expect(value(families, 'connections', 0)).toBe(3);
  });
});

describe('/debug/rtt', () => {
  it('has the round trips of the connections, where the system tells them', async () => {
    const endpoint = open();
    const server = served({ handler: () => 'here' });
    for (let i = 0; i < 3; i++) {
      const peer = await dialHttp(server);
      peer.send(requestText('GET', '/'));
      await peer.received(1);
    }
    const { servers } = JSON.parse((await ask(endpoint, '/debug/rtt')).body);
    const [{ connections, mean, congestionWindow, buckets }] = servers as RoundTripReport[];
    if (process.platform !== 'linux') {
      expect(connections).toBe(0);
      return;
    }
    expect(connections).toBe(3);
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(1000);
    expect(congestionWindow).toBeGreaterThan(0);
    const counted = buckets
      .filter((_, index) => index % 2 === 1)
      .reduce((sum, one) => sum + one, 0);
    expect(counted).toBe(3);
  });
});
