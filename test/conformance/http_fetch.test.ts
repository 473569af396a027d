// The face of the Fetch standard, asked by the platform's own fetch().
import { Headers as LightHeaders, Response as LightResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import {
  deferred,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { roundTrips } from '../support/turns.js';

type Serve = NonNullable<Parameters<typeof serveHttp>[0]['fetch']>;

function base(fetch: Serve, more = {}) {
  const server = serveHttp({ fetch, error() {}, ...more } as never);
  return { server, url: `http://127.0.0.1:${server.port}` };
}

describe('the request', () => {
  it('is a Request', async () => {
    let seen: Request | undefined;
    const { url } = base(async (request) => {
      seen = request;
      expect(request instanceof Request).toBe(true);
      expect(request.headers instanceof Headers).toBe(true);
      expect(Object.prototype.toString.call(request)).toBe('[object Request]');
      const { method, bodyUsed, cache, mode, redirect, signal } = request;
      return LightResponse.json({
        url: request.url,
        one: request.headers.get('X-One'),
        none: request.headers.get('x-none'),
        has: request.headers.has('x-ONE'),
        body: await request.text(),
        ...{ method, bodyUsed, cache, mode, redirect, aborted: signal.aborted },
        usedNow: request.bodyUsed,
      });
    });
    const answer = await fetch(`${url}/a/b?c=d`, {
      method: 'PUT',
      body: 'grün',
      headers: { 'X-One': '1' },
    });
    expect(await answer.json()).toEqual({
      url: `${url}/a/b?c=d`,
      ...{ one: '1', none: null, has: true, body: 'grün', method: 'PUT', bodyUsed: false },
      ...{ cache: 'default', mode: 'cors', redirect: 'follow', aborted: false, usedNow: true },
    });
    expect(seen).toBeDefined();
  });

  it('gives its body in every form, once', async () => {
    const { url } = base(async (request) => {
      const how = new URL(request.url).pathname.slice(1);
      const body =
        how === 'json'
          ? JSON.stringify(await request.json())
          : how === 'arrayBuffer'
            ? new Uint8Array(await request.arrayBuffer())
            : how === 'blob'
              ? await (await request.blob()).text()
              : how === 'formData'
                ? String((await request.formData()).get('a'))
                : how === 'stream'
                  ? request.body
                  : await request.text();
      const second = how === 'stream' ? null : await request.text().catch((error) => error);
      expect(second === null || second instanceof TypeError).toBe(true);
      return new LightResponse(body);
    });
    const post = async (path: string, body: BodyInit, headers = {}) =>
      (await fetch(`${url}/${path}`, { method: 'POST', body, headers })).text();
    expect(await post('text', 'ä')).toBe('ä');
    expect(await post('json', '{"a": 1}')).toBe('{"a":1}');
    expect(await post('arrayBuffer', 'xyz')).toBe('xyz');
    expect(await post('blob', 'xyz')).toBe('xyz');
    expect(await post('formData', new URLSearchParams({ a: 'b' }))).toBe('b');
    const form = new FormData();
    form.set('a', 'multi');
    expect(await post('formData', form)).toBe('multi');
    expect(await post('stream', 'x'.repeat(500_000))).toBe('x'.repeat(500_000));
  });

  it('does not take memory away from anybody when it is streamed', async () => {
    const { url } = base(async (request) => new LightResponse(request.body));
    const pooled = Buffer.from('mine');
    for (let i = 0; i < 20; i += 1) {
      const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(10 + i * 400) });
      expect((await answer.text()).length).toBe(10 + i * 400);
    }
    expect(pooled.toString()).toBe('mine');
    expect(Buffer.from('still').toString()).toBe('still');
  });

  it('can be cloned into one of the platform', async () => {
    const { url } = base(async (request) => {
      const copy = request.clone();
      const again = new Request(copy, { headers: { 'x-new': 'yes' } });
      return LightResponse.json([await request.text(), await again.text(), again.method]);
    });
    const answer = await fetch(url, { method: 'POST', body: 'twice' });
    expect(await answer.json()).toEqual(['twice', 'twice', 'POST']);
  });

  it('aborts when the peer leaves', async () => {
    const started = deferred();
    const aborted = deferred<boolean>();
    const { server } = base((request) => {
      request.signal.addEventListener('abort', () => aborted.resolve(request.signal.aborted));
      started.resolve();
      return new Promise<never>(() => {});
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await started.promise;
    client.peer.reset();
    expect(await aborted.promise).toBe(true);
  });

  it('can be used across await', async () => {
    const { url } = base(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return new LightResponse(`${request.method} ${request.headers.get('x-a')} ${request.url}`);
    });
    const all = await Promise.all(
      Array.from({ length: 30 }, async (_, i) =>
        (await fetch(`${url}/${i}`, { headers: { 'x-a': `${i}` } })).text(),
      ),
    );
    expect(all).toEqual(all.map((_, i) => `GET ${i} ${url}/${i}`));
  });

  it('comes with the other face', async () => {
    const { url } = base((_, http) => new LightResponse(http.remoteAddress));
    expect(await (await fetch(url)).text()).toBe('127.0.0.1');
  });
});

describe.each([
  ['light', LightResponse as unknown as typeof Response],
  ['platform', Response],
])('a %s response', (_, Made) => {
  it('is sent with its status, headers and body', async () => {
    const { url } = base(() => {
      const headers = new Headers({ 'X-A': '1' });
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2');
      return new Made('text', { status: 201, headers });
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-a')).toBe('1');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(answer.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    expect(answer.headers.get('content-length')).toBe('4');
    expect(await answer.text()).toBe('text');
  });

  it.each([
    ['bytes', () => new Uint8Array([97, 98]), 'ab', null],
    ['a buffer', () => new Uint8Array([97, 98]).buffer, 'ab', null],
    ['a blob', () => new Blob(['ab'], { type: 'x/y' }), 'ab', 'x/y'],
    [
      'parameters',
      () => new URLSearchParams({ a: 'b c' }),
      'a=b+c',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['nothing', () => null, '', null],
    ['an empty text', () => '', '', 'text/plain;charset=UTF-8'],
  ])('may have a body of %s', async (_name, body, expected, type) => {
    const { url } = base(() => new Made(body() as BodyInit));
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(await answer.text()).toBe(expected);
  });

  it('may be a stream', async () => {
    const { server } = base(() => {
      let count = 0;
      const stream = new ReadableStream({
        async pull(controller) {
          await new Promise(setImmediate);
          count += 1;
          if (count > 3) controller.close();
          else controller.enqueue(new TextEncoder().encode(`${count},`));
        },
      });
      return new Made(stream, { headers: { 'content-type': 'text/event-stream' } });
    });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', '/')));
    expect(answer!.headers['transfer-encoding']).toBe('chunked');
    expect(answer!.body).toBe('1,2,3,');
  });

  it('is streamed no faster than the peer reads, and cancelled when it leaves', async () => {
    let pulled = 0;
    const cancelled = deferred();
    const { server } = base(
      () => {
        const stream = new ReadableStream({
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(64 * 1024));
          },
          cancel: () => cancelled.resolve(),
        });
        return new Made(stream);
      },
      { writeTimeout: 0 },
    );
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    client.send(requestText('GET', '/'));
    await roundTrips(200);
    const before = pulled;
    expect(before).toBeLessThan(400);
    await roundTrips(50);
    expect(pulled).toBe(before);
    client.peer.reset();
    await cancelled.promise;
  });

  it('whose stream fails cannot be taken for complete', async () => {
    const errors: unknown[] = [];
    const { server } = base(
      () => {
        let count = 0;
        const stream = new ReadableStream({
          async pull(controller) {
            await new Promise(setImmediate);
            if (++count === 2) throw new Error('stream');
            controller.enqueue(new TextEncoder().encode('begun'));
          },
        });
        return new Made(stream);
      },
      { error: (error: Error) => void errors.push(error.message) },
    );
    expect(await exchange(server, requestText('GET', '/'))).toMatch(/5\r\nbegun\r\n$/);
    expect(errors).toEqual(['stream']);
  });

  it('to HEAD has no body', async () => {
    const { server } = base(() => new Made('text'));
    const text = requestText('HEAD', '/') + requestText('GET', '/');
    const answers = parseAnswers(await exchange(server, text), ['HEAD']);
    expect(answers[1]!.body).toBe('text');
    expect(answers).toHaveLength(2);
  });
});

describe('a handler of the fetch face', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('secret');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns something else', async () => 'text'],
  ])('that %s gets 500', async (_, handler) => {
    const { url } = base(handler as never);
    const answer = await fetch(url);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('Internal Server Error\n');
  });

  it('may send a response only once', async () => {
    const same = new LightResponse('same');
    const { url } = base(() => same as never);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url)).status).toBe(500);
  });

  it('shares the server with routes', async () => {
    const { url } = base(() => new LightResponse('rest', { status: 404 }), {
      routes: {
        '/users/:id': {
          GET: (request: { params: Record<string, string> }) => LightResponse.json(request.params),
        },
        '/files/*': (request: { params: Record<string, string> }) =>
          new LightResponse(request.params['*']),
      },
    });
    expect(await (await fetch(`${url}/users/a%20b`)).json()).toEqual({ id: 'a b' });
    expect(await (await fetch(`${url}/files/x/y`)).text()).toBe('x/y');
    expect((await fetch(`${url}/users/1`, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('passes on what the platform fetched', async () => {
    const inner = base(() => new LightResponse('inner', { headers: { 'x-inner': '1' } }));
    const outer = base(() => fetch(inner.url));
    const answer = await fetch(outer.url);
    expect([await answer.text(), answer.headers.get('x-inner')]).toEqual(['inner', '1']);
  });
});

describe('light Headers', () => {
  const both = (use: (headers: Headers) => unknown) => {
    const light = use(new LightHeaders() as unknown as Headers);
    expect(light).toEqual(use(new Headers()));
    return light;
  };

  it('behave like those of the platform', () => {
    both((headers) => {
      headers.append('B', ' 2 ');
      headers.append('a', '1');
      headers.append('b', '3');
      headers.append('Set-Cookie', 'x=1');
      headers.append('set-cookie', 'y=2');
      headers.set('C', '4');
      headers.append('c', '5');
      headers.set('c', '6');
      headers.append('d', '7');
      headers.delete('D');
      const seen: unknown[] = [];
      headers.forEach((value, name) => {
        seen.push([name, value]);
      });
      return [
        [...headers],
        [...headers.keys()],
        [...headers.values()],
        seen,
        headers.get('B'),
        headers.get('none'),
        headers.has('A'),
        headers.getSetCookie(),
        headers.get('set-cookie'),
      ];
    });
  });

  it('can be made from what Headers can, and the other way round', () => {
    const pairs: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
    ];
    for (const init of [pairs, Object.fromEntries(pairs), new Headers(pairs), new Map(pairs)]) {
      const light = new LightHeaders(init as never);
      expect([...light]).toEqual(pairs);
      expect([...new Headers(light as never)]).toEqual(pairs);
    }
    expect(() => new LightHeaders([['a']] as never)).toThrow(TypeError);
    expect(() => new LightHeaders({ 'a b': 'c' })).toThrow(TypeError);
    expect(() => new LightHeaders({ a: 'b\r\nc' })).toThrow(TypeError);
  });
});

describe('a light Response by itself', () => {
  it('is a Response', async () => {
    const response = new LightResponse('text', { status: 202, statusText: 'Fine' });
    expect(response instanceof Response).toBe(true);
    expect(Object.prototype.toString.call(response)).toBe('[object Response]');
    const { status, statusText, ok, redirected, type, url, bodyUsed } = response;
    expect({ status, statusText, ok, redirected, type, url, bodyUsed }).toEqual({
      ...{ status: 202, statusText: 'Fine', ok: true, redirected: false },
      ...{ type: 'default', url: '', bodyUsed: false },
    });
    const copy = response.clone();
    expect([await copy.text(), await response.text()]).toEqual(['text', 'text']);
    expect(copy.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
  });

  it.each(['a\r\nb', 'a\nSet-Cookie: b', '\0', '\x7f', '\u0100'])(
    'takes no statusText that cannot stand in a status line: %j',
    (statusText) => {
      expect(() => new Response(null, { statusText })).toThrow(TypeError);
      expect(() => new LightResponse(null, { statusText })).toThrow(TypeError);
    },
  );

  it('has the static methods', async () => {
    expect(await LightResponse.json({ a: 1 }).json()).toEqual({ a: 1 });
    expect(LightResponse.json(1).headers.get('content-type')).toBe('application/json');
    const redirect = LightResponse.redirect('http://example.org/x');
    expect([redirect.status, redirect.headers.get('location')]).toEqual([
      302,
      'http://example.org/x',
    ]);
    expect(() => LightResponse.redirect('http://example.org', 200)).toThrow(RangeError);
    expect(() => new LightResponse('', { status: 99 })).toThrow(RangeError);
    expect(() => new LightResponse('x', { status: 204 })).toThrow(TypeError);
  });

  it('has a body that can be streamed', async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of new LightResponse('grün')
      .body as never as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).toString()).toBe('grün');
    expect(new LightResponse().body).toBe(null);
  });
});
