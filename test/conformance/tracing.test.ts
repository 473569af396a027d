// Spans of OpenTelemetry for requests, and the trace that goes from one to the next.
import { admin } from 'ringpoll/admin';
import { request } from 'ringpoll/client';
import { open, readFile, writeFile } from 'ringpoll/fs';
import { HybridScheduler } from 'ringpoll/scheduler';
import { startTracing, type TracingOptions } from 'ringpoll/tracing';
import { proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange, HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { codeOf } from '../support/recorder.js';
import { fakeTelemetry } from '../support/telemetry.js';
import { fileWith } from '../support/temporary.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = { traceparent: `00-${TRACE}-${SPAN}-01` };

function traced(options: TracingOptions = {}) {
  const telemetry = fakeTelemetry();
  const tracing = startTracing({ api: telemetry.api, ...options });
  onTestFinished(() => tracing.stop());
  return { ...telemetry, tracing };
}

describe('spans of a server', () => {
  it('have the route, the status and what failed', async () => {
    const { spans } = traced();
    const server = serveHttp({
      error() {},
      routes: {
        '/users/:id': () => 'hello',
        '/fails': () => {
          throw new RangeError('no');
        },
      },
    });
    const agent = { 'User-Agent': 'a test' };
    await exchange(server, requestText('GET', '/users/1?secret=x', agent));
    await exchange(server, requestText('GET', '/fails'));
    await exchange(server, requestText('GET', '/none'));
    expect(spans.map(({ name, kind, status, ended }) => [name, kind, status, ended])).toEqual([
      ['GET /users/:id', 1, 0, 1],
      ['GET /fails', 1, 2, 1],
      ['GET', 1, 0, 1],
    ]);
    expect(spans[0].attributes).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': '/users/1',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
      'user_agent.original': 'a test',
      'http.route': '/users/:id',
      'http.response.status_code': 200,
    });
    expect(spans[1].attributes['error.type']).toBe('RangeError');
    expect(spans[1].exceptions).toEqual([expect.any(RangeError)]);
  });

  it('go on with the trace of the peer, unless they are not to', async () => {
    const state = { tracestate: 'a=b' };
    for (const incoming of [true, false, () => false]) {
      const { spans, tracing } = traced({ incoming });
      const server = serveHttp({ handler: () => 'x' });
      await exchange(server, requestText('GET', '/', { ...PARENT, ...state }));
      await exchange(server, requestText('GET', '/', { traceparent: 'nonsense' }));
      tracing.stop();
      const parents = spans.map(({ parent }) => parent?.spanId);
      expect(parents).toEqual([incoming === true ? SPAN : undefined, undefined]);
      expect(spans[0].parent?.traceState?.serialize()).toBe(incoming === true ? 'a=b' : undefined);
    }
  });

  it('are active in their handlers, each in its own', async () => {
    const { activeSpan } = traced();
    const server = serveHttp({
      handler: async () => {
        const before = activeSpan();
        await new Promise(setImmediate);
        return String(
          before !== undefined && activeSpan() === before && before.attributes['url.path'],
        );
      },
    });
    const text = requestText('GET', '/a') + requestText('GET', '/b');
    const answers = parseAnswers(await exchange(server, text));
    expect(answers.map(({ body }) => body)).toEqual(['/a', '/b']);
    expect(activeSpan()).toBeUndefined();
  });
});

describe('a request of the client', () => {
  it('carries the trace and the baggage of the one that is being answered', async () => {
    const { spans } = traced();
    const far = serveHttp({
      handler: (asked) => {
        const names = ['traceparent', 'tracestate', 'baggage'];
        return names.map((name) => asked.header(name)).join(' ');
      },
    });
    const near = serveHttp({
      handler: async () => {
        await new Promise(setImmediate);
        return (await request(`http://127.0.0.1:${far.port}/far?q`)).text();
      },
    });
    const headers = { ...PARENT, tracestate: 'a=b', baggage: 'k=v%20w;p, n=1' };
    const [answer] = parseAnswers(await exchange(near, requestText('GET', '/', headers)));
    const [server, client, further] = spans;
    expect(answer.body).toBe(`00-${TRACE}-${client.context.spanId}-01 a=b k=v%20w,n=1`);
    expect([client.kind, client.parent?.spanId]).toEqual([2, server.context.spanId]);
    expect(further.parent?.spanId).toBe(client.context.spanId);
    expect(client.attributes).toMatchObject({
      'url.full': `http://127.0.0.1:${far.port}/far`,
      'http.response.status_code': 200,
    });
    expect(spans.map(({ ended }) => ended)).toEqual([1, 1, 1]);
  });

  it('keeps its own headers, says nothing where it is not to, and tells of failures', async () => {
    const { spans } = traced({ outgoing: ({ path }) => path !== '/silent' });
    const server = serveHttp({
      handler: (asked, response) => {
        response.status(404).end(asked.header('traceparent') ?? 'none');
      },
    });
    const origin = `http://127.0.0.1:${server.port}`;
    const own = await request(`${origin}/own`, { headers: { TraceParent: 'mine' } });
    const silent = await request(`${origin}/silent`);
    expect([await own.text(), await silent.text()]).toEqual(['mine', 'none']);
    server.destroy();
    await expect(request(`${origin}/gone`)).rejects.toThrow();
    const clients = spans.filter(({ kind }) => kind === 2);
    expect(clients.map(({ status, ended }) => [status, ended])).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
    expect(clients[2].exceptions).toHaveLength(1);
  });
});

