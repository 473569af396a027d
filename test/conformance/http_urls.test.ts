// What URL a request has, in both faces and for routes: all must see the same one.
import type { ServeOptions } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { Random } from '../support/random.js';

/** What the handlers saw of each target, or the status of its refusal. */
interface Seen {
  url: string;
  path: string;
  route: string;
}

function fetchServer(more: Partial<ServeOptions> = {}) {
  const answer =
    (route: string) =>
    (request: Request, http: { path: string }): Response =>
      Response.json({ url: request.url, path: http.path, route });
  return serveHttp({
    error() {},
    routes: { '/admin/*': answer('admin'), '/one': answer('one') },
    fetch: answer('fetch'),
    ...more,
  } as Partial<ServeOptions>);
}

async function ask(
  server: ReturnType<typeof serveHttp>,
  targets: readonly string[],
  method = 'GET',
): Promise<(Seen | number)[]> {
  const text = targets.map((target) => requestText(method, target)).join('');
  const answers = parseAnswers(await exchange(server, Buffer.from(text, 'latin1')));
  expect(answers).toHaveLength(targets.length);
  return answers.map(({ status, body }) => (status === 200 ? JSON.parse(body) : status));
}

const OUTSIDE: [target: string, url: string][] = [
  ['/', 'http://test/'],
  ['/a/b?c=d&e', 'http://test/a/b?c=d&e'],
  ['/a?', 'http://test/a?'],
  ['/a.b/..c/.../d%20e%2Ff', 'http://test/a.b/..c/.../d%20e%2Ff'],
  ['//host/path', 'http://test//host/path'],
  ["/'?'", "http://test/'?%27"],
  ['/a"b<c>{d}', 'http://test/a%22b%3Cc%3E%7Bd%7D'],
  ['/a?b"c<d>', 'http://test/a?b%22c%3Cd%3E'],
  ['/?x=/../admin/x', 'http://test/?x=/../admin/x'],
  ['/admin', 'http://test/admin'],
  ['/%61dmin/x', 'http://test/%61dmin/x'],
  ['/admin%2Fx', 'http://test/admin%2Fx'],
  ['http://test/p?q', 'http://test/p?q'],
  ['http://test', 'http://test/'],
  ['http://test?q', 'http://test/?q'],
  ['HTTP://TEST/P', 'http://test/P'],
  ['https://test/p', 'https://test/p'],
];

const INSIDE: [target: string, url: string][] = [
  ...[
    ...['/p/../admin/x', '/./admin/x', '/p/%2e%2e/admin/x', '/p/%2E./admin/x', '/p/.%2e/admin/x'],
    ...['/%2e/admin/x', '/p\\..\\admin/x', '\\admin\\x', '/p/..\\admin\\x', '/../../admin/x'],
    ...['http://test/p/../admin/x', 'http://test/%2e/admin/x', '/p/q/./../%2e%2e/admin/./x'],
  ].map((target): [string, string] => [
    target.startsWith('\\') ? `/${target.slice(1)}` : target,
    'http://test/admin/x',
  ]),
  ['/admin/x/..', 'http://test/admin/'],
  ['/admin/..%2fx', 'http://test/admin/..%2fx'],
  ['/admin/x?/../..', 'http://test/admin/x?/../..'],
];

