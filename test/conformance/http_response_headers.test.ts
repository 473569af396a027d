// header() replaces, appendHeader() adds: what stands on the wire then, and where.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { exchange, requestText, serveHttp } from '../support/http.js';
import { deprecationsOf } from '../support/warnings.js';

const OURS = ['date', 'server', 'content-length', 'connection', 'keep-alive'];

/** The header lines that a handler has set, as they were sent. */
async function linesOf(write: (response: HttpResponse) => unknown): Promise<string[]> {
  const server = serveHttp({ handler: (_, response) => write(response) });
  const text = await exchange(server, requestText('GET', '/'));
  const [, ...lines] = text.split('\r\n\r\n')[0]!.split('\r\n');
  return lines.filter((line) => !OURS.includes(line.split(':')[0]!.toLowerCase()));
}

describe('header()', () => {
  it('takes the place of a header of the same name, in whatever case', async () => {
    const lines = await linesOf((r) =>
      r.header('X-A', 1).header('X-B', 2).header('x-a', 'longer').header('X-C', 3).end(),
    );
    expect(lines).toEqual(['x-a: longer', 'X-B: 2', 'X-C: 3']);
  });

  it('leaves one of several that were added', async () => {
    const lines = await linesOf((r) => {
      r.appendHeader('Vary', 'a').header('X-B', '1').appendHeader('vary', 'b');
      r.appendHeader('Vary', 'c').header('VARY', '*').end();
    });
    expect(lines).toEqual(['VARY: *', 'X-B: 1']);
  });

  it('leaves names alone that begin or end alike, and values that look like names', async () => {
    const lines = await linesOf((r) => {
      for (let i = 0; i < 64; i++) r.header(`X-${i}`, `X-${i + 1}: a`);
      for (let i = 0; i < 64; i += 2) r.header(`x-${i}`, i);
      r.end();
    });
    const wanted = (i: number) => (i % 2 === 0 ? `x-${i}: ${i}` : `X-${i}: X-${i + 1}: a`);
    expect(lines).toEqual(Array.from({ length: 64 }, (_, i) => wanted(i)));
  });

  it('of Date, Server and Content-Type sends the last one', async () => {
    const server = serveHttp({
      handler(_, r) {
        r.header('Date', 'a').header('Server', 'a').header('Content-Type', 'a/a');
        r.header('date', 'b').header('server', 'b').header('content-type', 'b/b').end();
      },
    });
    const text = await exchange(server, requestText('GET', '/'));
    for (const name of ['date', 'server', 'content-type']) {
      expect(text.match(new RegExp(`^${name}: .*$`, 'gim'))).toHaveLength(1);
    }
    expect(text).toMatch(/^date: b\r\nserver: b\r$/m);
  });

  it('may replace for ever within the limit of 32 KB', async () => {
    const lines = await linesOf((r) => {
      for (let i = 0; i < 100; i++) r.header('X-A', `${i}`.padEnd(20_000));
      r.header('X-A', 'short').end();
    });
    expect(lines).toEqual(['X-A: short']);
  });

  it('counts what it leaves against the limit', async () => {
    let thrown: unknown;
    const lines = await linesOf((r) => {
      r.header('X-A', 'a'.repeat(20_000)).header('X-B', 'b');
      try {
        r.header('X-B', 'b'.repeat(20_000));
      } catch (error) {
        thrown = error;
      }
      r.header('X-A', 'a').end();
    });
    expect(thrown).toMatchObject({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' });
    expect(lines).toEqual(['X-A: a', 'X-B: b']);
  });

  it('begins anew when an error is answered instead', async () => {
    const server = serveHttp({
      error() {},
      handler(_, r) {
        r.header('X-A', '1');
        throw new Error('mine');
      },
    });
    const text = await exchange(server, requestText('GET', '/'));
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(text).not.toMatch(/^X-A/m);
  });

  it('replaces a cookie, and warns once of that', async () => {
    const write = (r: HttpResponse) =>
      r.header('Set-Cookie', 'a=1').header('set-cookie', 'b=2').end();
    const seen: string[] = [];
    const work = async () => void seen.push(...(await linesOf(write)));
    expect(await deprecationsOf(work)).toEqual(['RINGPOLL_DEP_SET_COOKIE']);
    expect(await deprecationsOf(work)).toEqual([]);
    expect(seen).toEqual(['set-cookie: b=2', 'set-cookie: b=2']);
  });
});

describe('appendHeader()', () => {
  it('adds behind those of the same name, and warns of nothing', async () => {
    const write = (r: HttpResponse) => {
      r.header('Set-Cookie', 'a=1').header('X-B', '1').appendHeader('Set-Cookie', 'b=2');
      r.appendHeader('set-cookie', 'c=3').end();
    };
    const work = async () =>
      expect(await linesOf(write)).toEqual([
        ...['Set-Cookie: a=1', 'X-B: 1', 'Set-Cookie: b=2', 'set-cookie: c=3'],
      ]);
    expect(await deprecationsOf(work)).toEqual([]);
  });

  it('knows one Content-Type and one Content-Length', async () => {
    const server = serveHttp({
      handler(_, r) {
        r.appendHeader('Content-Type', 'a/a').appendHeader('Content-Type', 'b/b');
        r.appendHeader('Content-Length', 7).appendHeader('Content-Length', 2).end('ok');
      },
    });
    const text = await exchange(server, requestText('GET', '/'));
    expect(text.match(/^Content-Type: .*$/gim)).toEqual(['Content-Type: b/b']);
    expect(text.match(/^Content-Length: .*$/gim)).toEqual(['Content-Length: 2']);
  });

  it.each([
    ['a line break in a value', 'X-A', 'a\r\nb: c'],
    ['a space in a name', 'X A', 'a'],
    ['Transfer-Encoding', 'Transfer-Encoding', 'gzip'],
    ['an object', 'X-A', {} as never],
  ])('throws for %s', async (_, name, value) => {
    const lines = await linesOf((r) => {
      expect(() => r.appendHeader(name, value)).toThrow(TypeError);
      r.end();
    });
    expect(lines).toEqual([]);
  });
});

describe('sendFile()', () => {
  it("replaces an ETag that was set before by the file's", async () => {
    const path = join(temporaryFolder(), 'file.txt');
    writeFileSync(path, 'content');
    const lines = await linesOf((r) => r.header('ETag', '"mine"').sendFile(path));
    expect(lines.filter((line) => /^etag/i.test(line))).toEqual([
      expect.stringMatching(/^ETag: "\w+-7"$/),
    ]);
    const own = await linesOf((r) => r.header('ETag', '"mine"').sendFile(path, { etag: false }));
    expect(own).toContain('ETag: "mine"');
  });
});
