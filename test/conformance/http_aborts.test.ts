// A peer that leaves in the middle is an ordinary thing: no warning, and not the error listener's.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type HttpRequest, type HttpResponse, serve } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { roundTrips } from '../support/turns.js';

const piece = Buffer.alloc(64 * 1024, 'x');
const LONG_MS = 60_000;

type Fast = (request: HttpRequest, response: HttpResponse) => Promise<unknown>;
type Fetch = (request: Request, http: HttpRequest) => Promise<Response>;

async function* pieces() {
  for (;;) {
    yield piece;
    await new Promise(setImmediate);
  }
}

function bigFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'big');
  writeFileSync(path, Buffer.alloc(16 * 1024 * 1024));
  return path;
}

/** Begins an answer, so that the peer knows when to leave. */
const begin = (response: HttpResponse) => response.write('begun');

const fast: Record<string, Fast> = {
  async 'write() and drained()'(_, response) {
    for (;;) {
      if (!response.write(piece)) await response.drained();
      await new Promise(setImmediate);
    }
  },
  'sendFile()': (_, response) => response.sendFile(bigFile()) as Promise<unknown>,
  async 'a wait with the signal of the request'(request, response) {
    begin(response);
    await delay(LONG_MS, undefined, { signal: request.signal });
  },
  async 'the reason of the signal'(request, response) {
    begin(response);
    await once(request.signal, 'abort');
    throw request.signal.reason;
  },
  async 'an error about the abort'(request, response) {
    begin(response);
    await once(request.signal, 'abort');
    throw new Error('given up', { cause: request.signal.reason });
  },
  async 'a pipeline that the signal ends'(request, response) {
    begin(response);
    const source = Readable.from(pieces());
    await pipeline(
      source,
      async (chunks) => {
        for await (const chunk of chunks) if (!response.write(chunk)) await response.drained();
      },
      { signal: request.signal },
    );
  },
};

const fetched: Record<string, Fetch> = {
  'a generator': async () => new Response(pieces() as never),
  'a stream of Node': async () => new Response(Readable.toWeb(Readable.from(pieces())) as never),
  'a ReadableStream': async () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(piece);
          await new Promise(setImmediate);
        },
      }),
    ),
  'a TransformStream': async () => {
    const { readable, writable } = new TransformStream();
    void new ReadableStream({
      async pull(controller) {
        controller.enqueue(piece);
        await new Promise(setImmediate);
      },
    })
      .pipeTo(writable)
      .catch(() => {});
    return new Response(readable);
  },
  'a stream that fails when it is cancelled': async (request) =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(piece);
          await delay(1, undefined, { signal: request.signal });
        },
        cancel() {
          throw new DOMException('cancelled', 'AbortError');
        },
      }),
    ),
};

interface Served {
  reported: Error[];
  warnings: Error[];
  peer: Peer;
  /** How often a handler has ended, in whatever way. */
  over(): Promise<void>;
}

/** Sends a request, and knows what becomes of its handler. */
async function ask(options: { fast?: Fast; fetch?: Fetch }, head: string): Promise<Served> {
  const reported: Error[] = [];
  const warnings: Error[] = [];
  const heard = (warning: Error) => warnings.push(warning);
  process.on('warning', heard);
  onTestFinished(() => void process.off('warning', heard));
  let ended: () => void;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const { fast, fetch } = options;
  const handling =
    fast === undefined
      ? { fetch: (...args: Parameters<Fetch>) => fetch!(...args) }
      : {
          handler: (...args: Parameters<Fast>) => fast(...args).finally(() => ended()),
        };
  const server = serve({
    ...{ host: '127.0.0.1', port: 0, error: (error: Error) => void reported.push(error) },
    ...handling,
  } as Parameters<typeof serve>[0]);
  onTestFinished(() => server.destroy());
  const peer = await connectPeer({ port: server.port as number });
  peer.send(head);
  const gone = async () => {
    while (server.connections > 0) await roundTrips(1);
  };
  return {
    ...{ reported, warnings, peer },
    over: () =>
      within(
        Promise.all([fast && over, gone()]).then(() => roundTrips()),
        () => 'the end',
      ),
  };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ways: Record<string, (peer: Peer) => void> = {
  closes: (peer) => peer.destroy(),
  resets: (peer) => peer.reset(),
};

describe.each(Object.keys(ways))('a peer that %s while it downloads', (way) => {
  it.each(Object.keys(fast))('from a handler with %s is no error', async (name) => {
    const { peer, reported, warnings, over } = await ask({ fast: fast[name]! }, GET);
    await peer.received(5);
    ways[way]!(peer);
    await over();
    expect({ reported, warnings }).toEqual({ reported: [], warnings: [] });
  });

  it.each(Object.keys(fetched))('from %s is no error', async (name) => {
    const { peer, reported, warnings, over } = await ask({ fetch: fetched[name]! }, GET);
    await peer.received(100_000);
    ways[way]!(peer);
    await over();
    expect({ reported, warnings }).toEqual({ reported: [], warnings: [] });
  });
});

describe.each(Object.keys(ways))('a peer that %s while it uploads', (way) => {
  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf';
  const readers: Record<string, (request: HttpRequest) => Promise<unknown>> = {
    text: (request) => request.text(),
    json: (request) => request.json(),
  };
  it.each(Object.keys(readers))('to a handler that reads %s is no error', async (name) => {
    let reading: () => void;
    const read = new Promise<void>((resolve) => {
      reading = resolve;
    });
    const fast: Fast = async (request, response) => {
      reading();
      await readers[name]!(request);
      response.end('whole');
    };
    const { peer, reported, warnings, over } = await ask({ fast }, POST);
    await read;
    ways[way]!(peer);
    await over();
    expect({ reported, warnings }).toEqual({ reported: [], warnings: [] });
  });
});

describe('a bug', () => {
  it('is reported although the peer has left', async () => {
    const bug = new TypeError('a real one');
    const fast: Fast = async (request, response) => {
      begin(response);
      await once(request.signal, 'abort');
      throw bug;
    };
    const { peer, reported, over } = await ask({ fast }, GET);
    await peer.received(5);
    peer.reset();
    await over();
    expect(reported).toEqual([bug]);
  });

  it('that looks like an abort is reported while the peer is there', async () => {
    const bug = new DOMException('of something else', 'AbortError');
    const fast: Fast = async (_, response) => {
      begin(response);
      throw bug;
    };
    const { peer, reported } = await ask({ fast }, GET);
    await peer.untilOver();
    expect(reported).toEqual([bug]);
  });
});
