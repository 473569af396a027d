// A peer that asks for much and reads little gets no more answers than it takes: what waits for it
// is bounded, whatever it asks for, and others are served beside it.
import { Loop } from 'ringpoll';
import { type HttpResponse, Response, type ServeOptions } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { within } from '../support/recorder.js';

const MB = 1024 * 1024;
const ANSWER_BYTES = 40_000;
const answer = 'x'.repeat(ANSWER_BYTES);
const GET = requestText('GET', '/much');
const FLOOD = Buffer.from(GET.repeat(Math.ceil((5.6 * MB) / GET.length)));
/** Of the process, the garbage of the honest client's requests included. */
const GROWTH_MAX = 48 * MB;

const asking = () => Loop.current().metrics().httpRequests!;
const memory = () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};
const soon = () => new Promise((resolve) => setImmediate(resolve));

/** Requests of an honest client until the other makes no progress; the most memory meanwhile. */
async function untilStill(honest: HttpClient): Promise<number> {
  let most = 0;
  let quiet = 0;
  for (let last = asking(); quiet < 40 && most < 20 * GROWTH_MAX; ) {
    expect((await honest.get('/little')).body).toBe('little');
    const now = asking();
    quiet = now === last + 1 ? quiet + 1 : 0;
    last = now;
    most = Math.max(most, memory());
  }
  return most;
}

const path = (request: { url: string }) => new URL(request.url, 'http://x').pathname;
const faces: [string, Partial<ServeOptions>][] = [
  [
    'static routes',
    { static: { '/much': { body: answer }, '/little': { body: 'little' } }, handler() {} },
  ],
  [
    'handlers that answer at once',
    { handler: (request, response) => response.end(request.path === '/much' ? answer : 'little') },
  ],
  [
    'handlers that answer later',
    {
      async handler(request, response) {
        await soon();
        response.end(request.path === '/much' ? Buffer.alloc(ANSWER_BYTES) : 'little');
      },
    },
  ],
  [
    'handlers that write piece by piece',
    {
      async handler(request, response) {
        if (request.path === '/little') return response.end('little');
        for (let i = 0; i < 10; i += 1) {
          if (!response.write(Buffer.alloc(ANSWER_BYTES / 10))) await response.drained();
        }
        response.end();
      },
    },
  ],
  [
    'fetch handlers',
    {
      async fetch(request) {
        return new Response(path(request) === '/much' ? answer : 'little');
      },
    },
  ],
];

describe('what waits for a peer that does not read is bounded', () => {
  it.each(faces)('with %s', async (_, options) => {
    const server = serveHttp({ error() {}, ...options });
    const honest = await HttpClient.connect(server);
    expect((await honest.get('/little')).body).toBe('little');
    const before = memory();
    const greedy = await HttpClient.connect(server);
    greedy.peer.socket.pause();
    greedy.send(FLOOD);
    const most = await untilStill(honest);
    expect((most - before) / MB).toBeLessThan(GROWTH_MAX / MB);
    // It goes on as soon as the peer reads.
    greedy.peer.socket.resume();
    await greedy.peer.received(600 * ANSWER_BYTES);
    greedy.peer.reset();
    expect((await honest.get('/little')).body).toBe('little');
  });

  it('when few requests ask for more than may wait, each for an answer of its own', async () => {
    const bytes = 400_000;
    const server = serveHttp({
      handler(request, response) {
        response.end(request.path === '/much' ? Buffer.alloc(bytes, 'x') : 'little');
      },
    });
    const honest = await HttpClient.connect(server);
    const greedy = await HttpClient.connect(server);
    expect((await honest.get('/little')).body).toBe('little');
    const before = memory();
    greedy.peer.socket.pause();
    greedy.send(GET.repeat(250)); // fewer than native code lets by
    const most = await untilStill(honest);
    expect((most - before) / MB).toBeLessThan(GROWTH_MAX / MB);
    greedy.peer.socket.resume();
    await greedy.peer.received(250 * bytes);
    greedy.peer.reset();
  });

  it('when the first of many answers is not ready', async () => {
    let first: HttpResponse | undefined;
    const server = serveHttp({
      handler(request, response) {
        if (request.path === '/little') response.end('little');
        else if (first === undefined) first = response;
        else response.end(answer);
      },
    });
    const honest = await HttpClient.connect(server);
    const greedy = await HttpClient.connect(server);
    const before = memory();
    greedy.send(GET.repeat(400));
    const most = await untilStill(honest);
    expect((most - before) / MB).toBeLessThan(GROWTH_MAX / MB);
    expect(asking()).toBeGreaterThan(0);
    first?.end('first');
    await greedy.peer.received(399 * ANSWER_BYTES);
  });
});

describe('answers that had to wait', () => {
  it.each(faces.map(([name]) => name))('are all there, in order: %s', async (name) => {
    const count = 500;
    const body = (at: number | string) => `${at}:${'y'.repeat(20_000)}`;
    const statics = Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`/${at}`, { body: body(at) }]),
    );
    const options: Record<string, Partial<ServeOptions>> = {
      'static routes': { static: statics, handler() {} },
      'handlers that answer later': {
        async handler(request, response) {
          if (Number(request.path.slice(1)) % 3 === 0) await soon();
          response.end(body(request.path.slice(1)));
        },
      },
      'handlers that write piece by piece': {
        async handler(request, response) {
          response.header('Content-Length', body(request.path.slice(1)).length);
          response.write(body(request.path.slice(1)).slice(0, 10_000));
          await response.drained();
          response.end(body(request.path.slice(1)).slice(10_000));
        },
      },
      'fetch handlers': {
        fetch: async (request) => new Response(body(path(request).slice(1))),
      },
    };
    const server = serveHttp(
      options[name] ?? {
        handler: (request, response) => response.end(body(request.path.slice(1))),
      },
    );
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    for (let at = 0; at < count; at += 1) client.send(requestText('GET', `/${at}`));
    await soon();
    client.peer.end();
    client.peer.socket.resume();
    const answers = parseAnswers(
      await within(client.peer.untilEnd(), () => `${client.peer.bytes} bytes`),
    );
    expect(answers).toHaveLength(count);
    for (let at = 0; at < count; at += 1) expect(answers[at]?.body).toBe(body(at));
  });
});
