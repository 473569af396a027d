// Clients of proxy() that leave at any step of a request, or end their side and wait for answers.
import { connect as connectNet, type Socket } from 'node:net';
import { Loop } from 'ringpoll';
import { type HttpServer, serve } from 'ringpoll/http';
import { type ProxyOptions, proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveRaw } from '../support/client.js';
import { within } from '../support/recorder.js';

const loop = Loop.current();

interface Gateway {
  server: HttpServer;
  upstream: Upstream;
}

function gateway(url: string, options: ProxyOptions = {}): Gateway {
  const upstream = new Upstream({ targets: [url], outlier: { consecutive5xx: 0 } });
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    handler: (request, response) => proxy(request, response, upstream, options),
  });
  onTestFinished(() => {
    upstream.destroy();
    server.destroy();
  });
  return { server, upstream };
}

async function dial({ server }: Gateway): Promise<Socket> {
  const socket = connectNet({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

async function until(done: () => boolean, what: string): Promise<void> {
  const looks = async () => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await within(looks(), () => what);
}

async function allOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const data of socket) text += (data as Buffer).toString('latin1');
  return text;
}

const GET = 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a client that ends its side', () => {
  it('gets the answer that comes within halfCloseTimeout', async () => {
    const held: Socket[] = [];
    const raw = await serveRaw((socket) => held.push(socket));
    const front = gateway(raw.url, { halfCloseTimeout: 60_000 });
    const socket = await dial(front);
    socket.end(GET);
    await until(() => held.length === 1, 'the request');
    held[0]!.write(OK);
    const answer = await within(allOf(socket), () => 'the answer');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.endsWith('\r\n\r\nok')).toBe(true);
    await until(() => front.upstream.targets[0]!.active === 0, 'the end of the request');
  });

  it('gets all of a long answer, however slowly it comes and is read', async () => {
    const raw = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n');
      for (let i = 0; i < 80; i++) socket.write(Buffer.alloc(100_000, 97 + (i % 26)));
    });
    const front = gateway(raw.url, { halfCloseTimeout: 500 });
    const socket = await dial(front);
    socket.pause();
    socket.end(GET);
    await until(() => front.upstream.targets[0]!.active === 1, 'the request');
    // Longer than the timeout nobody reads: the buffers between are full, and that is no silence.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const answer = await within(allOf(socket), () => 'the answer');
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(8_000_000);
  });

  it('ends the request to a target that is silent for longer', async () => {
    let closed = 0;
    const raw = await serveRaw((socket) => socket.on('close', () => closed++));
    const front = gateway(raw.url, { halfCloseTimeout: 10 });
    const socket = await dial(front);
    socket.end(GET);
    await until(() => closed === 1, 'the end at the target');
    expect(front.upstream.targets[0]!.active).toBe(0);
  });

  it('ends it at once when halfCloseTimeout is 0, and its body is whole or not', async () => {
    let closed = 0;
    let seen = 0;
    const raw = await serveRaw((socket) => {
      seen++;
      socket.on('close', () => closed++);
    });
    const front = gateway(raw.url, { halfCloseTimeout: 0 });
    const patient = gateway(raw.url, { halfCloseTimeout: 60_000 });
    const first = await dial(front);
    first.write(GET);
    await until(() => seen === 1, 'the request');
    first.end();
    await until(() => closed === 1, 'the end at the target');
    // Of a body that broke off nothing more can come: no answer is worth waiting for.
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc';
    const socket = await dial(patient);
    socket.write(post);
    await until(() => seen === 2, 'the request');
    socket.end();
    await until(() => closed === 2, 'the end at the target');
    await until(() => patient.upstream.targets[0]!.active === 0, 'the end of the request');
  });
});

describe('a client that leaves', () => {
  const POST =
    'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n';
  const ANSWER =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';

  it.each([
    ['a reset', (socket: Socket) => void socket.resetAndDestroy()],
    ['an end of both sides', (socket: Socket) => void socket.destroy()],
  ])('by %s at any byte of its request leaves nothing behind', async (_, leave) => {
    let seen = 0;
    const raw = await serveRaw(() => seen++);
    const front = gateway(raw.url, { halfCloseTimeout: 1 });
    const before = loop.metrics();
    for (let at = 0; at <= POST.length; at += 3) {
      const socket = await dial(front);
      socket.write(POST.slice(0, at));
      await new Promise(setImmediate);
      leave(socket);
    }
    // The last one was whole.
    const last = await dial(front);
    last.write(POST);
    const already = seen;
    await until(() => seen > already, 'the whole request');
    leave(last);
    await expectNothingLeft(front, raw.sockets);
    expect(loop.metrics().accepted! - before.accepted!).toBeGreaterThan(POST.length / 3);
  });

  it('at any byte of the answer leaves nothing behind', async () => {
    let answered = 0;
    const held: Socket[] = [];
    const raw = await serveRaw((socket) => held.push(socket));
    const front = gateway(raw.url, { halfCloseTimeout: 1 });
    for (let at = 0; at <= ANSWER.length; at += 2) {
      const socket = await dial(front);
      socket.write(GET);
      await until(() => held.length > answered, 'the request');
      const target = held[answered++]!;
      target.write(ANSWER.slice(0, at));
      await new Promise(setImmediate);
      if (at % 4 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await expectNothingLeft(front, raw.sockets);
  });

  it('leaves the other clients alone', async () => {
    const raw = await serveRaw((socket) => setImmediate(() => socket.write(OK)));
    const front = gateway(raw.url, { halfCloseTimeout: 1 });
    for (let round = 0; round < 30; round++) {
      const [stays, leaves] = [await dial(front), await dial(front)];
      leaves.write(GET);
      stays.end(GET);
      leaves.resetAndDestroy();
      // What comes within the millisecond is the answer; never that of another one.
      expect(await allOf(stays)).toMatch(/^(HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok)?$/s);
    }
    const last = await dial(gateway(raw.url));
    last.end(GET);
    expect(await allOf(last)).toMatch(/\r\n\r\nok$/);
  });
});

/** No request is under way at the target, none of its connections hangs, none of the clients'. */
async function expectNothingLeft(front: Gateway, sockets: Set<Socket>): Promise<void> {
  await until(() => front.upstream.targets[0]!.active === 0, 'requests under way');
  await until(() => front.server.connections === 0, 'connections of clients');
  const { connections } = front.upstream.targets[0]!;
  await until(() => sockets.size <= connections, 'connections of the target');
  expect(front.upstream.targets[0]!.pending).toBe(0);
  front.upstream.close();
  await until(() => sockets.size === 0, 'the end of the connections that were kept');
}