describe('the URL of a request', () => {
  it.each([
    ['elsewhere', OUTSIDE, 'fetch'],
    ['to where a route leads', INSIDE, 'admin'],
  ])('is what the URL serialiser writes, %s', async (_, table, route) => {
    const seen = await ask(
      fetchServer(),
      table.map(([target]) => target),
    );
    const expected = table.map(([, url]) => ({ url, path: new URL(url).pathname, route }));
    expect(seen).toEqual(expected);
    for (const [, url] of table) expect(new URL(url).href).toBe(url);
  });

  it('of OPTIONS * has an empty path', async () => {
    expect(await ask(fetchServer(), ['*'], 'OPTIONS')).toEqual([
      { url: 'http://test/', path: '/', route: 'fetch' },
    ]);
  });

  it.each([
    ['', { lenient: false }],
    [', leniently too', { lenient: true }],
  ])('and its path are those of new URL(), whatever is sent%s', async (_, options) => {
    const random = new Random(9);
    const words = [
      ...['/', '/', '.', '..', '%2e', '%2E', '\\', 'admin', 'one', 'a', '?', '%', '%2f', '%zz'],
      ...['"', "'", '<', '>', '`', '{', '}', '|', '^', '[', ']', '@', ':', ';', '=', '&', '~'],
      ...(options.lenient ? ['#', '\xe9', '\xff', '\xc3\xa9'] : []),
    ];
    const absolute = ['http://test', 'http://test:80', 'http://TEST'];
    if (options.lenient) absolute.push('http://u:p@test', 'http://other');
    const targets = Array.from({ length: 600 }, () => {
      const length = random.below(9);
      const some = Array.from({ length }, () => words[random.below(words.length)]).join('');
      const before = random.chance(0.2) ? absolute[random.below(absolute.length)] : '';
      return `${before}/${some}`;
    }).filter((target) => options.lenient || !target.includes(':80'));
    const server = fetchServer(options);
    for (let at = 0; at < targets.length; at += 100) {
      const some = targets.slice(at, at + 100);
      const seen = await ask(server, some);
      seen.forEach((one, index) => {
        const { url, path, route } = one as Seen;
        const parsed = new URL(url);
        const { pathname } = parsed;
        const kind = pathname.startsWith('/admin/')
          ? 'admin'
          : pathname === '/one'
            ? 'one'
            : 'fetch';
        const expected = { url: parsed.href, path: pathname, route: kind };
        expect({ url, path, route }, JSON.stringify(some[index])).toEqual(expected);
        expect(new Request(url).url, JSON.stringify(some[index])).toBe(url);
      });
    }
  });

  it('is the target as it was sent in the fast face, whose path is that of the URL', async () => {
    const targets = [...OUTSIDE, ...INSIDE].map(([target]) => target);
    const server = serveHttp({
      handler: ({ url, path }, response) => response.json({ url, path, route: '' }),
    });
    const expected = [...OUTSIDE, ...INSIDE].map(([target, url]) => ({
      url: target,
      path: new URL(url).pathname,
      route: '',
    }));
    expect(await ask(server, targets)).toEqual(expected);
  });
});

describe('routes', () => {
  it('have the paths that URLs have, however they are written', async () => {
    const body = (text: string) => (_: unknown, response: { end(text: string): void }) =>
      response.end(text);
    const server = serveHttp({
      routes: { '/caf\u00e9': body('caf\u00e9'), '/a b/:id': body('space'), '/x/../y': body('y') },
      static: { '/\u4f60': { body: 'static' }, '/s/../t': { body: 't' } },
      handler: (_, response) => response.end('none'),
    });
    const targets = ['/caf%C3%A9', '/a%20b/1', '/y', '/x/../y', '/%E4%BD%A0', '/t', '/s/../t'];
    const text = targets.map((target) => requestText('GET', target)).join('');
    const bodies = parseAnswers(await exchange(server, text)).map((answer) => answer.body);
    expect(bodies).toEqual(['caf\xc3\xa9', 'space', 'y', 'y', 'static', 't', 't']);
  });

  it('may not mean the same path twice', () => {
    const routes = { '/a/b': () => {}, '/a/./b': () => {} };
    expect(() => serveHttp({ routes })).toThrow(/free of paths that mean the same/);
  });
});

