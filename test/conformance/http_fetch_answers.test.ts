// What the fetch face sends for Responses of every origin and shape.
import { type HttpServer, Response as LightResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';

function server(fetch: () => unknown, errors: Error[] = []) {
  return serveHttp({ fetch, error: (error: Error) => void errors.push(error) } as never);
}

async function ask(on: HttpServer, method = 'GET') {
  const [answer] = parseAnswers(await exchange(on, requestText(method, '/')), [method]);
  return answer!;
}

/** As other implementations of the standard have it: none of the platform's classes. */
function foreign(body: unknown, headers: Iterable<[string, string]> = []) {
  return { status: 201, statusText: 'Created', headers, body, bodyUsed: false };
}

const text = (words: string) => new TextEncoder().encode(words);

async function* pieces(...all: unknown[]): AsyncGenerator<unknown> {
  yield* all;
}

function streamOf(...all: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const piece of all) controller.enqueue(piece);
      controller.close();
    },
  });
}

describe('a Response of another implementation', () => {
  it.each([
    ['nothing', null, ''],
    ['text', 'ab', 'ab'],
    ['bytes', text('ab'), 'ab'],
    ['a buffer', text('ab').buffer, 'ab'],
    ['a stream of the platform', streamOf(text('a'), text('b')), 'ab'],
    ['something to iterate', pieces(text('a'), 'b'), 'ab'],
  ])('with %s as body is sent', async (_, body, expected) => {
    const on = server(() => foreign(body, new Map([['X-A', '1']])));
    const answer = await ask(on);
    expect([answer.status, answer.headers['x-a'], answer.body]).toEqual([201, '1', expected]);
  });

  it('keeps its cookies apart', async () => {
    const cookies = ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'b=2'];
    const headers = Object.assign(new Map([['Set-Cookie', cookies.join(', ')]]), {
      getSetCookie: () => cookies,
    });
    const raw = await exchange(
      server(() => foreign('', headers)),
      requestText('GET', '/'),
    );
    expect(raw.match(/set-cookie: .*/gi)).toEqual(cookies.map((cookie) => `set-cookie: ${cookie}`));
  });

  it.each([
    ['without headers', { status: 200, body: 'x' }],
    ['without a status', { headers: new Map(), body: 'x' }],
    ['with a body that is none', foreign({})],
    ['that was read already', { ...foreign('x'), bodyUsed: true }],
  ])('%s gets 500', async (_, made) => {
    const errors: Error[] = [];
    expect((await ask(server(() => made, errors))).status).toBe(500);
    expect(errors.map(({ name }) => name)).toEqual(['TypeError']);
  });
});

