// Responses whose turn never comes: requests behind another one, and their peer is gone.
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpRequest, type HttpResponse, Response as LightResponse } from 'ringpoll/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deferred, HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { codeOf, within } from '../support/recorder.js';

/** More than the sockets of both sides hold. */
const LARGE_BYTES = 16 * 1024 * 1024;
/** One that is being sent, and one that is being closed. */
const OPEN_FILES_MAX = 2;

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  writeFileSync(join(root, 'large.bin'), Buffer.alloc(LARGE_BYTES));
  writeFileSync(join(root, 'small.txt'), 'abcdefghij');
  writeFileSync(join(root, '.hidden'), 'x');
});
afterAll(() => rmSync(root, { recursive: true }));

/** Descriptors of this process that are open on files of this test. */
function openFiles(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // of the listing itself
    }
  });
  return links.filter((link) => link.startsWith(root)).length;
}

async function settled(what: () => number, expected: number): Promise<void> {
  const deadline = Date.now() + 5000;
  while (what() !== expected && Date.now() < deadline) await new Promise(setImmediate);
  expect(what()).toBe(expected);
}

type Use = (response: HttpResponse, request: HttpRequest) => Promise<unknown>;

const USES: [string, Use][] = [
  ['drained()', (response) => response.drained()],
  [
    'write() and drained()',
    async (response) => {
      for (;;) if (!response.write('piece')) await response.drained();
    },
  ],
  ['sendFile()', (response) => response.sendFile(join(root, 'large.bin'))],
  ['sendWith()', (response) => response.sendWith(10, async () => {})],
];

/** What becomes of `use` in three requests behind one that is never answered. */
function abandoned(use: Use) {
  const outcomes: unknown[] = [];
  const begun = deferred();
  const ended = deferred();
  let requests = 0;
  let go!: () => void;
  const mayGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  const server = serveHttp({
    error() {},
    async handler(request, response) {
      requests += 1;
      if (requests === 4) begun.resolve();
      if (request.path === '/first') return new Promise(() => {});
      if (request.path === '/late') await mayGo;
      try {
        await use(response, request);
      } catch (error) {
        outcomes.push(codeOf(error));
        throw error;
      } finally {
        if (outcomes.length === 3) ended.resolve();
      }
    },
  });
  return { server, outcomes, begun: begun.promise, ended: ended.promise, go };
}

async function pipelined(server: ReturnType<typeof serveHttp>, path: string): Promise<HttpClient> {
  const client = await HttpClient.connect(server);
  client.send(requestText('GET', '/first') + requestText('GET', path).repeat(3));
  return client;
}

describe.each(USES)('%s of a response whose turn never comes', (_, use) => {
  it('rejects when its peer leaves', async () => {
    const { server, outcomes, begun, ended } = abandoned(use);
    const client = await pipelined(server, '/early');
    await begun;
    client.peer.reset();
    await ended;
    expect(outcomes).toEqual(Array(3).fill('ERR_RINGPOLL_HTTP_ABORTED'));
    await settled(openFiles, 0);
  });

  it('rejects when its peer has left', async () => {
    const { server, outcomes, begun, ended, go } = abandoned(use);
    const client = await pipelined(server, '/late');
    await begun;
    client.peer.reset();
    await settled(() => server.connections, 0);
    go();
    await ended;
    expect(outcomes).toEqual(Array(3).fill('ERR_RINGPOLL_HTTP_ABORTED'));
    await settled(openFiles, 0);
  });
});

describe('a response of the fetch face whose turn never comes', () => {
  const stream = (cancelled: () => void, pulled: () => void = () => {}) =>
    new ReadableStream(
      {
        pull(controller) {
          pulled();
          controller.enqueue(new Uint8Array(16 * 1024));
        },
        cancel: cancelled,
      },
      { highWaterMark: 0 },
    );

  it('has its stream cancelled when its peer leaves', async () => {
    const begun = deferred();
    const cancelled = deferred();
    const server = serveHttp({
      error() {},
      fetch(request) {
        if (request.url.endsWith('/first')) return new Promise<never>(() => {});
        return new LightResponse(stream(cancelled.resolve, begun.resolve));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/first') + requestText('GET', '/second'));
    await begun.promise;
    client.peer.reset();
    await cancelled.promise;
  });

  it.each([
    ['that is pulled', (cancelled: () => void) => stream(cancelled)],
    [
      'that never brings anything',
      (cancelled: () => void) => new ReadableStream({ cancel: cancelled }),
    ],
  ])('has a stream %s cancelled when its peer has left', async (_, make) => {
    const begun = deferred();
    const cancelled = deferred();
    let go!: () => void;
    const mayGo = new Promise<void>((resolve) => {
      go = resolve;
    });
    const server = serveHttp({
      error() {},
      async fetch(request) {
        if (request.url.endsWith('/first')) return new Promise<never>(() => {});
        begun.resolve();
        await mayGo;
        return new LightResponse(make(cancelled.resolve));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/first') + requestText('GET', '/second'));
    await begun.promise;
    client.peer.reset();
    await settled(() => server.connections, 0);
    go();
    await within(cancelled.promise, () => 'cancel', 2000);
  });
});

describe.skipIf(process.platform !== 'linux')('pipelined files', () => {
  const handler = (request: HttpRequest, response: HttpResponse) =>
    response.sendFile(request.path, { root });

  it('are opened one after the other, and closed when the peer leaves', async () => {
    const server = serveHttp({ handler, error() {} });
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    let most = 0;
    client.send(requestText('GET', '/large.bin').repeat(200));
    const honest = await HttpClient.connect(server);
    for (let question = 0; question < 50; question += 1) {
      expect((await honest.get('/small.txt')).body).toBe('abcdefghij');
      most = Math.max(most, openFiles());
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2 * OPEN_FILES_MAX); // of two connections
    client.peer.reset();
    await settled(() => server.connections, 1);
    await settled(openFiles, 0);
  });

  it('are answered in order, whatever becomes of each', async () => {
    const server = serveHttp({ handler, error() {} });
    const client = await HttpClient.connect(server);
    const requests: [string, string, Record<string, string>][] = [
      ['GET', '/large.bin', {}],
      ['GET', '/missing', {}],
      ['GET', '/.hidden', {}],
      ['HEAD', '/small.txt', {}],
      ['GET', '/small.txt', { Range: 'bytes=2-3' }],
      ['GET', '/small.txt', { Range: 'bytes=99-' }],
      ['GET', '/small.txt', { 'If-None-Match': '*' }],
      ['GET', '/small.txt', { 'If-Match': '"other"' }],
      ['GET', '/small.txt', {}],
    ];
    client.send(requests.map((request) => requestText(...request)).join(''));
    client.peer.end();
    await client.peer.untilEnd();
    const answers = parseAnswers(
      client.peer.text,
      requests.map(([method]) => method),
    );
    expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
      [200, LARGE_BYTES],
      [404, 'Not Found\n'.length],
      [404, 'Not Found\n'.length],
      [200, 0],
      [206, 2],
      [416, 0],
      [304, 0],
      [412, 0],
      [200, 10],
    ]);
  });
});
