// What the strict parser takes and what it refuses, one behaviour a case. Every case runs whole,
// byte by byte, at random splits, with vectors and without; all of them must agree.
import { readFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BUILD_MS_MAX,
  buildDriver,
  Flag,
  Lenient,
  type Outcome,
  readTables,
  runDriver,
  summarise,
} from '../http/driver.js';
import { chunked, get, line, post, REFUSED } from '../http/refused_requests.js';

beforeAll(buildDriver, BUILD_MS_MAX);

const parse = (input: string, ...args: string[]): Outcome =>
  summarise(runDriver([input], ['--verify', ...args])[0]);

const parseAll = (inputs: string[], ...args: string[]): Outcome[] =>
  runDriver(inputs, ['--verify', ...args]).map(summarise);

describe('refuses', () => {
  describe.each(REFUSED.map(([code, status, inputs]) => ({ code, status, inputs })))(
    '$code ($status)',
    ({ code, status, inputs }) => {
      it.each(Object.keys(inputs).map((name) => ({ name })))('$name', ({ name }) => {
        const { error, state } = parse(inputs[name]);
        expect({ code: error?.code, status: error?.status, state }).toEqual({
          code: `ERR_RINGPOLL_HTTP_${code}`,
          status,
          state: 'failed',
        });
      });
    },
  );
});

describe('points at the byte that is wrong', () => {
  it.each([
    ['GET /a\x01b HTTP/1.1\r\n', 6],
    ['GET / HTTP/1.1\r\nHost: a\r\nA@b: c\r\n\r\n', 26],
    ['GET / HTTP/1.1\r\nHost: a\r\nX: a\0\r\n\r\n', 29],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 41],
    [`${get()}GET / HTTQ`, get().length + 9],
    [`${post('Content-Length: 2')}ab\x01`, post('Content-Length: 2').length + 2],
    [chunked('1\r\na\r\nz'), chunked('').length + 6],
    [chunked('0\r\nA: b\r\nB\x00'), chunked('').length + 10],
  ])('%j at %i', (input, offset) => {
    expect(parse(input).error?.offset).toBe(offset);
  });
});