describe('a request that proxy() passes on', () => {
  it('has a span for each attempt, and the target gets the trace of that one', async () => {
    const { spans } = traced();
    const gone = serveHttp({ handler: () => 'never' });
    const dead = `http://127.0.0.1:${gone.port}`;
    gone.destroy();
    const far = serveHttp({
      handler: (asked) => `${asked.header('traceparent')} ${asked.header('baggage')}`,
    });
    const alive = `http://127.0.0.1:${far.port}`;
    const upstream = new Upstream({ targets: [dead, alive], balance: 'round-robin' });
    onTestFinished(() => upstream.close());
    const near = serveHttp({ handler: (asked, response) => proxy(asked, response, upstream) });
    const headers = { ...PARENT, baggage: 'k=v' };
    for (let i = 0; i < 2; i++) {
      spans.length = 0;
      // The client stays: one that has ended has no use for an answer of another server.
      const client = await HttpClient.connect(near);
      const answer = await client.get('/far', headers);
      const server = spans.find(({ parent }) => parent?.spanId === SPAN)!;
      const attempts = spans.filter(({ kind }) => kind === 2);
      const last = attempts.at(-1)!;
      expect(answer.body).toBe(`00-${TRACE}-${last.context.spanId}-01 k=v`);
      for (const { parent, ended } of attempts) {
        expect([parent?.spanId, ended]).toEqual([server.context.spanId, 1]);
      }
      expect(attempts.slice(0, -1).every(({ status }) => status === 2)).toBe(true);
      expect(last.attributes['url.full']).toBe(`${alive}/far`);
    }
  });
});

describe('spans of work', () => {
  it('are tasks, which are active in their bodies, and say what became of them', async () => {
    const { spans, activeSpan } = traced();
    const scheduler = new HybridScheduler();
    onTestFinished(() => scheduler.close());
    const server = serveHttp({
      handler: async () => {
        const works = async () => {
          await null;
          return activeSpan()?.name;
        };
        return `${await scheduler.run(works, { name: 'works' })}`;
      },
    });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', '/')));
    expect(answer.body).toBe('task works');
    const fails = () => {
      throw new RangeError('no');
    };
    await expect(scheduler.run(fails)).rejects.toThrow('no');
    const [request, works, failed] = spans;
    expect(works.parent?.spanId).toBe(request.context.spanId);
    expect(works).toMatchObject({ kind: 0, ended: 1, status: 0 });
    expect(failed).toMatchObject({ name: 'task fails', ended: 1, status: 2 });
    expect(failed.attributes['error.type']).toBe('RangeError');
    expect(failed.attributes['ringpoll.task.class']).toBe('business');
  });

  it('are files', async () => {
    const { spans } = traced();
    const path = fileWith('hello');
    await writeFile(path, 'again');
    expect(await readFile(path, 'utf8')).toBe('again');
    await expect(readFile(`${path}-not`)).rejects.toThrow('ENOENT');
    await (await open(path)).close();
    expect(spans.map(({ name, status, ended }) => [name, status, ended])).toEqual([
      ['fs writeFile', 0, 1],
      ['fs readFile', 0, 1],
      ['fs readFile', 2, 1],
      ['fs open', 0, 1],
    ]);
    expect(spans[2].attributes).toEqual({ 'file.path': `${path}-not`, 'error.type': 'ENOENT' });
  });

  it('are left out where they are not wanted', async () => {
    const { spans } = traced({ tasks: false, files: false });
    const scheduler = new HybridScheduler();
    onTestFinished(() => scheduler.close());
    await scheduler.run(() => readFile(fileWith('hello')));
    expect(spans).toEqual([]);
  });
});

