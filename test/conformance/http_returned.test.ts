// What handlers return, and Responses in the place of handlers.
import {
  type HttpRequest,
  type HttpResponse,
  Response as LightResponse,
  type ServeOptions,
} from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { exchange, HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';

async function answersOf(
  options: Partial<ServeOptions>,
  text: string,
  methods: string[] = [],
): Promise<ReturnType<typeof parseAnswers>> {
  return parseAnswers(
    await exchange(serveHttp({ error() {}, ...options } as never), text),
    methods,
  );
}

const last = (...all: unknown[]): unknown => all.at(-1);
const later = (response: HttpResponse) => setImmediate(() => response.end('written'));

describe('a handler of the fast face that returns', () => {
  type Result = (response: HttpResponse) => unknown;
  const light = () =>
    new LightResponse('made', { status: 201, headers: { 'x-a': '1', 'content-type': 'a/b' } });
  const platform = () =>
    new Response('made', { status: 201, headers: { 'x-a': '1', 'content-type': 'a/b' } });
  const made = { status: 201, body: 'made', headers: { 'x-a': '1', 'content-type': 'a/b' } };
  const stream = () => new Response(new Blob(['ma', 'de']).stream(), { status: 201 });

  it.each<[string, Result, object]>([
    ['text', () => 'hello', { headers: { 'content-type': 'text/plain; charset=utf-8' } }],
    ['text with a type', (r) => last(r.header('Content-Type', 'a/b'), 'hello'), { body: 'hello' }],
    ['text with a status', (r) => last(r.status(404), 'gone'), { status: 404, body: 'gone' }],
    ['no text', () => '', { status: 200, body: '' }],
    ['bytes', () => Buffer.from('bytes'), { status: 200, body: 'bytes' }],
    ['a light Response', light, made],
    ['a Response', platform, made],
    ['a Response with a stream', stream, { status: 201, body: 'made' }],
    ['text, later', async () => 'hello', { status: 200, body: 'hello' }],
    ['a Response, later', async () => platform(), made],
    ['a thenable of text', () => Promise.resolve('hello'), { body: 'hello' }],
  ])('%s has sent it', async (_, handler, expected) => {
    const text = requestText('GET', '/').repeat(2);
    const answers = await answersOf({ handler: (_, response) => handler(response) }, text);
    expect(answers).toMatchObject([expected, expected]);
  });

  it.each<[string, Result]>([
    ['text behind end()', (r) => last(r.end('written'), 'returned')],
    ['a Response behind end()', (r) => last(r.end('written'), platform())],
    [
      'text, while it streams',
      (r) =>
        last(
          r.write('writ'),
          setImmediate(() => r.end('ten')),
          'no',
        ),
    ],
    ['a number', (r) => last(later(r), 7)],
    ['nothing, and answers later', (r) => void later(r)],
    ['null, later', async (r) => last(later(r), null)],
    ['the response', (r) => last(later(r), r)],
  ])('%s, does not answer twice', async (_, handler) => {
    const text = requestText('GET', '/').repeat(2);
    const answers = await answersOf({ handler: (_, response) => handler(response) }, text);
    expect(answers.map(({ body }) => body)).toEqual(['written', 'written']);
  });

  it('a Response that was used has failed', async () => {
    const same = new LightResponse('once');
    const text = requestText('GET', '/').repeat(2);
    const answers = await answersOf({ handler: () => same }, text);
    expect(answers.map(({ status }) => status)).toEqual([200, 500]);
  });
});

describe('a Response as a route', () => {
  const everyKind = (): ServeOptions['routes'] =>
    ({
      '/light': new LightResponse('light', { status: 203, headers: { 'x-a': '1' } }),
      '/platform': new Response('platform', { headers: { 'content-type': 'a/b' } }),
      '/bytes': new LightResponse(Buffer.from('bytes')),
      '/stream': new Response(new Blob(['str', 'eam']).stream()),
      '/empty': new Response(null, { status: 204 }),
      '/json/:id': LightResponse.json({ a: 1 }),
      '/moved': LightResponse.redirect('http://test/light', 308),
      '/cookies': new Response('', {
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      }),
      '/by/method': { GET: new Response('got'), POST: new Response('posted', { status: 201 }) },
    }) as ServeOptions['routes'];

  it.each<[string, Partial<ServeOptions>]>([
    ['the fast face', { handler: (_: HttpRequest, response: HttpResponse) => response.end('no') }],
    ['the fetch face', { fetch: () => new Response('no') }],
    ['a server of nothing but routes', {}],
  ])('is sent again and again by %s', async (_, face) => {
    const server = serveHttp({ ...face, routes: everyKind() } as never);
    const client = await HttpClient.connect(server);
    for (let round = 0; round < 3; round += 1) {
      expect(await client.get('/light')).toMatchObject({
        status: 203,
        body: 'light',
        headers: { 'x-a': '1', 'content-type': 'text/plain;charset=UTF-8', 'content-length': '5' },
      });
      expect(await client.get('/platform')).toMatchObject({
        body: 'platform',
        headers: { 'content-type': 'a/b' },
      });
      expect((await client.get('/bytes')).body).toBe('bytes');
      expect((await client.get('/stream')).body).toBe('stream');
      expect((await client.get('/empty')).status).toBe(204);
      expect((await client.get('/json/7')).body).toBe('{"a":1}');
      expect(await client.get('/moved')).toMatchObject({
        status: 308,
        headers: { location: 'http://test/light' },
      });
      expect((await client.get('/cookies')).headers['set-cookie']).toBe('a=1, b=2');
      expect((await client.get('/by/method')).body).toBe('got');
      expect(await client.post('/by/method', 'x')).toMatchObject({ status: 201, body: 'posted' });
    }
  });

  it('answers GET and HEAD, and names them to others', async () => {
    const text = ['HEAD', 'POST', 'DELETE'].map((method) => requestText(method, '/light')).join('');
    const [head, ...others] = await answersOf({ routes: everyKind() }, text, ['HEAD']);
    expect(head).toMatchObject({ status: 203, headers: { 'content-length': '5' } });
    for (const other of others) {
      expect(other).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    }
  });

  it('that fails to give its body is answered by 500, each time', async () => {
    const body = new ReadableStream({ pull: (to) => to.error(new Error('broken')) });
    const text = requestText('GET', '/x').repeat(2);
    const answers = await answersOf({ routes: { '/x': new Response(body) } }, text);
    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['text', () => 'text', /must be a function or a Response, but is "text"/],
    ['a number by method', () => ({ GET: 7 }), /'\/x'\]\.GET must be a function or a Response/],
    ['an error', () => Response.error(), /a Response with a status from 200 to 599/],
    ['a light one that was read', () => read(new LightResponse('x')), /nobody has read/],
    ['one that was read', () => read(new Response('x')), /nobody has read/],
  ])('is checked: %s', (_, value, message) => {
    expect(() => serveHttp({ routes: { '/x': value() } as never })).toThrow(message);
  });
});

function read(response: Response | LightResponse): unknown {
  void response.text();
  return response;
}
