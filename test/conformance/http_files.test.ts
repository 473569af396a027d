// Files as answers: ranges, conditions, folders.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Loop } from 'ringpoll';
import { explain } from 'ringpoll/fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { pattern } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const big = pattern(3_000_000);
const small = 'abcdefghijklmnopqrstuvwxyz';
const modified = new Date('2024-02-03T04:05:06Z');
let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  writeFileSync(join(root, 'small.txt'), small);
  writeFileSync(join(root, 'big.bin'), big);
  writeFileSync(join(root, 'empty.html'), '');
  writeFileSync(join(root, '.hidden'), 'hidden');
  writeFileSync(join(root, 'a b.svg'), '<svg/>');
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'folder', 'x.json'), '{}');
  symlinkSync(join(root, 'small.txt'), join(root, 'link.txt'));
  writeFileSync(join(root, 'forbidden'), 'x');
  chmodSync(join(root, 'forbidden'), 0);
  utimesSync(join(root, 'small.txt'), modified, modified);
});
afterAll(() => rmSync(root, { recursive: true }));

const server = (options = {}) =>
  serveHttp({
    error() {},
    handler: (request, response) => response.sendFile(request.path, { root, ...options }),
  });

async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const [answer] = parseAnswers(await exchange(server(), requestText(method, path, headers)), [
    method,
  ]);
  return answer!;
}

