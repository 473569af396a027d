// fetch() of the client: the Fetch standard, as far as programs use it.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { fetch } from 'ringpoll/client';
import { describe, expect, it } from 'vitest';
import { client, failure, serveNode } from '../support/client.js';

describe('fetch()', () => {
  it('gives a Response of the platform', async () => {
    const { url } = await serveNode((request, response) => {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.end(`${request.headers['x-y']} ${request.headers.accept}`);
    });
    const response = await fetch(`${url}/p#hash`, { headers: { 'X-Y': 'z' }, client: client() });
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok, response.type]).toEqual([200, true, 'basic']);
    expect([response.url, response.redirected]).toEqual([`${url}/p`, false]);
    expect(response.headers).toBeInstanceOf(Headers);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const copy = response.clone();
    expect([await response.text(), await copy.text()]).toEqual(['z */*', 'z */*']);
    expect(response.bodyUsed).toBe(true);
    expect(await failure(response.text())).toBeInstanceOf(TypeError);
  });

  it('sends every body of the standard', async () => {
    const { url } = await serveNode((request, response) => {
      response.setHeader('x-type', request.headers['content-type'] ?? 'none');
      request.pipe(response);
    });
    const form = new FormData();
    form.set('a', 'b');
    const stream = new Blob(['stream']).stream() as ReadableStream<Uint8Array>;
    const cases = [
      ['text', 'text/plain;charset=UTF-8', /^text$/],
      [new Uint8Array([98, 121]), 'none', /^by$/],
      [new URLSearchParams({ a: 'b c' }), /^application\/x-www-form-urlencoded/, /^a=b\+c$/],
      [new Blob(['blob'], { type: 'a/b' }), 'a/b', /^blob$/],
      [form, /^multipart\/form-data; boundary=/, /name="a"\r\n\r\nb\r\n/],
      [stream, 'none', /^stream$/],
    ] as const;
    for (const [body, type, text] of cases) {
      const response = await fetch(url, { method: 'POST', body, duplex: 'half' });
      expect(response.headers.get('x-type')).toMatch(type);
      expect(await response.text()).toMatch(text);
    }
  });

  it('takes a Request', async () => {
    const { url } = await serveNode((request, response) => {
      response.setHeader('x-method', request.method as string);
      request.pipe(response);
    });
    const request = new Request(url, { method: 'PUT', body: 'b', headers: { a: 'b' } });
    const response = await fetch(request);
    expect([response.headers.get('x-method'), await response.text()]).toEqual(['PUT', 'b']);
  });

  it('undoes codings, also several', async () => {
    const text = 'coded '.repeat(1000);
    const codings: Record<string, Buffer> = {
      gzip: gzipSync(text),
      deflate: deflateSync(text),
      br: brotliCompressSync(text),
      'gzip, br': brotliCompressSync(gzipSync(text)),
    };
    const { url } = await serveNode((request, response) => {
      const coding = decodeURIComponent(request.url?.slice(1) as string);
      response.setHeader('content-encoding', coding);
      response.end(codings[coding] ?? 'as it is');
    });
    for (const coding of Object.keys(codings)) {
      const response = await fetch(`${url}/${encodeURIComponent(coding)}`);
      expect(await response.text()).toBe(text);
      const streamed = await fetch(`${url}/${encodeURIComponent(coding)}`);
      expect(await new Response(streamed.body).text()).toBe(text);
    }
    expect(await (await fetch(`${url}/other`)).text()).toBe('as it is');
  });

  it('ends a body that is coded for more than 128 MB', async () => {
    const megabyte = gzipSync(Buffer.alloc(1024 * 1024));
    const bomb = Buffer.concat(Array.from({ length: 140 }, () => megabyte));
    const { url } = await serveNode((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(bomb);
    });
    const response = await fetch(url);
    expect((await failure(response.bytes())).code).toBe('ERR_RINGPOLL_RESPONSE_LIMIT');
  });

  it('fails with a body whose coding is broken', async () => {
    const { url } = await serveNode((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end('no gzip');
    });
    const response = await fetch(url);
    expect((await failure(response.text())).code).toBe('Z_DATA_ERROR');
  });

  it('follows redirections as the standard says', async () => {
    const seen: string[] = [];
    const other = await serveNode((request, response) => {
      seen.push(`other ${request.headers.authorization} ${request.headers['x-kept']}`);
      response.end('there');
    });
    const { url } = await serveNode((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        const { pathname } = new URL(request.url as string, 'http://a');
        seen.push(`${request.method} ${pathname} ${body}`);
        const [, status] = /^\/(30\d)/.exec(pathname) ?? [];
        if (pathname === '/out') response.writeHead(302, { location: other.url });
        else if (pathname === '/loop') response.writeHead(302, { location: '/loop' });
        else if (status !== undefined) response.writeHead(Number(status), { location: '/end' });
        response.end('body');
      });
    });
    const post = { method: 'POST', body: 'b' };
    for (const status of [301, 302, 303, 307, 308]) {
      const response = await fetch(`${url}/${status}`, post);
      expect([response.redirected, response.url]).toEqual([true, `${url}/end`]);
    }
    expect(seen.filter((line) => line.includes('/end'))).toEqual([
      ...['GET /end ', 'GET /end ', 'GET /end ', 'POST /end b', 'POST /end b'],
    ]);
    await fetch(`${url}/out`, { headers: { authorization: 'secret', 'x-kept': 'k' } });
    expect(seen.at(-1)).toBe('other undefined k');
    expect((await failure(fetch(`${url}/loop`))).message).toMatch(/20 redirections/);
    expect((await fetch(`${url}/301`, { redirect: 'manual' })).status).toBe(301);
    expect(await failure(fetch(`${url}/301`, { redirect: 'error' }))).toBeInstanceOf(TypeError);
  });

  it('rejects with a TypeError that has a cause, or with the reason of its signal', async () => {
    const error = await failure(fetch('http://127.0.0.1:1/'));
    expect(error).toBeInstanceOf(TypeError);
    expect((error.cause as { code: string }).code).toBe('ECONNREFUSED');
    const { url } = await serveNode(() => {});
    const reason = await failure(fetch(url, { signal: AbortSignal.timeout(30) }));
    expect(reason.name).toBe('TimeoutError');
  });
});
