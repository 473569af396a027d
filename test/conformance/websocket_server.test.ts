// serve({ websocket }): handshakes, messages, topics, and the end.
import { Hono } from 'hono';
import { createWSMessageEvent, defineWebSocketHelper, WSContext, type WSEvents } from 'hono/ws';
import { Loop } from 'ringpoll';
import type { HttpServer } from 'ringpoll/http';
import {
  connectWebSocket,
  type WebSocketClient,
  type WebSocketConnection,
} from 'ringpoll/websocket';
import { describe, expect, it } from 'vitest';
import { serveHttp } from '../support/http.js';
import { connectPeer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { pattern } from '../support/serve.js';
import { dialSocket, SocketLog, serveSockets } from '../support/websocket.js';

const handshake = (...lines: string[]) =>
  [
    'GET / HTTP/1.1',
    'Host: test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    ...lines,
    '',
    '',
  ].join('\r\n');
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const VERSION = 'Sec-WebSocket-Version: 13';

describe('the handshake', () => {
  it('is answered as RFC 6455 shows it', async () => {
    const { server } = serveSockets({});
    const peer = await connectPeer({ port: server.port! });
    peer.send(handshake(KEY, VERSION));
    const head = await peer.receivedUntil('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(head).not.toContain('Sec-WebSocket-Extensions');
    peer.reset();
  });

  it.each([
    ['without a key', [VERSION], 400],
    ['with a malformed key', ['Sec-WebSocket-Key: short', VERSION], 400],
    ['of another version', [KEY, 'Sec-WebSocket-Version: 8'], 426],
    ['without a version', [KEY], 426],
  ])('is refused %s', async (_what, lines, status) => {
    const { server } = serveSockets({});
    const peer = await connectPeer({ port: server.port! });
    peer.send(handshake(...lines));
    const head = await peer.receivedUntil('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status === 426) expect(head).toContain('\r\nSec-WebSocket-Version: 13\r\n');
    peer.reset();
  });

  it('is decided by upgrade(), now or later', async () => {
    const { url } = serveSockets<string>({
      async upgrade(request) {
        await Promise.resolve();
        if (request.path === '/secret') {
          return { status: 403, headers: { 'X-Why': 'no key' }, body: 'no' };
        }
        const protocol = request.header('sec-websocket-protocol') && 'v2';
        return { data: request.path, headers: { 'X-Path': request.path }, protocol };
      },
      open: (socket) => socket.send(`${socket.data} ${socket.protocol}`),
    });
    const refused = connectWebSocket(`${url}/secret`);
    await expect(refused).rejects.toMatchObject({ status: 403, headers: { 'x-why': 'no key' } });
    const log = new SocketLog();
    await dialSocket(`${url}/a`, { ...log.handlers, protocols: ['v1', 'v2'] } as object);
    expect(await log.received(1)).toEqual(['/a v2']);
  });

  it('that upgrade() leaves to HTTP gets an answer of HTTP', async () => {
    const { url, server } = serveSockets({ upgrade: () => false });
    await expect(connectWebSocket(url)).rejects.toMatchObject({ status: 200 });
    const answer = await fetch(`http://127.0.0.1:${server.port}/`);
    expect(await answer.text()).toBe('http');
  });
});

describe('a fetch handler', () => {
  it('makes a WebSocket of its request with server.upgrade()', async () => {
    const log = new SocketLog();
    const server = serveHttp({
      async fetch(request: Request) {
        await Promise.resolve();
        const { pathname } = new URL(request.url);
        if (pathname === '/no') return new Response('no', { status: 403 });
        if (server.upgrade(request, { data: pathname })) return new Response(null);
        return new Response('http');
      },
      websocket: {
        open: (socket: WebSocketConnection) => socket.send(`${socket.data}`),
        message: (socket: WebSocketConnection, message: string) => socket.send(message),
      },
    });
    const url = `127.0.0.1:${server.port}`;
    const client = await dialSocket<never>(`ws://${url}/yes`, log.handlers);
    client.send('echo');
    expect(await log.received(2)).toEqual(['/yes', 'echo']);
    await expect(connectWebSocket(`ws://${url}/no`)).rejects.toMatchObject({ status: 403 });
    expect(await (await fetch(`http://${url}/`)).text()).toBe('http');
  });

  it('runs a Hono app with WebSockets', async () => {
    const app = new Hono<{ Bindings: { server: HttpServer } }>();
    const upgradeWebSocket = defineWebSocketHelper((context, events) => {
      const { server } = context.env as { server: HttpServer };
      return server.upgrade(context.req.raw, { data: events }) ? new Response(null) : undefined;
    });
    app.get('/', (context) => context.text('http'));
    app.get(
      '/ws',
      upgradeWebSocket(() => ({
        onOpen: (_, socket) => socket.send('welcome'),
        onMessage: ({ data }, socket) => socket.send(`echo ${data}`),
        onClose: () => closes.push('closed'),
      })),
    );
    const closes: string[] = [];
    const context = (socket: WebSocketConnection<WSEvents>) =>
      new WSContext({
        send: (data) => void socket.send(typeof data === 'string' ? data : new Uint8Array(data)),
        close: (code, reason) => socket.close(code, reason),
        raw: socket,
        readyState: 1,
      });
    const server = serveHttp({
      fetch: (request: Request) => app.fetch(request, { server }) as Promise<Response>,
      websocket: {
        open: (socket: WebSocketConnection<WSEvents>) =>
          socket.data.onOpen?.(new Event('open'), context(socket)),
        message: (socket: WebSocketConnection<WSEvents>, message: string) =>
          socket.data.onMessage?.(createWSMessageEvent(message), context(socket)),
        close: (socket: WebSocketConnection<WSEvents>) =>
          socket.data.onClose?.(new Event('close') as never, context(socket)),
      },
    });
    const log = new SocketLog();
    const client = await dialSocket<never>(`ws://127.0.0.1:${server.port}/ws`, log.handlers);
    client.send('hello');
    expect(await log.received(2)).toEqual(['welcome', 'echo hello']);
    client.close();
    await log.closed();
    while (closes.length === 0) await new Promise(setImmediate);
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe('http');
  });
});

describe('a socket', () => {
  it('echoes every byte, with and without compression', async () => {
    for (const perMessageDeflate of [false, true, { dedicated: true, threshold: 0 }]) {
      const { url } = serveSockets({
        perMessageDeflate,
        maxPayload: 2_000_000,
        message: (socket, message) => socket.send(message),
      });
      const log = new SocketLog();
      const client = await dialSocket<never>(url, {
        ...{ perMessageDeflate, maxPayload: 2_000_000 },
        ...log.handlers,
      });
      expect(client.socket?.extensions !== '').toBe(perMessageDeflate !== false);
      const sent = ['', 'text', 'repeat '.repeat(30_000), pattern(100), pattern(1_500_000)];
      for (const message of sent) client.send(message);
      const back = await log.received(sent.length);
      expect(back.map((each, i) => Buffer.from(each).equals(Buffer.from(sent[i]!)))).toEqual(
        sent.map(() => true),
      );
      expect(back.map((each) => typeof each)).toEqual(sent.map((each) => typeof each));
    }
  });

  it('is iterated, as fast as the loop goes, until it closes', async () => {
    const got: string[] = [];
    let over = '';
    const { url } = serveSockets<never>({
      async open(socket) {
        try {
          for await (const message of socket) {
            await new Promise(setImmediate);
            got.push(typeof message === 'string' ? message : `bytes ${message.bytes}`);
            if (message === 'enough') break;
          }
          over = 'ended';
        } catch (error) {
          over = String(codeOf(error));
        }
      },
    });
    const play = async (end: (client: WebSocketClient<never>) => void) => {
      over = '';
      const log = new SocketLog();
      const client = await dialSocket<never>(url, log.handlers);
      for (let i = 0; i < 50; i++) client.send(i % 2 ? String(i) : Buffer.from(`${i}`));
      end(client);
      while (over === '') await new Promise(setImmediate);
      await log.closed();
      return [over, log.closes[0]?.[0], got.splice(0)] as const;
    };
    const all = Array.from({ length: 50 }, (_, i) => (i % 2 ? `${i}` : `bytes ${i}`));
    expect(await play((client) => client.close(1000))).toEqual(['ended', 1000, all]);
    const left = await play((client) => {
      client.send('enough');
      client.send('not seen');
    });
    expect(left).toEqual(['ended', 1000, [...all, 'enough']]);
    const [lost] = await play((client) => client.terminate());
    expect(lost).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });

  it('pings, and hears of pongs and of pings', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>(server.handlers);
    const log = new SocketLog();
    const client = await dialSocket<never>(url, log.handlers);
    await server.until(() => server.sockets.length === 1);
    server.socket.ping('are you there');
    await server.until(() => server.pongs.length === 1);
    expect([log.pings, server.pongs]).toEqual([['are you there'], ['are you there']]);
    client.socket?.pong('unasked');
    await server.until(() => server.pongs.length === 2);
    expect(() => server.socket.ping('x'.repeat(126))).toThrow(RangeError);
  });

  it('checks what it is given', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>(server.handlers);
    await dialSocket(url);
    await server.until(() => server.sockets.length === 1);
    const { socket } = server;
    const codes = [
      () => socket.send(5 as never),
      () => socket.send('a', { compressed: true } as never),
      () => socket.close(1005),
      () => socket.close(999),
      () => socket.close(1000, 'x'.repeat(124)),
      () => socket.subscribe(''),
    ].map((act) => {
      try {
        return act();
      } catch (error) {
        return codeOf(error);
      }
    });
    expect(codes).toEqual([
      'ERR_RINGPOLL_INVALID_ARG_TYPE',
      'ERR_RINGPOLL_UNKNOWN_OPTION',
      'ERR_RINGPOLL_OUT_OF_RANGE',
      'ERR_RINGPOLL_OUT_OF_RANGE',
      'ERR_RINGPOLL_OUT_OF_RANGE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    ]);
  });

  it('says stop when too much waits, and drain when it may go on', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>(server.handlers);
    const log = new SocketLog();
    const client = await dialSocket<never>(url, log.handlers);
    await server.until(() => server.sockets.length === 1);
    client.socket?.pause();
    const bytes = pattern(64 * 1024);
    let count = 0;
    while (server.socket.send(bytes)) count++;
    client.socket?.resume();
    await server.until(() => server.drains > 0);
    await log.received(count + 1);
    expect(log.messages.every((message) => bytes.equals(message as Buffer))).toBe(true);
  });

  it('that gets more than maxPayload is closed with 1009', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>({ ...server.handlers, maxPayload: 1000 });
    const log = new SocketLog();
    const client = await dialSocket<never>(url, log.handlers);
    client.send('x'.repeat(1000));
    client.send('x'.repeat(1001));
    expect((await log.closed())[0]).toBe(1009);
    await server.closed();
    expect(server.messages).toHaveLength(1);
  });
});

describe('topics', () => {
  it('give each message to all subscribers, or to all others', async () => {
    const server = new SocketLog();
    const { url, server: http } = serveSockets<never>({
      ...server.handlers,
      open(socket) {
        server.handlers.open(socket);
        socket.subscribe('news');
      },
      message: (socket, message) => socket.publish('news', message as string),
    });
    const logs = [new SocketLog(), new SocketLog(), new SocketLog()];
    const clients = [];
    for (const log of logs) clients.push(await dialSocket<never>(url, log.handlers));
    await server.until(() => server.sockets.length === 3);
    expect(http.subscriberCount('news')).toBe(3);
    expect(http.publish('news', 'to all')).toBe(3);
    expect(http.publish('other', 'to nobody')).toBe(0);
    clients[0]!.send('from the first');
    await Promise.all(logs.slice(1).map((log) => log.received(2)));
    expect(logs.map(({ messages }) => messages)).toEqual([
      ['to all'],
      ['to all', 'from the first'],
      ['to all', 'from the first'],
    ]);
    expect(server.socket.isSubscribed('news')).toBe(true);
    expect([server.socket.unsubscribe('news'), server.socket.unsubscribe('news')]).toEqual([
      true,
      false,
    ]);
    expect(http.subscriberCount('news')).toBe(2);
    clients[0]!.close();
    await server.closed();
    expect(http.subscriberCount('news')).toBe(1);
  });
});

describe('a published message', () => {
  it('is compressed once, however many subscribers have agreed on it', async () => {
    const PUBLISHED = 5;
    const text = 'what all of them get '.repeat(100);
    const { url, server: http } = serveSockets<never>({
      perMessageDeflate: true,
      open: (socket) => socket.subscribe('news'),
    });
    const logs = [new SocketLog(), new SocketLog(), new SocketLog()];
    for (const log of logs) {
      await dialSocket<never>(url, { ...log.handlers, perMessageDeflate: true });
    }
    expect(logs.map(({ socket }) => socket.extensions)).not.toContain('');
    const { webSocketCompressions: before } = Loop.current().metrics();
    for (let i = 0; i < PUBLISHED; i++) expect(http.publish('news', text)).toBe(logs.length);
    for (const log of logs) {
      expect(await log.received(PUBLISHED)).toEqual(Array(PUBLISHED).fill(text));
    }
    const { webSocketCompressions: after } = Loop.current().metrics();
    expect(after! - before!).toBe(PUBLISHED);
  });
});

describe('a session', () => {
  it('is recovered when its client comes back, and gone when that has closed', async () => {
    const server = new SocketLog();
    const recovered: unknown[] = [];
    const { url } = serveSockets<{ seen: number }>({
      ...(server.handlers as object),
      upgrade: (request) => ({ session: request.query, data: { seen: 0 } }),
      message: (socket) => {
        socket.data.seen++;
        socket.send('seen');
      },
      recovered: (socket, lost) => {
        recovered.push([lost.data, lost.code, lost.away >= 0]);
        socket.send('back');
      },
    });
    const log = new SocketLog();
    const dial = () => dialSocket<never>(`${url}/?key`, log.handlers);
    const first = await dial();
    first.send('hello');
    await log.received(1);
    first.terminate();
    await server.closed();
    const second = await dial();
    expect(await log.received(2)).toEqual(['seen', 'back']);
    // Its old connection is still there.
    await dial();
    await log.received(3);
    expect(recovered).toEqual([
      [{ seen: 1 }, 1006, true],
      [{ seen: 0 }, 1006, true],
    ]);
    await second.closed;
    const { length } = server.closes;
    log.socket.close(1000);
    await server.until(() => server.closes.length > length);
    await dial();
    await server.until(() => server.sockets.length === 4);
    expect(recovered).toHaveLength(2);
  });
});

describe('server.stop()', () => {
  it('closes WebSockets with 1001, and waits for their answer', async () => {
    const server = new SocketLog();
    const { url, server: http } = serveSockets<never>(server.handlers);
    const log = new SocketLog();
    await dialSocket<never>(url, log.handlers);
    await server.until(() => server.sockets.length === 1);
    await within(http.stop(), () => 'stop');
    expect(await log.closed()).toEqual([1001, '']);
    expect(server.closes).toEqual([[1001, '']]);
  });
});