describe('sendFile()', () => {
  it('sends a file with its type, its length and what it takes to ask again', async () => {
    const { status, body, headers } = await get('/small.txt');
    expect([status, body]).toEqual([200, small]);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '26',
      'accept-ranges': 'bytes',
      'last-modified': modified.toUTCString(),
    });
    expect(headers.etag).toMatch(/^"[\w-]+"$/);
  });

  it('sends long files and empty ones, several on one connection', async () => {
    const text = ['/big.bin', '/empty.html', '/small.txt', '/big.bin'].map((path) =>
      requestText('GET', path),
    );
    const answers = parseAnswers(await exchange(server(), text.join('')));
    expect(answers.map(({ body }) => body.length)).toEqual([big.length, 0, 26, big.length]);
    expect(answers[3]!.body === big.toString('latin1')).toBe(true);
  });

  it.each(['uring', 'pool'] as const)('sends the same with engine %s', async (engine) => {
    const sent = () => explain().operations.find(({ operation }) => operation === 'sendFile')!;
    const before = sent();
    const text = ['/big.bin', '/small.txt'].map((path) => requestText('GET', path)).join('');
    const answers = parseAnswers(await exchange(server({ engine }), text));
    expect(answers[0]!.body === big.toString('latin1')).toBe(true);
    expect(answers[1]!.body).toBe(small);
    const { now, ring, refusals } = sent();
    const hasRing = Loop.current().engine !== 'poll';
    const byRing = engine === 'uring' && hasRing ? 2 : 0;
    expect([ring - before.ring, now - before.now]).toEqual([byRing, 2 - byRing]);
    expect(refusals - before.refusals).toBe(engine === 'uring' && !hasRing ? 2 : 0);
  });

  it('answers HEAD', async () => {
    const { status, headers } = await get('/big.bin', {}, 'HEAD');
    expect([status, headers['content-length']]).toEqual([200, String(big.length)]);
  });

  it('sends what the options say', async () => {
    const target = server({
      type: 'x/y',
      cacheControl: 'no-cache',
      etag: false,
      lastModified: false,
    });
    const [answer] = parseAnswers(await exchange(target, requestText('GET', '/small.txt')));
    expect(answer!.headers).toMatchObject({ 'content-type': 'x/y', 'cache-control': 'no-cache' });
    expect(answer!.headers.etag).toBeUndefined();
    expect(answer!.headers['last-modified']).toBeUndefined();
  });

  it.each([
    ['bytes=0-4', 206, 'abcde', 'bytes 0-4/26'],
    ['bytes=24-', 206, 'yz', 'bytes 24-25/26'],
    ['bytes=-3', 206, 'xyz', 'bytes 23-25/26'],
    ['bytes=-99', 206, small, 'bytes 0-25/26'],
    ['bytes=25-99', 206, 'z', 'bytes 25-25/26'],
    ['bytes=26-', 416, '', 'bytes */26'],
    ['bytes=-0', 416, '', 'bytes */26'],
    ['bytes=5-4', 200, small, undefined],
    ['bytes=0-1,3-4', 200, small, undefined],
    ['lines=0-1', 200, small, undefined],
    ['bytes=x', 200, small, undefined],
  ])('answers Range: %s with %d', async (range, status, body, contentRange) => {
    const answer = await get('/small.txt', { Range: range });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  it.each([
    ['bytes=-5', 200, undefined],
    ['bytes=-0', 416, 'bytes */0'],
    ['bytes=0-', 416, 'bytes */0'],
    ['bytes=0-0', 416, 'bytes */0'],
  ])('answers Range: %s of an empty file with %d', async (range, status, contentRange) => {
    const { headers, ...answer } = await get('/empty.html', { Range: range });
    expect([answer.status, answer.body, headers['content-length']]).toEqual([status, '', '0']);
    expect(headers['content-range']).toBe(contentRange);
  });

  it('never says that a file was modified later than now', async () => {
    const path = join(root, 'future.txt');
    writeFileSync(path, 'future');
    const tomorrow = new Date(Date.now() + 86_400_000);
    utimesSync(path, tomorrow, tomorrow);
    const { headers } = await get('/future.txt');
    const [said, now] = [headers['last-modified'], headers.date].map((date) => Date.parse(date!));
    expect(said).toBeLessThanOrEqual(now!);
    expect(said).toBeGreaterThan(now! - 10_000);
    // It is no proof that what the peer has is still the same.
    const conditions = { 'If-Range': tomorrow.toUTCString(), Range: 'bytes=0-1' };
    expect(await get('/future.txt', conditions)).toMatchObject({ status: 200, body: 'future' });
    const since = { 'If-Modified-Since': new Date(said! - 60_000).toUTCString() };
    expect((await get('/future.txt', since)).status).toBe(200);
  });

  it('answers conditions', async () => {
    const { etag, 'last-modified': date } = (await get('/small.txt')).headers as Record<
      string,
      string
    >;
    const older = new Date(modified.getTime() - 1000).toUTCString();
    const newer = new Date(modified.getTime() + 1000).toUTCString();
    const cases: [Record<string, string>, number][] = [
      [{ 'If-None-Match': etag! }, 304],
      [{ 'If-None-Match': `"other", W/${etag}` }, 304],
      [{ 'If-None-Match': '*' }, 304],
      [{ 'If-None-Match': '"other"' }, 200],
      [{ 'If-None-Match': '"other"', 'If-Modified-Since': date! }, 200],
      [{ 'If-Modified-Since': date! }, 304],
      [{ 'If-Modified-Since': newer }, 304],
      [{ 'If-Modified-Since': older }, 200],
      [{ 'If-Modified-Since': 'rubbish' }, 200],
      [{ 'If-Match': etag! }, 200],
      [{ 'If-Match': '*' }, 200],
      [{ 'If-Match': '"other"' }, 412],
      [{ 'If-Match': `W/${etag}` }, 412],
      [{ 'If-Unmodified-Since': date! }, 200],
      [{ 'If-Unmodified-Since': older }, 412],
      [{ Range: 'bytes=0-0', 'If-Range': etag! }, 206],
      [{ Range: 'bytes=0-0', 'If-Range': '"other"' }, 200],
      [{ Range: 'bytes=0-0', 'If-Range': date! }, 206],
      [{ Range: 'bytes=0-0', 'If-Range': older }, 200],
      [{ Range: 'bytes=0-0', 'If-None-Match': etag! }, 304],
    ];
    const client = await HttpClient.connect(server());
    for (const [headers, status] of cases) {
      const answer = await client.get('/small.txt', headers);
      expect([headers, answer.status]).toEqual([headers, status]);
      if (status === 304) expect(answer.headers.etag).toBe(etag);
    }
  });

  it.each([
    ['/none', 404],
    ['/folder', 404],
    ['/folder/x.json', 200],
    ['/folder/../small.txt', 200],
    ['/folder/%2e%2e/small.txt', 200],
    ['/folder/..%2fsmall.txt', 404],
    ['/..\\..\\etc/passwd', 404],
    ['/..%5c..%5cetc/passwd', 404],
    ['/..%2f..%2fetc/passwd', 404],
    ['/%2e%2e/%2e%2e/etc/passwd', 404],
    ['/small.txt%00.png', 404],
    ['/%zz', 404],
    ['/.hidden', 404],
    ['/a%20b.svg', 200],
    ['//small.txt', 200],
    ['/./small.txt', 200],
    ['/link.txt', 200],
    [`/${'x'.repeat(300)}`, 404],
    ['/small.txt/x', 404],
    ['/small.txt/', 404],
    ['/folder/', 404],
  ])('answers %s with %d', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  it('answers 403 for what may not be read', async (context) => {
    context.skip(process.getuid?.() === 0, 'root may read everything');
    expect((await get('/forbidden')).status).toBe(403);
  });

  it('finds dotfiles when it may', async () => {
    const [answer] = parseAnswers(
      await exchange(server({ dotfiles: true }), requestText('GET', '/.hidden')),
    );
    expect(answer!.body).toBe('hidden');
  });

  it('takes any path without a root, and keeps a status that was set', async () => {
    const target = serveHttp({
      handler: (_, response) => response.status(404).sendFile(join(root, 'small.txt')),
    });
    const text = requestText('GET', '/', { 'If-None-Match': '*', Range: 'bytes=0-1' });
    const [answer] = parseAnswers(await exchange(target, text));
    expect([answer!.status, answer!.body]).toEqual([404, small]);
  });

  it('survives peers that leave in the middle', async () => {
    const target = server();
    for (let i = 0; i < 10; i += 1) {
      const client = await HttpClient.connect(target);
      client.peer.socket.pause();
      client.send(requestText('GET', '/big.bin').repeat(3));
      await roundTrips(5);
      client.peer.reset();
    }
    const client = await HttpClient.connect(target);
    expect((await client.get('/small.txt')).body).toBe(small);
  });
});