describe('metrics through the API', () => {
  it('have the durations of both sides, and how many are active', async () => {
    const { recorded } = traced();
    const server = serveHttp({ routes: { '/users/:id': () => 'hello' } });
    const origin = `http://127.0.0.1:${server.port}`;
    await (await request(`${origin}/users/1`)).text();
    await (await request(`${origin}/none`)).text();
    const of = (name: string) => recorded.filter((each) => each.name === name);
    expect(of('http.server.active_requests').map(({ value }) => value)).toEqual([1, -1, 1, -1]);
    const common = { 'http.request.method': 'GET', 'url.scheme': 'http' };
    const served = of('http.server.request.duration');
    expect(served.map(({ attributes }) => attributes)).toEqual([
      {
        ...common,
        'network.protocol.version': '1.1',
        'http.route': '/users/:id',
        'http.response.status_code': 200,
      },
      { ...common, 'network.protocol.version': '1.1', 'http.response.status_code': 404 },
    ]);
    const asked = of('http.client.request.duration');
    expect(asked.map(({ attributes }) => attributes['error.type'])).toEqual([undefined, '404']);
    for (const { value } of [...served, ...asked]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(60);
    }
  });

  it('lead from histograms to traces, in the form of OpenMetrics', async () => {
    const endpoint = admin({ port: 0, token: false });
    onTestFinished(() => endpoint.stop());
    const { spans } = traced();
    const server = serveHttp({ routes: { '/users/:id': () => 'hello' } });
    await (await request(`http://127.0.0.1:${server.port}/users/1`)).text();
    const unsampled = { traceparent: `00-${TRACE}-${SPAN}-00` };
    await exchange(server, requestText('GET', '/users/2', unsampled));
    const scrape = async (accept: string) => {
      const url = `http://127.0.0.1:${endpoint.port}/metrics`;
      const answer = await fetch(url, { headers: { accept } });
      return { type: answer.headers.get('content-type'), text: await answer.text() };
    };
    const wanted = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
    const { type, text } = await scrape(wanted);
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).toMatch(/^# TYPE http_requests counter$/m);
    expect(text).not.toMatch(/^# TYPE \S+_total /m);
    const exemplars = [
      ...text.matchAll(/_bucket\{.*,le="(\S+)"\} \d+ # \{trace_id="(\w+)"\} (\S+) (\S+)$/gm),
    ];
    expect(exemplars).toHaveLength(1);
    const [[, bound, trace, seconds, at]] = exemplars;
    expect(trace).toBe(spans.find(({ kind }) => kind === 1)?.context.traceId);
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(Number(seconds)).toBeLessThanOrEqual(bound === '+Inf' ? Infinity : Number(bound));
    expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(60);
    const plain = await scrape('text/plain');
    expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(plain.text).not.toContain('trace_id');
  });
});

describe('startTracing()', () => {
  it('harms no request when the tracer or an option throws', async () => {
    const warnings: string[] = [];
    const hear = ({ message }: Error) => warnings.push(message);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const { breakDown, tracing } = traced();
    breakDown();
    const server = serveHttp({ handler: () => 'x' });
    const answer = await request(`http://127.0.0.1:${server.port}/`);
    expect(await answer.text()).toBe('x');
    expect(tracing.errors).toBe(2);
    await new Promise(setImmediate);
    expect(warnings).toEqual(['the tracer is broken']);
  });

  it('makes no spans after stop()', async () => {
    const { spans, tracing } = traced();
    tracing.stop();
    const server = serveHttp({ handler: ({ header }) => typeof header });
    await (await request(`http://127.0.0.1:${server.port}/`)).text();
    expect(spans).toEqual([]);
  });

  it.each<[object, string]>([
    [{ api: {} }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ incoming: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ server: 'yes' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ exporter: {} }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
  ])('refuses %o', (options, code) => {
    const { api } = fakeTelemetry();
    let thrown: unknown;
    try {
      startTracing({ api, ...options } as TracingOptions).stop();
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });

  it('is started once in a thread, and says what is missing', () => {
    const { api, tracing } = traced();
    const codeWith = (options: TracingOptions) => {
      try {
        startTracing(options).stop();
        return undefined;
      } catch (error) {
        return codeOf(error);
      }
    };
    expect(codeWith({ api })).toBe('ERR_RINGPOLL_TRACING_RUNNING');
    tracing.stop();
    expect(codeWith({ api })).toBeUndefined();
    // The package does not bring it along.
    expect(codeWith({})).toBe('ERR_RINGPOLL_TRACING_UNAVAILABLE');
  });
});
