// HTTP/2: what a peer can cause has a limit.
import { type ClientHttp2Session, constants } from 'node:http2';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { HttpServer, ServeOptions } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred } from '../support/http.js';
import { answerOf, ask2, closed, dialHttp2, serveHttp2 } from '../support/http2.js';
import { within } from '../support/recorder.js';
import { pattern } from '../support/serve.js';
import { pair } from '../support/tls/certificate.js';

const hello: ServeOptions = { handler: (_request, response) => void response.end('hello') };

/** The server goes on as if nothing had been. */
async function isFine(server: HttpServer): Promise<void> {
  const session = await dialHttp2(server);
  expect(String((await ask2(session, '/fine')).body)).toBe('hello');
  session.close();
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const [HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION] = [1, 3, 4, 6, 9];
const END_STREAM = 1;
const END_HEADERS = 4;
/** GET / of https, and an authority: indices of the static table, and a literal. */
const GET = Buffer.concat([Buffer.from([0x82, 0x84, 0x87, 0x41, 1]), Buffer.from('a')]);

/** A peer that writes the frames itself. */
async function dialRaw(server: HttpServer): Promise<TLSSocket & { over: Promise<void> }> {
  const socket = tlsConnect({
    ...{ host: '127.0.0.1', port: server.port as number, servername: 'localhost' },
    ...{ ca: pair.cert, ALPNProtocols: ['h2'] },
  });
  onTestFinished(() => void socket.destroy());
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  const secure = new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
  await within(secure, () => 'the handshake');
  socket.resume();
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
  return Object.assign(socket, { over: within(over, () => 'the end of the connection') });
}

/** Writes until the server has ended the connection, as it has to. */
async function flood(server: HttpServer, frames: (round: number) => Buffer): Promise<void> {
  const socket = await dialRaw(server);
  let ended = false;
  const over = socket.over.then(() => {
    ended = true;
  });
  for (let round = 0; !ended; round++) {
    if (!socket.write(frames(round))) {
      await Promise.race([over, new Promise((resolve) => socket.once('drain', resolve))]);
    }
    await new Promise(setImmediate);
  }
}

describe('limits of HTTP/2', () => {
  it('maxStreams is what a client is told, and one more is refused', async () => {
    const go = deferred();
    const server = serveHttp2({
      http2: { maxStreams: 2 },
      async handler(_request, response) {
        await go.promise;
        response.end('hello');
      },
    });
    const session = await dialHttp2(server);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(2);
    const raw = await dialRaw(server);
    const refused = deferred<Buffer>();
    raw.on('data', (piece: Buffer) => {
      if (piece.includes(frame(RST_STREAM, 0, 5, Buffer.from([0, 0, 0, 7])))) {
        refused.resolve(piece);
      }
    });
    for (const id of [1, 3, 5]) raw.write(frame(HEADERS, END_STREAM | END_HEADERS, id, GET));
    await refused.promise;
    go.resolve();
    await isFine(server);
  });

  it.each<[string, Partial<ServeOptions>, string, Record<string, string>, number]>([
    ['a long target', { maxUrlBytes: 10 }, '/0123456789', {}, 414],
    ['many headers', { maxHeaders: 3 }, '/', { a: '1', b: '2', c: '3', d: '4' }, 431],
    ['a character of no target', {}, '/ü', {}, 400],
    ['a target that is no path', {}, 'http', {}, 400],
    ['an authority that is none', {}, '/', { ':authority': 'a b' }, 400],
    ['a host that differs', {}, '/', { ':authority': 'a', host: 'b' }, 400],
    ['an unknown method', {}, '/', { ':method': 'BREW' }, 501],
    ['CONNECT', {}, '', { ':method': 'CONNECT', ':authority': 'a:1' }, 501],
    ['an unknown expectation', {}, '/', { expect: 'miracles' }, 417],
    [
      'a body that is announced as too long',
      { maxBodyBytes: 9 },
      '/',
      { 'content-length': '10' },
      413,
    ],
  ])('%s gets its status', async (_what, options, path, headers, status) => {
    const server = serveHttp2({ ...hello, ...options } as Partial<ServeOptions>);
    const session = await dialHttp2(server);
    const all: Record<string, string> = { ':path': path, ...headers };
    if (path === '') delete all[':path'];
    const stream = session.request(all, { endStream: !('content-length' in headers) });
    const got = await answerOf(stream).then(
      (answer) => answer.status,
      () => stream.rstCode,
    );
    // nghttp2 itself resets a stream whose target or authority cannot be.
    expect([status, constants.NGHTTP2_PROTOCOL_ERROR]).toContain(got);
  });

  it('a head over maxHeadBytes is refused, and nothing of it is kept', async () => {
    const server = serveHttp2({ ...hello, maxHeadBytes: 2048 } as Partial<ServeOptions>);
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/', long: 'x'.repeat(5000) });
    await expect(answerOf(stream)).rejects.toThrow();
    await isFine(server);
  });

  it('a body over maxBodyBytes gets 413', async () => {
    const server = serveHttp2({
      maxBodyBytes: 100_000,
      handler: async (request, response) => void response.end(await request.text()),
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    const answer = answerOf(stream);
    stream.end(pattern(200_000));
    expect((await answer).status).toBe(413);
  });

  it('bytes that are no HTTP/2 end the connection', async () => {
    const server = serveHttp2({ ...hello, headersTimeout: 100 } as Partial<ServeOptions>);
    const socket = await dialRaw(server);
    socket.write(Buffer.alloc(1000, 0xff));
    await socket.over;
    await isFine(server);
  });
});

describe('times of HTTP/2', () => {
  async function endsBy(
    options: Partial<ServeOptions>,
    asks: boolean,
  ): Promise<ClientHttp2Session> {
    const server = serveHttp2({ ...hello, ...options } as Partial<ServeOptions>);
    const session = await dialHttp2(server);
    if (asks) await ask2(session, '/');
    await closed(session);
    await isFine(server);
    return session;
  }

  it('keepAliveTimeout ends a connection without requests', async () => {
    await endsBy({ keepAliveTimeout: 100 }, true);
  });

  it('headersTimeout ends one that never had any', async () => {
    await endsBy({ headersTimeout: 100 }, false);
  });

  it.each([
    ['requestTimeout', { requestTimeout: 150 }],
    ['readTimeout', { readTimeout: 150 }],
    ['minReceiveRate', { minReceiveRate: 1000, rateWindow: 150 }],
  ])('%s gets 408 for a body that does not come', async (_name, options) => {
    const server = serveHttp2({
      handler: async (request, response) => void response.end(await request.text()),
      ...options,
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.write('x');
    expect((await answerOf(stream)).status).toBe(408);
  });

  it.each([
    ['writeTimeout', { writeTimeout: 150 }],
    ['minSendRate', { minSendRate: 1000, rateWindow: 150 }],
  ])('%s gives an answer up that nobody reads', async (_name, options) => {
    const server = serveHttp2({
      handler: (_request, response) => void response.end(pattern(1_000_000)),
      ...options,
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/' });
    stream.pause();
    stream.on('error', () => {});
    await within(new Promise((resolve) => stream.once('close', resolve)), () => 'the reset');
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it('a body that the handler does not read costs its peer nothing', async () => {
    const server = serveHttp2({
      readTimeout: 600,
      async handler(request, response) {
        const pieces = request.stream()[Symbol.asyncIterator]();
        await pieces.next();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        let bytes = 0;
        for (;;) {
          const { done, value } = await pieces.next();
          if (done === true) break;
          bytes += value.length;
        }
        response.end(String(bytes > 0));
      },
    });
    const session = await dialHttp2(server);
    const { status, body } = await ask2(session, '/', { ':method': 'POST' }, pattern(2_000_000));
    expect([status, String(body)]).toEqual([200, 'true']);
  });
});

describe('floods of HTTP/2', () => {
  it('streams that are reset as soon as they are opened end their connection', async () => {
    const server = serveHttp2({ ...hello, keepAliveTimeout: 100 } as Partial<ServeOptions>);
    const cancel = Buffer.from([0, 0, 0, 8]);
    await flood(server, (round) =>
      Buffer.concat(
        Array.from({ length: 100 }, (_, i) => {
          const id = (round * 100 + i) * 2 + 1;
          return Buffer.concat([
            frame(HEADERS, END_STREAM | END_HEADERS, id, GET),
            frame(RST_STREAM, 0, id, cancel),
          ]);
        }),
      ),
    );
    await isFine(server);
  });

  it('a head that never ends does', async () => {
    const server = serveHttp2(hello);
    const field = Buffer.concat([Buffer.from([0, 1]), Buffer.from('a'), Buffer.from([100])]);
    const piece = Buffer.concat(
      Array.from({ length: 50 }, () => Buffer.concat([field, Buffer.alloc(100, 0x62)])),
    );
    await flood(server, (round) =>
      round === 0
        ? frame(HEADERS, END_STREAM, 1, GET)
        : Buffer.concat(Array.from({ length: 20 }, () => frame(CONTINUATION, 0, 1, piece))),
    );
    await isFine(server);
  });

  it.each([
    ['pings', frame(PING, 0, 0, Buffer.alloc(8))],
    ['settings', frame(SETTINGS, 0, 0, Buffer.alloc(0))],
  ])('%s whose answers nobody reads do', async (_what, one) => {
    const server = serveHttp2(hello);
    const socket = await dialRaw(server);
    socket.pause();
    const many = Buffer.concat(Array.from({ length: 1000 }, () => one));
    let over = false;
    const done = socket.over.then(() => {
      over = true;
    });
    // Whether it ends or waits, it takes no memory for ever more answers.
    for (let round = 0; !over && round < 40; round++) {
      if (!socket.write(many)) break;
      await new Promise(setImmediate);
    }
    await isFine(server);
    socket.destroy();
    await done;
  });
});
