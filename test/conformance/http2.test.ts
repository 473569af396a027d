// HTTP/2 beside HTTP/1.1, asked by node:http2 and curl.
import { execFile, spawnSync } from 'node:child_process';
import { constants } from 'node:http2';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/http.js';
import { answerOf, ask2, closed, dialHttp2, serveHttp2 } from '../support/http2.js';
import { ask, dialHttps, echo, hello, serveHttps } from '../support/https.js';
import { pattern } from '../support/serve.js';
import { fileWith } from '../support/temporary.js';
import { pair } from '../support/tls/certificate.js';

const MEGABYTE = 1024 * 1024;

describe('a server with http2', () => {
  it('chooses h2 where a client offers it, and serves HTTP/1.1 on the same port', async () => {
    const server = serveHttp2({ handler: hello });
    const session = await dialHttp2(server);
    expect(session.alpnProtocol).toBe('h2');
    expect(String((await ask2(session, '/')).body)).toBe('hello');
    expect(String((await ask(server, '/')).body)).toBe('hello');
    const without = await dialHttps(serveHttps({ handler: hello }), {
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    expect(without.socket.alpnProtocol).toBe('http/1.1');
  });

  it('is asked for together with tls alone', () => {
    expect(() => serveHttps({ handler: hello, http2: true, tls: undefined })).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
    expect(() => serveHttp2({ handler: hello, http2: { maxStreams: 0 } })).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' }),
    );
  });

  it('answers the fetch face, with the whole of the request', async () => {
    const server = serveHttp2({
      fetch: async (request, http) =>
        Response.json([
          ...[request.method, request.url, await request.text()],
          ...[http.httpVersion, http.remoteAddress, http.secure, http.tls?.alpn],
          ...[request.headers.get('cookie'), request.headers.get('X-Own')],
        ]),
    });
    const session = await dialHttp2(server);
    const headers = { ':method': 'PUT', cookie: ['a=1', 'b=2'], 'x-own': 'é' };
    const { status, body } = await ask2(session, '/a/b?c=%20', headers, 'the body');
    expect(status).toBe(200);
    const url = `https://localhost:${server.port}/a/b?c=%20`;
    const facts = ['2.0', '127.0.0.1', true, 'h2', 'a=1; b=2', 'é'];
    expect(JSON.parse(String(body))).toEqual(['PUT', url, 'the body', ...facts]);
  });

  it('sends the headers that a handler has set, and none of HTTP/1.1 alone', async () => {
    const server = serveHttp2({
      handler(_request, response) {
        response.appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', 'b=2');
        response.header('Connection', 'close').header('Keep-Alive', 'timeout=5');
        response.status(201).header('X-Own', 'é').header('Content-Type', 'text/x').end('made');
      },
    });
    const session = await dialHttp2(server);
    const { status, headers } = await ask2(session, '/');
    expect(status).toBe(201);
    const { 'set-cookie': cookies, server: name, date, ...others } = headers;
    expect([cookies, name]).toEqual([['a=1', 'b=2'], 'ringpoll']);
    expect(Date.parse(date as string)).toBeGreaterThan(0);
    expect(others).toMatchObject({ 'x-own': 'é', 'content-type': 'text/x' });
    expect(others['content-length']).toBe('4');
    expect(Object.keys(others)).not.toContain('keep-alive');
    expect((await ask2(session, '/')).status).toBe(201);
  });

  it('sends bodies in pieces, with trailers behind and an early answer before', async () => {
    const server = serveHttp2({
      async handler(_request, response) {
        response.informational(103, { Link: '</a>; rel=preload' });
        response.write('one ');
        await new Promise(setImmediate);
        response.write(Buffer.from('two'));
        response.trailer('X-Sum', '7');
        response.end();
      },
    });
    const session = await dialHttp2(server);
    const got = await ask2(session, '/');
    expect([got.informational, String(got.body)]).toEqual([[103], 'one two']);
    expect(got.trailers).toMatchObject({ 'x-sum': '7' });
    expect(got.headers['transfer-encoding']).toBeUndefined();
  });

  it('has no body where HTTP has none', async () => {
    const server = serveHttp2({
      handler({ path }, response) {
        if (path === '/204') response.status(204).end();
        else response.end('hello');
      },
    });
    const session = await dialHttp2(server);
    const head = await ask2(session, '/', { ':method': 'HEAD' });
    expect([head.headers['content-length'], head.body.length]).toEqual(['5', 0]);
    const { status, headers } = await ask2(session, '/204');
    expect([status, headers['content-length']]).toEqual([204, undefined]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('takes and gives megabytes by %s', async (version) => {
    const server = serveHttp2({ handler: echo });
    const session = await dialHttp2(server, { minVersion: version, maxVersion: version });
    const body = pattern(3 * MEGABYTE);
    const { body: back } = await ask2(session, '/', { ':method': 'POST' }, body);
    expect(back.equals(body)).toBe(true);
  });

  it('answers a hundred requests of one connection at once, each with its own', async () => {
    const server = serveHttp2({ fetch: async (request) => new Response(await request.text()) });
    const session = await dialHttp2(server);
    const bodies = Array.from({ length: 100 }, (_, i) => pattern(99 * i + 1).toString('hex'));
    const answers = await Promise.all(
      bodies.map((body) => ask2(session, '/', { ':method': 'POST' }, body)),
    );
    expect(answers.map(({ body }) => String(body))).toEqual(bodies);
  });

  it('sends files, and parts of them', async () => {
    const content = pattern(MEGABYTE + 17);
    const file = fileWith(content);
    const server = serveHttp2({ handler: (_request, response) => response.sendFile(file) });
    const session = await dialHttp2(server);
    const whole = await ask2(session, '/');
    expect(whole.headers['content-length']).toBe(String(content.length));
    expect(whole.body.equals(content)).toBe(true);
    const part = await ask2(session, '/', { range: 'bytes=100000-200000' });
    expect(part.status).toBe(206);
    expect(part.body.equals(content.subarray(100_000, 200_001))).toBe(true);
    const again = await ask2(session, '/', { 'if-none-match': whole.headers.etag });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('has routes, parameters and static answers', async () => {
    const server = serveHttp2({
      static: { '/fixed': { body: 'fixed' } },
      routes: {
        '/users/:id': ({ params: { id } }, response) => void response.end(id),
        '/only': { POST: hello },
      },
    });
    const session = await dialHttp2(server);
    const paths = ['/fixed', '/users/4%202', '/only', '/none'];
    const answers = await Promise.all(paths.map((path) => ask2(session, path)));
    expect(answers.map(({ status, body }) => [status, String(body)])).toEqual([
      [200, 'fixed'],
      [200, '4 2'],
      [405, 'Method Not Allowed\n'],
      [404, 'Not Found\n'],
    ]);
  });

  it('sends 100 Continue when the handler wants the body', async () => {
    const server = serveHttp2({ handler: echo });
    const session = await dialHttp2(server);
    const stream = session.request({ ':method': 'POST', expect: '100-continue' });
    const answer = answerOf(stream);
    stream.once('continue', () => stream.end('now'));
    expect(String((await answer).body)).toBe('now');
  });

  it('writes a long answer no faster than it is read', async () => {
    const piece = pattern(64 * 1024);
    let written = 0;
    const server = serveHttp2({
      async handler({ path }, response) {
        if (path === '/quick') return response.end('quick');
        for (let i = 0; i < 80; i++) {
          written += piece.length;
          if (!response.write(piece)) await response.drained();
        }
        response.end();
      },
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/' });
    const answer = answerOf(stream);
    stream.pause();
    // Other requests of the connection are answered meanwhile.
    for (let i = 0; i < 10; i++) await ask2(session, '/quick');
    expect(written).toBeLessThan(40 * piece.length);
    stream.resume();
    const { body } = await answer;
    expect(body.length).toBe(80 * piece.length);
  });
});

describe('HTTP/2: what goes wrong', () => {
  it('is answered with 500, and told to the error listener', async () => {
    const errors: Error[] = [];
    const server = serveHttp2({
      fetch: () => Promise.reject(new Error('own')),
      error: (error) => errors.push(error),
    });
    const session = await dialHttp2(server);
    const { status, body } = await ask2(session, '/');
    expect([status, String(body)]).toEqual([500, 'Internal Server Error\n']);
    expect(errors.map(({ message }) => message)).toEqual(['own']);
  });

  it('resets the stream when the head is out, and the others go on', async () => {
    const server = serveHttp2({
      error() {},
      handler({ path }, response) {
        if (path === '/') return response.end('fine');
        response.write('begun');
        throw new Error('own');
      },
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/broken' });
    await expect(answerOf(stream)).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect(String((await ask2(session, '/')).body)).toBe('fine');
  });

  it('aborts the signal of a request whose peer has reset it', async () => {
    const begun = deferred();
    const aborted = deferred<Error>();
    const server = serveHttp2({
      error() {},
      async handler({ signal }, response) {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        begun.resolve();
        await aborted.promise;
        response.end('nobody gets this');
      },
    });
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/' });
    await begun.promise;
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await aborted.promise).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
  });

  it('refuses upgrades, and the connection itself', async () => {
    const codes: unknown[] = [];
    const server = serveHttp2({
      upgrade: true,
      async handler(_request, response) {
        const note = (error: { code?: string }) => codes.push(error.code);
        await response.sendWith(1, async () => {}).catch(note);
        try {
          response.upgrade({}, {});
        } catch (error) {
          note(error as { code?: string });
        }
        response.end();
      },
    });
    const session = await dialHttp2(server);
    expect((await ask2(session, '/')).status).toBe(200);
    expect(codes).toEqual(['ERR_RINGPOLL_HTTP_SHARED_CONNECTION', 'ERR_RINGPOLL_HTTP_UPGRADE']);
  });

  it('tells a peer to stop sending what nobody reads, behind the answer', async () => {
    const server = serveHttp2({ handler: hello });
    const session = await dialHttp2(server);
    const stream = session.request({ ':method': 'POST' });
    stream.write(pattern(100_000));
    const { body } = await answerOf(stream);
    expect(String(body)).toBe('hello');
    await closedStream(stream);
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect((await ask2(session, '/')).status).toBe(200);
  });
});

function closedStream(stream: { closed: boolean; once(event: 'close', f: () => void): unknown }) {
  return new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}

describe('HTTP/2: the end', () => {
  it('stop() answers what has come, and ends the connection', async () => {
    const go = deferred();
    const begun = deferred();
    const server = serveHttp2({
      async handler(_request, response) {
        begun.resolve();
        await go.promise;
        response.end('the last');
      },
    });
    const session = await dialHttp2(server);
    const idle = await dialHttp2(server);
    const answer = ask2(session, '/');
    await begun.promise;
    const stopped = server.stop();
    await closed(idle);
    go.resolve();
    expect(String((await answer).body)).toBe('the last');
    await stopped;
    await closed(session);
    expect(server.connections).toBe(0);
  });

  it('destroy() ends connections and streams at once', async () => {
    const aborted = deferred();
    const begun = deferred();
    const server = serveHttp2({
      handler: ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve());
        begun.resolve();
      },
    });
    const session = await dialHttp2(server);
    const answer = ask2(session, '/');
    await begun.promise;
    server.destroy();
    await expect(answer).rejects.toThrow();
    await aborted.promise;
    await closed(session);
  });
});

const hasCurl = /HTTP2/.test(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout ?? '');

describe('HTTP/2, asked by programs of others', () => {
  it('curl --http2', async (context) => {
    context.skip(!hasCurl, 'there is no curl with HTTP/2');
    const server = serveHttp2({ handler: echo });
    const args = ['-sS', '--http2', '--cacert', fileWith(pair.cert), '--max-time', '10'];
    const body = ['--data-binary', `@${fileWith(pattern(200_000).toString('hex'))}`];
    const url = `https://localhost:${server.port}/`;
    const what = ['-w', '%{http_version} %{size_upload} %{size_download}', '-o', '/dev/null'];
    const { stdout } = await promisify(execFile)('curl', [...args, ...body, ...what, url]);
    expect(stdout).toBe('2 400000 400000');
  });
});