describe('takes', () => {
  const only = (input: string, ...args: string[]) => {
    const { messages, error } = parse(input, ...args);
    expect(error).toBeUndefined();
    expect(messages).toHaveLength(1);
    return messages[0];
  };

  it('every method that node:http knows, by number', () => {
    const { methods } = readTables();
    expect(METHODS.filter((method) => !methods.includes(method))).toEqual([]);
    const known = methods.filter((method) => method !== '' && method !== 'CONNECT');
    const inputs = known.map((method) => line(`${method} / HTTP/1.1`));
    const requests = runDriver(inputs, ['--verify']).map(([first]) => first);
    for (const [index, request] of requests.entries()) {
      expect(request).toMatchObject({
        method: known[index],
        methodId: methods.indexOf(known[index]),
      });
    }
  });

  it('headers as they are written, spaces and tabs around values aside', () => {
    const { rawHeaders } = only(get('aB-c:d', 'E: \t f \tg\t ', 'H:', 'I: \xe9\xff', 'e: again'));
    expect(rawHeaders).toEqual([
      ...['Host', 'a', 'aB-c', 'd', 'E', 'f \tg', 'H', '', 'I', '\xe9\xff', 'e', 'again'],
    ]);
  });

  it('all the characters that a name may have', () => {
    const name = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    expect(only(get(`${name}: 1`)).rawHeaders).toEqual(['Host', 'a', name, '1']);
  });

  it('all visible characters in a target, apart from the fragment', () => {
    const codes = Array.from({ length: 0x7e - 0x20 }, (_, index) => 0x21 + index);
    const target = `/${String.fromCharCode(...codes).replace('#', '')}`;
    expect(only(line(`GET ${target} HTTP/1.1`)).target).toBe(target);
  });

  it('known headers by number, and says which are there', () => {
    const { headers } = readTables();
    const framing = 7;
    const lines = headers.slice(framing).map((name) => `${name.toUpperCase()}: x`);
    const [request] = runDriver([get(...lines)], ['--verify'])[0];
    if (request.event !== 'request') throw new Error(JSON.stringify(request));
    const ids = request.headers.map(([, , id]) => id);
    expect(ids).toEqual([1, ...headers.slice(framing).map((_, index) => framing + index)]);
    expect(request.host).toBe(1);
  });

  it.each(['1.2', '1.9'])('HTTP/%s, as 1.1', (version) => {
    const { flags } = only(line(`GET / HTTP/${version}`));
    expect(flags & (Flag.version11 | Flag.keepAlive)).toBe(Flag.version11 | Flag.keepAlive);
  });

  it('empty lines before a request, up to four', () => {
    expect(only(`${'\r\n'.repeat(4)}${get()}`).method).toBe('GET');
  });

  it.each([
    ['GET http://example.org:8080/a?b HTTP/1.1', 'Example.ORG:8080', Flag.targetAbsolute],
    ['GET https://[::1]:443/ HTTP/1.1', '[::1]:443', Flag.targetAbsolute],
    ['GET HTTP://a?b HTTP/1.1', 'a', Flag.targetAbsolute],
    ['OPTIONS http://a HTTP/1.1', 'a', Flag.targetAbsolute],
    ['GET http://a:80/ HTTP/1.1', 'a', Flag.targetAbsolute],
    ['GET http://a/ HTTP/1.1', 'A:080', Flag.targetAbsolute],
    ['GET http://a:/ HTTP/1.1', 'a:80', Flag.targetAbsolute],
    ['GET https://a:443/ HTTP/1.1', 'a:', Flag.targetAbsolute],
    ['GET http://[::1]:80/ HTTP/1.1', '[::1]', Flag.targetAbsolute],
    ['OPTIONS * HTTP/1.1', 'a', Flag.targetAsterisk],
    ['CONNECT example.org:443 HTTP/1.1', 'example.org:443', Flag.targetAuthority],
    ['CONNECT [2001:db8::1]:443 HTTP/1.1', '[2001:db8::1]:443', Flag.targetAuthority],
    ['GET // HTTP/1.1', 'a', 0],
  ])('%s with Host %s', (first, host, form) => {
    const { flags } = only(`${first}\r\nHost: ${host}\r\n\r\n`);
    expect(flags & Flag.targetMask).toBe(form);
  });

  it.each([
    '',
    'localhost',
    '127.0.0.1:80',
    '[::1]',
    '[::ffff:1.2.3.4]:1',
    'a:',
    'a_b',
    'x%2Dy',
    'a:0',
  ])('Host: %s', (host) => {
    expect(only(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).rawHeaders).toEqual(['Host', host]);
  });

  it('1.0 without Host', () => {
    expect(only('GET / HTTP/1.0\r\n\r\n').flags).toBe(0);
  });

  it('bodies by length, also with leading zeros', () => {
    expect(only(`${post('Content-Length: 005')}hello`)).toMatchObject({
      body: 'hello',
      complete: true,
      flags: Flag.version11 | Flag.keepAlive | Flag.hasBody | Flag.contentLength,
    });
    expect(only(post('Content-Length: 0')).flags & Flag.hasBody).toBe(0);
  });

  it('bodies by chunks, with sizes in any case, extensions and trailers', () => {
    const body =
      '5;a;b=c;d="e;\\"f"\r\nhello\r\n00A\r\n0123456789\r\n000\r\nDigest: x\r\nY:\r\n\r\n';
    expect(only(chunked(body))).toMatchObject({
      body: 'hello0123456789',
      rawTrailers: ['Digest', 'x', 'Y', ''],
      complete: true,
    });
    expect(only(post('Transfer-Encoding: CHUNKED \t')).flags & Flag.chunked).toBe(Flag.chunked);
  });

  it('bodies of GET too', () => {
    expect(only(`${get('Content-Length: 1')}x`)).toMatchObject({ body: 'x', complete: true });
  });

  it('100-continue in 1.1, and ignores it in 1.0', () => {
    const expectation = 'Expect: 100-Continue';
    expect(only(post(expectation)).flags & Flag.expectContinue).not.toBe(0);
    const old = only(`POST / HTTP/1.0\r\n${expectation}\r\n\r\n`);
    expect(old.flags & Flag.expectContinue).toBe(0);
    expect(only('POST / HTTP/1.0\r\nExpect: more\r\n\r\n').flags).toBe(0);
  });

  it.each([
    ['1.1', [], true],
    ['1.1', ['close'], false],
    ['1.1', ['CLOSE'], false],
    ['1.1', ['keep-alive, close'], false],
    ['1.1', ['keep-alive', 'x, close'], false],
    ['1.1', ['closed'], true],
    ['1.1', [', ,'], true],
    ['1.0', [], false],
    ['1.0', ['keep-alive'], true],
    ['1.0', ['Keep-Alive, foo'], true],
    ['1.0', ['keep-alive, close'], false],
  ] as const)('%s with Connection %j: lives on is %s', (version, connection, lives) => {
    const lines = connection.map((value) => `Connection: ${value}`);
    const head = [`GET / HTTP/${version}`, 'Host: a', ...lines].join('\r\n');
    const { messages, state } = parse(`${head}\r\n\r\n`);
    expect((messages[0].flags & Flag.keepAlive) !== 0).toBe(lives);
    expect(state).toBe(lives ? 'idle' : 'closed');
  });
});