describe('a Host', () => {
  const hostOf = async (
    host: string,
    options: Partial<ServeOptions> = {},
    line = 'GET /admin/x',
  ) => {
    const heard: string[] = [];
    const errors: unknown[] = [];
    const server = serveHttp({
      error: (error: { code?: string }) => void errors.push(error.code),
      fetch(request) {
        heard.push(request.url);
        return new Response(request.url);
      },
      ...options,
    } as Partial<ServeOptions>);
    const text = `${line} HTTP/1.1\r\nHost:${host}\r\n\r\n`;
    const [answer] = parseAnswers(await exchange(server, Buffer.from(text, 'latin1')));
    return { answer: answer!, heard, errors };
  };

  it.each([
    ['EXAMPLE.org', 'example.org'],
    ['example.org:80', 'example.org'],
    ['example.org:', 'example.org'],
    ['example.org:08080', 'example.org:8080'],
    ['127.1', '127.0.0.1'],
    ['0x7f000001:99', '127.0.0.1:99'],
    ['[::1]:3000', '[::1]:3000'],
    ['[0:0::0:1]', '[::1]'],
    ['0x', '0.0.0.0'],
    ['a%2db', 'a-b'],
    ['under_score', 'under_score'],
  ])('%s is %s in the URL', async (host, expected) => {
    const { answer } = await hostOf(host);
    expect(answer).toMatchObject({ status: 200, body: `http://${expected}/admin/x` });
  });

  it.each([
    ...['', 'a%2fb', '[::1::2]', 'a%00b', 'a%40b', '1.2.3.4.5', '256.256.256.256', '[1.2.3.4]'],
    ...['xn--a', '%ff', 'a%', 'u@a', 'a/b', ':80', 'a:65536'],
  ])('%j is none, and gets 400 before the app is asked', async (host) => {
    const { answer, heard, errors } = await hostOf(host);
    expect(answer.status).toBe(400);
    expect(heard).toEqual([]);
    expect(errors).toEqual(['ERR_RINGPOLL_HTTP_HOST_INVALID']);
  });

  it.each(['u@evil/pub', 'evil/pub', 'evil?', 'evil#', 'evil\\pub', 'a b', 'a\tb', '\xe9'])(
    '%j is none, although lenient takes it',
    async (host) => {
      const { answer, heard } = await hostOf(host, { lenient: true });
      expect(answer.status).toBe(400);
      expect(heard).toEqual([]);
    },
  );

  it.each(['http:///pub/admin/x', 'http://:80/x', 'http://a%2fb/x', 'http://[::1::2]/x', '//'])(
    'cannot be missing from the target %s',
    async (target) => {
      const host = /^\w+:\/\/([^/]*)/.exec(target)?.[1] ?? '';
      const { answer, heard } = await hostOf(host, {}, `GET ${target}`);
      expect(answer.status).toBe(400);
      expect(heard).toEqual([]);
    },
  );

  it.each([
    ['http://test:80/p', 'test'],
    ['http://test/p', 'TEST:80'],
    ['http://test/p', 'test:'],
    ['http://[::1]/p', '[::1]:80'],
    ['https://test:443/p', 'test'],
  ])(
    'is the same as in the target %s when it is %s: the port is the default',
    async (target, host) => {
      const { answer } = await hostOf(host, {}, `GET ${target}`);
      expect(answer).toMatchObject({ status: 200, body: new URL(target).href });
    },
  );

  it.each([
    ['http://test:81/', 'test'],
    ['https://test/', 'test:80'],
    ['http://test/', 'test:443'],
    ['http://test/', 'tes'],
    ['http://test/', ''],
  ])('is another one than in the target %s when it is %j', async (target, host) => {
    const { answer, errors } = await hostOf(host, {}, `GET ${target}`);
    expect([answer.status, errors]).toEqual([400, ['ERR_RINGPOLL_HTTP_HOST_MISMATCH']]);
  });

  it('may be missing from HTTP/1.0', async () => {
    const answers = parseAnswers(await exchange(fetchServer(), 'GET /a/../b HTTP/1.0\r\n\r\n'));
    expect(JSON.parse(answers[0]!.body)).toMatchObject({ url: 'http://localhost/b' });
  });

  it('of any kind leaves the others theirs', async () => {
    const server = fetchServer();
    const hosts = Array.from({ length: 600 }, (_, i) => (i % 3 === 0 ? 'test' : `h${i}.test`));
    for (let at = 0; at < hosts.length; at += 100) {
      const some = hosts.slice(at, at + 100);
      const text = some.map((Host) => requestText('GET', '/', { Host })).join('');
      const urls = parseAnswers(await exchange(server, text)).map(
        ({ body }) => JSON.parse(body).url,
      );
      expect(urls).toEqual(some.map((host) => `http://${host}/`));
    }
  });
});
