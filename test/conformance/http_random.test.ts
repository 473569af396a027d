// What nobody would send on purpose, and what others would answer.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Answer,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { connectPeer } from '../support/peer.js';
import { Random } from '../support/random.js';

const ROUNDS = 60;

const fragments = [
  ...['GET / HTTP/1.1\r\n', 'POST /x HTTP/1.1\r\n', 'HEAD * HTTP/1.0\r\n', 'Host: a\r\n', '\r\n'],
  ...['Content-Length: 5\r\n', 'Content-Length: 99999\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...['5\r\nhello\r\n', '0\r\n\r\n', 'ffffffffffffffff\r\n', 'Expect: 100-continue\r\n'],
  ...['Connection: close\r\n', 'Connection: Upgrade\r\nUpgrade: x\r\n', 'hello', '\0', '\n', ' '],
  ...['PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01'],
];

function junk(random: Random): Buffer {
  const parts: Buffer[] = [];
  const count = 1 + random.below(20);
  for (let i = 0; i < count; i += 1) {
    if (random.chance(0.8)) {
      parts.push(Buffer.from(fragments[random.below(fragments.length)]!, 'latin1'));
    } else {
      const bytes = Buffer.alloc(random.below(200));
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.below(256);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

// The seed whose server takes a PROXY header; over TLS that comes before the ClientHello, which
// these clients send by themselves.
const PROXIED = process.env.RINGPOLL_TEST_TLS === undefined ? 3 : undefined;

describe('random bytes', () => {
  it.each([1, 2, 3])('leave the server alive and its answers whole (seed %d)', async (seed) => {
    const random = new Random(seed);
    const server = serveHttp({
      ...{ upgrade: true, error() {}, proxyProtocol: seed === PROXIED ? ['127.0.0.1'] : [] },
      ...{ readTimeout: 500, headersTimeout: 500, static: { '/x': { body: 'static' } } },
      async handler(request, response) {
        const how = random.below(6);
        if (how === 0) throw new Error('on purpose');
        if (how === 1) await new Promise(setImmediate);
        if (how === 2) response.write('begun');
        if (how === 3) await request.text();
        if (how === 4 && request.header('upgrade') !== undefined) {
          response.upgrade({}, { data: (connection) => connection.close() });
          return;
        }
        response.end(request.path);
      },
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      const peer = await connectPeer({ port: server.port! });
      const bytes = junk(random);
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + random.below(bytes.length);
        peer.send(bytes.subarray(at, at + size));
        at += size;
        if (random.chance(0.3)) await new Promise(setImmediate);
      }
      if (random.chance(0.3)) {
        peer.reset();
        continue;
      }
      peer.end();
      await peer.untilOver();
      const starts = ['', 'HTTP/1.1 ', '\0', '\x15']; // nothing, HTTP, HTTP/2, TLS
      expect(starts).toContain(peer.text.slice(0, peer.text.startsWith('HTTP') ? 9 : 1));
    }
    const client = await HttpClient.connect(server);
    const header = seed === PROXIED ? 'PROXY UNKNOWN\r\n' : '';
    client.send(`${header}${requestText('GET', '/x')}`);
    expect((await client.next()).body).toBe('static');
  });
});

describe('the same requests, the same answers as node:http', () => {
  const handlers: Record<string, { ours: RequestListenerLike; nodes: RequestListener }> = {
    text: {
      ours: (_, res) => res.header('Content-Type', 'text/plain').end('grün'),
      nodes: (_, res) => res.setHeader('Content-Type', 'text/plain').end('grün'),
    },
    stream: {
      ours: (_, res) => {
        res.status(202).header('X-A', '1').write('one');
        res.end('two');
      },
      nodes: (_, res) => {
        res.writeHead(202, { 'X-A': '1' }).write('one');
        res.end('two');
      },
    },
    empty: {
      ours: (_, res) => res.status(204).end(),
      nodes: (_, res) => res.writeHead(204).end(),
    },
    unmodified: {
      ours: (_, res) => res.status(304).header('ETag', '"x"').end(),
      nodes: (_, res) => res.writeHead(304, { ETag: '"x"' }).end(),
    },
    declared: {
      ours: (_, res) => {
        res.header('Content-Length', 6).write('abc');
        res.end('def');
      },
      nodes: (_, res) => {
        res.setHeader('Content-Length', 6);
        res.write('abc');
        res.end('def');
      },
    },
    closing: {
      ours: (_, res) => res.header('Connection', 'close').end('x'),
      nodes: (_, res) => res.setHeader('Connection', 'close').end('x'),
    },
    trailers: {
      ours: (_, res) => {
        res.header('Trailer', 'X-T').write('a');
        res.trailer('X-T', '1').end();
      },
      nodes: (_, res) => {
        res.setHeader('Trailer', 'X-T');
        res.write('a');
        res.addTrailers({ 'X-T': '1' });
        res.end();
      },
    },
  };
  const requests: [string, string[]][] = [
    [requestText('GET', '/').repeat(2), ['GET', 'GET']],
    [requestText('HEAD', '/') + requestText('GET', '/'), ['HEAD', 'GET']],
    [requestText('GET', '/', { Connection: 'close' }), ['GET']],
    ['GET / HTTP/1.0\r\n\r\n', ['GET']],
    ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', ['GET']],
    ['HEAD / HTTP/1.0\r\n\r\n', ['HEAD']],
  ];

  /** What must not differ: the rest is a matter of taste. */
  function essence(answer: Answer, method: string, old: boolean) {
    const { status, body, trailers, headers } = answer;
    const kept = ['content-type', 'x-a', 'etag', 'trailer'];
    // How a body would be framed is not said to HEAD by node:http, nor its length to HTTP/1.0.
    if (method !== 'HEAD' && !old) kept.push('content-length', 'transfer-encoding');
    return { status, body, trailers, ...Object.fromEntries(kept.map((n) => [n, headers[n]])) };
  }

  const cases = Object.keys(handlers)
    .flatMap((name) => requests.map((_, index) => [name, index] as const))
    .filter(([name, index]) => name !== 'trailers' || !/HEAD|1\.0/.test(requests[index]![0]));
  it.each(cases)('%s, request %d', async (name, index) => {
    const { ours, nodes } = handlers[name]!;
    const [text, methods] = requests[index]!;
    const server = serveHttp({ handler: ours as never });
    const node = createServer(nodes);
    await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void node.close());
    node.on('connection', (socket) => onTestFinished(() => void socket.destroy()));
    const closing = text.endsWith('\r\n\r\n') && (text.includes('close') || text.includes('1.0'));
    const asked = closing ? text : `${text}${requestText('GET', '/', { Connection: 'close' })}`;
    const expected = closing ? methods : [...methods, 'GET'];
    const theirs = await connectPeer({ port: (node.address() as AddressInfo).port });
    theirs.send(asked);
    if (asked.includes('keep-alive')) theirs.end();
    const theirAnswers = parseAnswers(await theirs.untilEnd(), expected);
    const ourAnswers = parseAnswers(await exchange(server, asked), expected);
    const old = text.includes('HTTP/1.0');
    const all = (answers: Answer[]) =>
      answers.map((answer, at) => essence(answer, expected[at] ?? 'GET', old));
    expect(all(ourAnswers)).toEqual(all(theirAnswers));
  });
});

type RequestListenerLike = (
  request: unknown,
  response: import('ringpoll/http').HttpResponse,
) => unknown;