describe('requests in a row', () => {
  it('are told apart to the byte', () => {
    const input = [
      get(),
      `${post('Content-Length: 3')}abc`,
      chunked('1\r\nx\r\n0\r\n\r\n'),
      chunked('0\r\nA: b\r\n\r\n'),
      `\r\n${get()}`,
    ].join('');
    const { messages, state } = parse(input);
    expect(messages.map(({ body }) => body)).toEqual(['', 'abc', 'x', '', '']);
    expect(messages.every(({ complete }) => complete)).toBe(true);
    expect(state).toBe('idle');
  });

  it('end with the one that closes; what follows is not read', () => {
    const { messages, state, unread } = parse(`${get('Connection: close')}${get()}`);
    expect(messages).toHaveLength(1);
    expect({ state, unread }).toEqual({ state: 'closed', unread: get().length });
  });

  it('before an error count', () => {
    const { messages, error } = parse(`${get()}${get()}GET / HTTP/1.1\r\n\r\n`);
    expect(messages).toHaveLength(2);
    expect(error?.status).toBe(400);
  });

  it.each([
    ['', 'idle'],
    ['\r\n', 'idle'],
    ['G', 'head'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\r', 'head'],
    [`${post('Content-Length: 2')}a`, 'body'],
    [chunked('1\r\na\r\n'), 'body'],
    [chunked('0\r\nA'), 'trailers'],
    [get(), 'idle'],
  ])('that stop at %j leave the state %s', (input, state) => {
    expect(parse(input).state).toBe(state);
  });
});

describe('an upgrade', () => {
  const upgrade = get('Connection: keep-alive, Upgrade', 'Upgrade: websocket');

  it('hands the rest of the connection over', () => {
    const outcome = parse(`${upgrade}\x81\x00`);
    expect(outcome).toMatchObject({ state: 'upgraded', unread: 2 });
    expect(outcome.messages[0].flags & Flag.upgrade).not.toBe(0);
  });

  it('comes after the body', () => {
    const input = `${post('Connection: upgrade', 'Upgrade: x', 'Content-Length: 2')}abcd`;
    const outcome = parse(input);
    expect(outcome).toMatchObject({ state: 'upgraded', unread: 2 });
    expect(outcome.messages[0].body).toBe('ab');
  });

  it('may be declined', () => {
    expect(parse(`${upgrade}${get()}`, '--decline-upgrade').messages).toHaveLength(2);
  });

  it.each([
    [get('Upgrade: websocket')],
    [get('Connection: upgrade')],
    [get('Connection: upgrade', 'Upgrade:')],
    ['GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ])('is not asked for by %j', (input) => {
    expect(parse(input).messages[0].flags & Flag.upgrade).toBe(0);
  });

  it('is what CONNECT is, also when upgrades are declined', () => {
    const outcome = parse('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nxyz', '--decline-upgrade');
    expect(outcome).toMatchObject({ state: 'upgraded', unread: 3 });
  });
});

describe('limits', () => {
  it.each([
    [get('A: b', 'C: d'), 'headers:2', 'HEADERS_TOO_MANY', 431],
    [get(`A: ${'b'.repeat(100)}`), 'head:100', 'HEAD_TOO_LARGE', 431],
    [line(`GET /${'a'.repeat(20)} HTTP/1.1`), 'target:20', 'TARGET_TOO_LONG', 414],
    [`GET /${'a'.repeat(20)}`, 'target:20', 'TARGET_TOO_LONG', 414],
    [`${post('Content-Length: 11')}`, 'body:10', 'BODY_TOO_LARGE', 413],
    [chunked('6\r\nabcdef\r\n5\r\nabcde\r\n'), 'body:10', 'BODY_TOO_LARGE', 413],
    [chunked('0\r\nA: b\r\nC: d\r\n\r\n'), 'trailers:1', 'TRAILERS_TOO_MANY', 431],
    [chunked(`0\r\nA: ${'b'.repeat(50)}\r\n\r\n`), 'trailer:40', 'TRAILERS_TOO_LARGE', 431],
    [chunked('1;abcdefgh\r\nx\r\n'), 'extension:8', 'CHUNK_EXTENSIONS_TOO_LARGE', 413],
  ])('%j with %s: %s, %i', (input, limit, code, status) => {
    expect(parse(input, `--limit=${limit}`).error).toMatchObject({
      code: `ERR_RINGPOLL_HTTP_${code}`,
      status,
    });
    const generous = `${limit.split(':')[0]}:16000`;
    expect(parse(input, `--limit=${generous}`).error).toBeUndefined();
  });
});

describe('lenient', () => {
  // One bit each: what it lets through, and that the bit alone does.
  const cases: [keyof typeof Lenient, string[]][] = [
    [
      'bareLineFeed',
      [
        '\nGET / HTTP/1.1\nHost: a\n\n',
        `${post('Transfer-Encoding: chunked')}1;a\nx\n0\nA: b\n\n`,
        `${post('Transfer-Encoding: chunked')}0\n\n`,
      ],
    ],
    [
      'host',
      [
        'GET / HTTP/1.1\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
        line('GET http://b/ HTTP/1.1'),
      ],
    ],
    ['target', [line('GET /a#\xc3\xa9 HTTP/1.1'), line('GET http://u:p@a/ HTTP/1.1')]],
    ['value', [get('A: \x01\x7f')]],
    ['lengthAndChunked', [`${post('Content-Length: 9', 'Transfer-Encoding: chunked')}0\r\n\r\n`]],
    ['transferCodings', [`${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`]],
    ['chunkSpace', [chunked('1 \t\r\nx\r\n0 \r\n\r\n')]],
  ];

  it.each(cases)('%s', (name, inputs) => {
    const bit = Lenient[name];
    for (const { error, messages } of parseAll(inputs, `--lenient=${bit}`)) {
      expect(error).toBeUndefined();
      expect(messages.map(({ complete }) => complete)).toEqual([true]);
    }
    for (const { error } of parseAll(inputs, `--lenient=${Lenient.all & ~bit}`)) {
      expect(error).toBeDefined();
    }
  });

  it('closes after a request with both lengths', () => {
    const input = `${post('Content-Length: 9', 'Transfer-Encoding: chunked')}0\r\n\r\n`;
    expect(parse(`${input}${get()}`, `--lenient=${Lenient.lengthAndChunked}`)).toMatchObject({
      state: 'closed',
      unread: get().length,
    });
  });

  it.each([
    get('A: b\0'),
    get('A: b\rc'),
    get('A : b'),
    get('A: b', ' c'),
    get('Host: b'),
    post('Content-Length: 1', 'Content-Length: 1'),
    post('Transfer-Encoding: chunked, gzip'),
    line('GET / HTTP/2.0'),
    'GET /\r\n\r\n',
  ])('never takes %j', (input) => {
    expect(parse(input, `--lenient=${Lenient.all}`).error).toBeDefined();
  });
});

describe('docs/http-parser.md', () => {
  const text = readFileSync(new URL('../../docs/http-parser.md', import.meta.url), 'utf8');

  it('lists every error with its status', () => {
    const table = text.slice(text.indexOf('\n## Errors'), text.indexOf('\n## Before HTTP'));
    const rows = [...table.matchAll(/^\| `([A-Z0-9_]+)` \| (\d{3})/gm)];
    const listed = rows.map(([, code, status]) => [`ERR_RINGPOLL_HTTP_${code}`, Number(status)]);
    expect(listed).toEqual(readTables().errors.map(({ code, status }) => [code, status]));
  });

  it('numbers the words of the record as they are', () => {
    const { words } = readTables();
    const { headers, fieldWords, contentLengthHigh, knownLow, headerCount, hostIndex } = words;
    expect({ headers, fieldWords, contentLengthHigh, knownLow, headerCount, hostIndex }).toEqual({
      ...{ headers: 16, fieldWords: 4, contentLengthHigh: 9 },
      ...{ knownLow: 10, headerCount: 12, hostIndex: 13 },
    });
  });
});
