// Spans of OpenTelemetry for requests, and the trace that goes from one to the next.
import { request } from 'ringpoll/client';
import { startTracing, type TracingOptions } from 'ringpoll/tracing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { codeOf } from '../support/recorder.js';
import { fakeTelemetry } from '../support/telemetry.js';

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
