// Bodies of known length that are collected whole: what is left of them is received straight into
// the memory that the handler gets.
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { Loop } from 'ringpoll';
import type { HttpRequest, HttpResponse } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred, HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { programPath } from '../support/program.js';
import { Random } from '../support/random.js';
import { within } from '../support/recorder.js';
import { rounds } from '../support/rounds.js';
import { pattern } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

/** Behind TLS, and by the route of completions, bodies are copied. */
const DIRECT =
  process.env.RINGPOLL_TEST_TLS === undefined && process.env.RINGPOLL_RECEIVE !== 'completion';
const HUNDRED_KB = 100 * 1024;
const ROUNDS = rounds(20, 200);
const TERMINATIONS = rounds(8, 40);

const digest = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex');
const digests = async (request: HttpRequest, response: HttpResponse) => {
  response.end(digest(await request.body()));
};
const direct = () => Number(Loop.current().metrics().httpBodyBytesDirect);

function upload(bytes: Uint8Array): Buffer {
  const head = requestText('POST', '/', { 'Content-Length': String(bytes.length) });
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A client whose last body was collected whole: the next one may be received directly. */
async function warm(handler: typeof digests, options = {}) {
  const server = serveHttp({ error() {}, handler, ...options });
  const client = await HttpClient.connect(server);
  client.send(upload(pattern(HUNDRED_KB)));
  expect((await client.next()).body).toBe(digest(pattern(HUNDRED_KB)));
  return { server, client };
}

describe('a body of known length', () => {
  it('is received into its memory, but for the beginning', async () => {
    const { client } = await warm(digests);
    // A little comes along with the head. An eighth of a long one comes before it has memory.
    for (const [length, least] of [
      [HUNDRED_KB, 98 * 1024],
      [16 * 1024, 14 * 1024],
      [3_000_000, 1_500_000],
    ]) {
      const before = direct();
      client.send(upload(pattern(length)));
      expect((await client.next()).body).toBe(digest(pattern(length)));
      if (DIRECT) expect(direct() - before).toBeGreaterThanOrEqual(least);
      else expect(direct() - before).toBe(0);
    }
  });

  it('is the same whether it comes in one piece or in many, with others behind it', async () => {
    const random = new Random(11);
    const bodies = Array.from({ length: 12 }, () => pattern(1 + random.below(150_000)));
    const chunks = '5\r\nhello\r\n0\r\n\r\n';
    const chunked = requestText('POST', '/', { 'Transfer-Encoding': 'chunked' }, chunks);
    const parts = bodies.flatMap((bytes, at) => {
      const between = [requestText('GET', '/'), chunked, ''][at % 3];
      return [upload(bytes), Buffer.from(between as string)];
    });
    const all = Buffer.concat(parts);
    const expected = bodies.flatMap((bytes, at) => {
      const between = [digest(Buffer.alloc(0)), digest(Buffer.from('hello'))][at % 3];
      return between === undefined ? [digest(bytes)] : [digest(bytes), between];
    });
    const server = serveHttp({ handler: digests });
    for (let round = 0; round < ROUNDS; round++) {
      const client = await HttpClient.connect(server);
      for (let at = 0; at < all.length; ) {
        const size = 1 + random.below(round % 2 === 0 ? 60_000 : 300_000);
        client.send(all.subarray(at, at + size));
        at += size;
        if (random.below(2) === 0) await new Promise(setImmediate);
      }
      const answers = [];
      while (answers.length < expected.length) answers.push((await client.next()).body);
      expect(answers).toEqual(expected);
      client.peer.destroy();
    }
  });

  it('is the same when it is cut around its head', async () => {
    const { client } = await warm(digests);
    const bytes = pattern(20_000);
    const request = upload(bytes);
    const head = request.length - bytes.length;
    for (let cut = head - 8; cut < head + 8; cut++) {
      client.send(request.subarray(0, cut));
      await roundTrips(2);
      client.send(request.subarray(cut));
      expect((await client.next()).body).toBe(digest(bytes));
    }
  });

  it('may be asked for when it is here, or half of it', async () => {
    const asked = deferred();
    const { client } = await warm(async (request, response) => {
      if (request.path === '/late') await asked.promise;
      await digests(request, response);
    });
    const bytes = pattern(200_000);
    const length = String(bytes.length);
    client.send(requestText('POST', '/late', { 'Content-Length': length }));
    client.send(bytes.subarray(0, 90_000));
    await roundTrips(4);
    asked.resolve();
    await roundTrips(4);
    client.send(bytes.subarray(90_000));
    expect((await client.next()).body).toBe(digest(bytes));
  });

  it('that is promised takes no memory before an eighth of it has come', async () => {
    const asked = deferred();
    const server = serveHttp({
      error() {},
      async handler(request) {
        const body = request.body();
        asked.resolve();
        await body;
      },
    });
    const client = await HttpClient.connect(server);
    const before = process.memoryUsage().arrayBuffers;
    client.send(requestText('POST', '/', { 'Content-Length': '100000000' }, 'x'.repeat(100_000)));
    await asked.promise;
    await roundTrips(4);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('whose peer leaves in the middle is aborted', async () => {
    for (const leave of ['end', 'reset'] as const) {
      const failed = deferred<Error>();
      const { client, server } = await warm(async (request, response) => {
        if (request.path === '/left') {
          await request.body().catch((error) => {
            failed.resolve(error);
            throw error;
          });
        }
        await digests(request, response);
      });
      const head = requestText('POST', '/left', { 'Content-Length': '200000' });
      client.send(head + 'x'.repeat(60_000));
      await roundTrips(4);
      client.peer[leave]();
      expect(await failed.promise).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
      await client.peer.untilClosed();
      const other = await HttpClient.connect(server);
      expect((await other.post('/', 'still here')).status).toBe(200);
    }
  });

  it('that stops coming gets 408', async () => {
    const { client } = await warm(digests, { readTimeout: 100 });
    client.send(requestText('POST', '/', { 'Content-Length': '200000' }, 'x'.repeat(60_000)));
    expect((await client.next()).status).toBe(408);
    await client.peer.untilEnd();
  });

  it('beyond a limit gets 413, of the call and of the server', async () => {
    const limited = async (request: HttpRequest, response: HttpResponse) => {
      if (request.path === '/') return digests(request, response);
      response.end(await request.body({ limit: 50_000 }));
    };
    for (const [path, length] of [
      ['/limited', 60_000],
      ['/', 600_000],
    ] as const) {
      const { client } = await warm(limited, { maxBodyBytes: 500_000 });
      const before = direct();
      client.send(requestText('POST', path, { 'Content-Length': String(length) }));
      client.send(pattern(length));
      expect((await client.next()).status).toBe(413);
      expect(direct()).toBe(before);
    }
  });

  it('whose answer comes before it is dropped, and told so', async () => {
    const outcome = deferred<unknown>();
    const { client } = await warm(async (request, response) => {
      if (request.path !== '/early') return digests(request, response);
      const body = request.body();
      body.then(
        () => outcome.resolve('all of it'),
        (error) => outcome.resolve(error.code),
      );
      await new Promise(setImmediate);
      response.end('early');
    });
    client.send(requestText('POST', '/early', { 'Content-Length': '200000' }, 'x'.repeat(50_000)));
    expect((await client.next()).body).toBe('early');
    expect(await outcome.promise).toBe('ERR_RINGPOLL_HTTP_REQUEST_OVER');
    await client.peer.untilEnd();
  });

  it('lets an upgrade follow, whose bytes come as they are', async () => {
    const { client } = await warm(
      async (request, response) => {
        if (request.header('upgrade') === undefined) return digests(request, response);
        response.upgrade({ Upgrade: 'raw' }, { data: (raw, chunk) => void raw.write(chunk) });
      },
      { upgrade: true },
    );
    client.send(requestText('GET', '/', { Upgrade: 'raw', Connection: 'upgrade' }));
    await client.peer.receivedUntil('Upgrade: raw\r\n\r\n');
    client.send('x'.repeat(10_000));
    await client.peer.receivedUntil('x'.repeat(10_000));
    expect(client.peer.ended).toBe(false);
  });

  it('may be the last of its connection', async () => {
    const { client } = await warm(digests);
    const bytes = pattern(HUNDRED_KB);
    const fields = { 'Content-Length': String(bytes.length), Connection: 'close' };
    client.send(requestText('POST', '/', fields));
    client.send(Buffer.concat([bytes, Buffer.from('behind the last one')]));
    expect((await client.next()).body).toBe(digest(bytes));
    await client.peer.untilEnd();
  });

  it('comes to many at once', async () => {
    const server = serveHttp({ handler: digests });
    const all = Array.from({ length: 40 }, async (_, at) => {
      const client = await HttpClient.connect(server);
      const bytes = pattern(HUNDRED_KB + at);
      for (let i = 0; i < 5; i++) client.send(upload(bytes));
      client.peer.end();
      const text = await client.peer.untilEnd();
      expect(parseAnswers(text).map(({ body }) => body)).toEqual(Array(5).fill(digest(bytes)));
    });
    await Promise.all(all);
  });

  it(`ends with a worker that is terminated in the middle, ${TERMINATIONS} times`, async () => {
    for (let round = 0; round < TERMINATIONS; round++) {
      const worker = new Worker(programPath('upload_worker'));
      onTestFinished(() => void worker.terminate());
      const told = new Promise<number>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      const bytes = await within(told, () => 'bodies in the worker', 20_000);
      expect(bytes > 0).toBe(process.env.RINGPOLL_RECEIVE !== 'completion');
      expect(await worker.terminate()).toBe(1);
    }
  });
});