describe.each([
  ['light', LightResponse as unknown as typeof Response],
  ['platform', Response],
])('a %s Response', (_, Made) => {
  it('with pieces of text in its stream is sent', async () => {
    const on = server(() => new Made(streamOf('grün ', text('und '), new Uint16Array([0x6c62]))));
    const raw = await exchange(on, requestText('GET', '/'));
    const [answer] = parseAnswers(Buffer.from(raw, 'latin1').toString('latin1'));
    expect(Buffer.from(answer!.body, 'latin1').toString()).toMatch(/^gr.*n und bl$/);
  });

  it('with one piece of text has its length', async () => {
    const answer = await ask(server(() => new Made(streamOf('one'))));
    expect([answer.headers['content-length'], answer.body]).toEqual(['3', 'one']);
  });

  it('with a piece that is neither text nor bytes breaks off', async () => {
    const errors: Error[] = [];
    const on = server(() => new Made(streamOf(text('a'), { no: 'bytes' })), errors);
    expect(await exchange(on, requestText('GET', '/'))).not.toMatch(/0\r\n\r\n$/);
    expect(errors.map(({ name }) => name)).toEqual(['TypeError']);
  });

  it.each([
    ['one piece', () => streamOf(text('short'))],
    ['two pieces', () => streamOf(text('sho'), text('rt'))],
    ['text', () => 'short'],
  ])('that declares 10 bytes and has 5, in %s, cannot be taken for complete', async (_n, body) => {
    const errors: { code?: string }[] = [];
    const headers = { 'Content-Length': '10' };
    const on = server(() => new Made(body(), { headers }), errors as Error[]);
    const raw = await exchange(on, requestText('GET', '/'));
    const isError = raw.startsWith('HTTP/1.1 500 ');
    const isTorn = raw.includes('Content-Length: 10\r\n') && !raw.includes('\r\n\r\nshort.....');
    expect(isError || isTorn).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual(['ERR_RINGPOLL_HTTP_CONTENT_LENGTH']);
  });

  it('whose cancel() is never over is given up all the same', async () => {
    const errors: Error[] = [];
    const endless = () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(text('too long')),
        cancel: () => new Promise<never>(() => {}),
      });
    const headers = { 'Content-Length': '10' };
    const on = server(() => new Made(endless(), { headers }), errors);
    expect((await ask(on, 'HEAD')).headers['content-length']).toBe('10');
    expect(await exchange(on, requestText('GET', '/'))).toMatch(/\r\n\r\ntoo long$/);
    const code = 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH';
    expect(errors).toMatchObject([{ code }]);
  });

  it('that declares its length rightly is sent with it', async () => {
    const headers = { 'Content-Length': '5' };
    const on = server(() => new Made(streamOf(text('short')), { headers }));
    const answer = await ask(on);
    expect([answer.headers['content-length'], answer.body]).toEqual(['5', 'short']);
  });

  it('without a body says nothing about its length to HEAD, and 0 to others', async () => {
    const on = server(() => new Made(null));
    const head = await ask(on, 'HEAD');
    const { 'content-length': length, 'transfer-encoding': coding } = head.headers;
    expect([length, coding]).toEqual([undefined, undefined]);
    expect((await ask(on, 'GET')).headers['content-length']).toBe('0');
  });

  it('to HEAD keeps the length that it declares', async () => {
    const on = server(() => new Made(null, { headers: { 'Content-Length': '7' } }));
    expect((await ask(on, 'HEAD')).headers['content-length']).toBe('7');
  });

  it.each([255, 256, 257, 5000])('sends a Content-Type of %d characters once', async (length) => {
    const type = 'text/plain; a='.padEnd(length, 'x');
    const on = server(() => new Made('body', { headers: { 'Content-Type': type } }));
    const answer = await ask(on);
    expect(answer.headers['content-type']).toBe(type);
  });
});

it('a light Response of text says to HEAD how long it is', async () => {
  const on = server(() => new LightResponse('text'));
  expect((await ask(on, 'HEAD')).headers['content-length']).toBe('4');
});

it('an async iterable of text is sent as it is', async () => {
  const on = server(() => new LightResponse(pieces('a', 'b', text('c')) as never));
  expect((await ask(on)).body).toBe('abc');
});

describe('the fast face', () => {
  const short = 'text/plain';
  const long = 'text/plain; a='.padEnd(300, 'x');

  it.each([
    ['a long one', [long], long],
    ['a long one twice', [long, long], long],
    ['a short one and a long one', [short, long], long],
    ['a long one and a short one', [long, short], short],
  ])('sends one Content-Type: %s', async (_, types, expected) => {
    const on = serveHttp({
      handler(_request, response) {
        for (const type of types) response.header('Content-Type', type);
        response.json({});
      },
    });
    expect((await ask(on)).headers['content-type']).toBe(expected);
  });

  it('holds a long Content-Type against the limit of all headers', async () => {
    const errors: unknown[] = [];
    const on = serveHttp({
      handler(_request, response) {
        response.header('X-A', 'x'.repeat(20_000));
        response.header('Content-Type', 'x'.repeat(20_000)).end();
      },
      error: (error) => void errors.push((error as { code?: string }).code),
    });
    expect((await ask(on)).status).toBe(500);
    expect(errors).toEqual(['ERR_RINGPOLL_OUT_OF_RANGE']);
  });

  it('says nothing to HEAD about a length that it was not told', async () => {
    const on = serveHttp({ handler: (_, response) => response.end() });
    expect((await ask(on, 'HEAD')).headers['content-length']).toBeUndefined();
    expect((await ask(on)).headers['content-length']).toBe('0');
  });
});
