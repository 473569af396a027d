// Whatever a program does with a Request or a Response, ours answer as the platform's do.
import { Headers as LightHeaders, Response as LightResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { serveHttp } from '../support/http.js';

type Operation<Subject> = (subject: Subject) => unknown;

const typed = (value: object) => Object.prototype.toString.call(value);

/** Objects of the platform and ours by their class alone. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  const isPlain = typeof value !== 'object' || value === null || typed(value) === '[object Object]';
  return isPlain ? value : typed(value);
}

/** What an operation comes to, in a form that can be compared. */
async function outcome<Subject>(subject: Subject, operation: Operation<Subject>): Promise<unknown> {
  try {
    return comparable(await operation(subject));
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

async function readWhole(request: { body: ReadableStream | null }): Promise<string> {
  let text = '';
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(piece).toString();
  }
  return text;
}

const BODIES: Record<string, Operation<Request | Response>> = {
  'text()': (it) => it.text(),
  'json()': (it) => it.json(),
  'arrayBuffer()': async (it) => Buffer.from(await it.arrayBuffer()).toString(),
  'blob()': async (it) => {
    const blob = await it.blob();
    return [blob.type, blob.size, await blob.text()];
  },
  'formData()': async (it) => [...(await it.formData())],
  'the body': (it) => readWhole(it),
  'whether the body is there': (it) => [it.body === null, it.body?.locked, it.bodyUsed],
  'text() twice': async (it) => [await it.text(), it.bodyUsed, await outcome(it, (x) => x.text())],
  'two reads at once': (it) => Promise.all([it.text(), outcome(it, (x) => x.text())]),
  'text() after the body was read': async (it) => [await readWhole(it), await it.text()],
  'the body after text()': async (it) => [await it.text(), it.body?.locked, it.bodyUsed],
  'text() while a reader has the body': async (it) => {
    const reader = it.body?.getReader();
    const before = it.bodyUsed;
    const during = await outcome(it, (x) => x.text());
    reader?.releaseLock();
    return [before, during, await it.text()];
  },
  'text() after the body was cancelled': async (it) => {
    await it.body?.cancel();
    return [it.bodyUsed, await it.text()];
  },
  'clone()': async (it) => {
    const copy = it.clone();
    return [await copy.text(), it.bodyUsed, await it.text(), copy.headers.get('x-one')];
  },
  'clone() after text()': async (it) => [await it.text(), it.clone()],
  'clone() while a reader has the body': (it) => [it.body?.getReader(), it.clone()],
  'headers of a clone are its own': (it) => {
    const copy = it.clone();
    copy.headers.set('x-one', 'changed');
    return [it.headers.get('x-one'), copy.headers.get('x-one')];
  },
  'class and members': (it) => {
    const own = [Object.keys(it), JSON.stringify(it), Object.entries({ ...it })];
    return [typed(it), own, it.constructor.name];
  },
  'enumerable members': (it) => {
    const names = new Set<string>();
    for (const name in it) names.add(name);
    return ['url', 'headers', 'text', 'clone', 'body'].map((name) => [name, names.has(name)]);
  },
  'what only has a getter cannot be set': (it) => {
    (it as { url: string }).url = 'changed';
  },
  'a member of one’s own': (it) => Object.assign(it, { mine: 1 }).mine,
  'headers.get()': ({ headers }) => ['X-ONE', 'x-none'].map((name) => headers.get(name)),
  'headers.get() of a name that cannot be': ({ headers }) => headers.get('a b'),
  'headers.has() of a symbol': ({ headers }) => headers.has(Symbol('name') as never),
  'headers.set()': ({ headers }) => [headers.set('X-One', ' 2 '), headers.get('x-one')],
  'headers.set() of what cannot be a value': ({ headers }) => headers.set('x', 'a\r\nb'),
  'headers.append()': ({ headers }) => [headers.append('x-one', '2'), headers.get('x-one')],
  'headers.delete()': ({ headers }) => [headers.delete('x-one'), headers.has('x-one')],
  'headers, copied': ({ headers }) => new Headers(headers).get('x-one'),
  'headers as entries': ({ headers }) => Object.fromEntries(headers)['x-one'],
};

const behindProxy =
  (operation: Operation<Request>): Operation<Request> =>
  (request) =>
    operation(new Proxy(request, {}));

const REQUESTS: Record<string, Operation<Request>> = {
  'the plain members': ({ method, url, cache, credentials, destination, integrity }) => [
    ...[method, url, cache, credentials, destination, integrity],
  ],
  'the other members': (it) => [
    ...[it.mode, it.redirect, it.referrer, it.referrerPolicy, it.keepalive, it.method, it.url],
    ...[(it as Request & { duplex: string }).duplex, it.signal.aborted, typed(it.signal)],
  ],
  'new Request(it)': async (it) => {
    const copy = new Request(it);
    return [copy.method, copy.url, copy.headers.get('x-one'), await copy.text(), it.bodyUsed];
  },
  'new Request(it), and then its text()': (it) => [new Request(it), it.text()][1],
  'new Request(it) after text()': async (it) => [await it.text(), typed(new Request(it))],
  'new Request(it) while a reader has the body': (it) => [it.body?.getReader(), new Request(it)],
  'new Request(it) with another method and headers': async (it) => {
    const copy = new Request(it, { method: 'PUT', headers: { 'x-two': '2' } });
    const { headers } = copy;
    return [copy.method, headers.get('x-one'), headers.get('x-two'), await copy.text()];
  },
  'new Request(it) with another body': async (it) => {
    const copy = new Request(it, { method: 'PUT', body: 'other' });
    return [await copy.text(), it.bodyUsed, await it.text()];
  },
  'new Request(it) with a body made of its own': async (it) => {
    const own = await it.text();
    const init = { method: 'PUT', body: `${own}!`, duplex: 'half' };
    return new Request(it, init as RequestInit).text();
  },
  'new Request(url, it)': async (it) => {
    const copy = new Request('http://other.test/', it);
    return [copy.method, copy.url, copy.headers.get('x-one'), await copy.text()];
  },
  'a class of one’s own': async (it) => {
    class Mine extends Request {
      mine = 1;
    }
    const made = new Mine(it);
    return [made instanceof Mine, made instanceof Request, made.mine, await made.text()];
  },
  'its constructor': (it) => {
    const Made = it.constructor as typeof Request;
    return [Made === Request, new Made('http://other.test/').url, new Made(it).method];
  },
  'new Request(its clone)': (it) => new Request(it.clone()).text(),
  'a clone of a clone': async (it) => [await it.clone().clone().text(), await it.text()],
  'its signal follows': (it) => new Request(it).signal.aborted,
  'params, as itty-router sets them': (it) => {
    Object.assign(it, { params: { id: '1' }, query: { a: 'b' } });
    return (it as unknown as { params: unknown }).params;
  },
  'a proxy’s members': behindProxy(({ method, url, bodyUsed, headers }) => [
    ...[method, url, bodyUsed, headers.get('x-one')],
  ]),
  'a proxy’s text()': behindProxy((it) => it.text()),
  'a proxy’s clone()': behindProxy((it) => it.clone().text()),
};

const KINDS: Record<string, { method: string; body?: string | FormData; type?: string }> = {
  'a GET': { method: 'GET' },
  'a POST of JSON': { method: 'POST', body: '{"a":"grün"}', type: 'application/json' },
  'a POST of a form': {
    method: 'POST',
    body: 'a=1&b=2',
    type: 'application/x-www-form-urlencoded',
  },
  'a POST without a body': { method: 'POST' },
  'a PUT of text': { method: 'PUT', body: '\ufeffmark', type: 'Text/Plain; Charset=UTF-8' },
};

// Where the platform's objects have private members, it is worse than ours.
const isPlatformUnableTo = (name: string) =>
  name.includes('proxy') && Number(process.versions.node.split('.')[0]) >= 24;

describe.each(Object.entries(KINDS))('%s', (_, { method, body, type }) => {
  const headers = { 'x-one': '1', ...(type === undefined ? {} : { 'content-type': type }) };

  it.each(Object.entries({ ...BODIES, ...REQUESTS }))('%s', async (name, operation) => {
    let ours: unknown;
    const server = serveHttp({
      async fetch(request: Request) {
        ours = await outcome(request, operation as Operation<Request>);
        return new LightResponse('done');
      },
    } as never);
    const url = `http://127.0.0.1:${server.port}/a/b?c=d`;
    const init = { method, headers, body };
    await fetch(url, init as RequestInit);
    if (isPlatformUnableTo(name)) return;
    const theirs = await outcome(
      new Request(url, init as RequestInit),
      operation as Operation<Request>,
    );
    expect(ours).toEqual(theirs);
  });
});

const MADE: Record<string, (Made: typeof Response) => unknown> = {
  'a status as text': (Made) => new Made('x', { status: '404' as never }).status,
  'a status with a fraction': (Made) => new Made('x', { status: 404.7 }).status,
  'a status that is none': (Made) => new Made('x', { status: Number.NaN }),
  'a status out of range': (Made) => new Made('x', { status: 600 }),
  'a null init': (Made) => new Made('x', null as never).status,
  'a number as body': (Made) => new Made(5 as never).text(),
  'another status without a body': (Made) => new Made(null, { status: 304 }).body,
  'a clone keeps its class': (Made) => new Made('x').clone() instanceof Made,
  'a body for another': (Made) => new Made(new Made('moved').body).text(),
  'an init for another': (Made) => {
    const { status, headers } = new Made(null, new Made('x', { status: 201, headers: { a: 'b' } }));
    return [status, headers.get('a')];
  },
  'a redirection to nowhere': (Made) => Made.redirect('no url'),
  'json of nothing': (Made) => Made.json(undefined),
};

const TEXT = { headers: { 'x-one': '1', 'content-type': 'application/json' } };

describe('a Response', () => {
  const Light = LightResponse as unknown as typeof Response;

  it.each(Object.entries(BODIES))('%s', async (_, operation) => {
    for (const body of ['{"a":"grün"}', null]) {
      const theirs = await outcome(new Response(body, TEXT), operation);
      expect(await outcome(new Light(body, TEXT), operation)).toEqual(theirs);
    }
  });

  it.each(Object.entries(MADE))('%s', async (_, operation) => {
    expect(await outcome(Light, operation)).toEqual(await outcome(Response, operation));
  });

  it('takes Headers of either kind', () => {
    for (const headers of [new Headers({ a: 'b' }), new LightHeaders({ a: 'b' })]) {
      expect(new LightResponse('', { headers: headers as never }).headers.get('a')).toBe('b');
      expect(new Response('', { headers: headers as never }).headers.get('a')).toBe('b');
    }
  });
});

describe('fetch() of the platform', () => {
  const server = () =>
    serveHttp({
      async fetch(request: Request) {
        if (request.headers.has('x-inner')) return new LightResponse(request.body);
        return fetch(request, { headers: { 'x-inner': '1' } });
      },
    } as never);

  it('takes a Request of ours with its method and body', async () => {
    const url = `http://127.0.0.1:${server().port}/`;
    const answer = await fetch(url, { method: 'PUT', body: 'passed on' });
    expect(await answer.text()).toBe('passed on');
  });

  it('rejects one whose body was read, as it does one of its own', async () => {
    const errors: unknown[] = [];
    const on = serveHttp({
      async fetch(request: Request) {
        await request.text();
        await fetch(request).catch(({ name }) => errors.push(name));
        return new LightResponse('done');
      },
    } as never);
    await fetch(`http://127.0.0.1:${on.port}/`, { method: 'POST', body: 'body' });
    expect(errors).toEqual(['TypeError']);
  });
});

describe('the global Request', () => {
  it('is replaced once, and is otherwise as it was', () => {
    serveHttp({ fetch: () => new LightResponse() } as never);
    const first = globalThis.Request;
    serveHttp({ fetch: () => new LightResponse() } as never);
    expect(globalThis.Request).toBe(first);
    expect([first.name, first.length, globalThis.fetch.name]).toEqual(['Request', 1, 'fetch']);
    expect(first.prototype.constructor).toBe(first);
    expect(() => new (first as never as new () => unknown)()).toThrow(TypeError);
    expect(() => (first as never as () => unknown)()).toThrow(TypeError);
    expect(new first('http://a.test/') instanceof first).toBe(true);
  });
});
