// Clients of WebSocket, against a server that shares no code with them.
import { connectWebSocket, WebSocket, type WebSocketClientOptions } from 'ringpoll/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, within } from '../support/recorder.js';
import { pattern } from '../support/serve.js';
import { dialSocket, SocketLog } from '../support/websocket.js';
import { startWptServer } from '../websocket/wpt_server.mjs';

async function peer(): Promise<string> {
  const server = await startWptServer();
  onTestFinished(() => server.stop());
  return `ws://127.0.0.1:${server.port}`;
}

async function dial(path: string, options: WebSocketClientOptions<never> = {}) {
  const log = new SocketLog();
  const client = await dialSocket<never>((await peer()) + path, { ...log.handlers, ...options });
  return { client, log };
}

describe('connectWebSocket()', () => {
  it('sends and gets text and bytes of every length that frames have', async () => {
    const { client, log } = await dial('/echo', { maxPayload: 1_000_000 });
    const texts = ['', 'a', 'x'.repeat(125), 'y'.repeat(126), 'ž🐎'.repeat(20_000)];
    const bytes = [0, 1, 125, 126, 65_535, 65_536, 700_000].map((length) => pattern(length));
    for (const text of texts) client.send(text);
    for (const each of bytes) client.send(each);
    const received = await log.received(texts.length + bytes.length);
    expect(received.slice(0, texts.length)).toEqual(texts);
    const back = received.slice(texts.length) as Buffer[];
    expect(back.map((each, i) => each.equals(bytes[i]!))).toEqual(bytes.map(() => true));
  });

  it('closes by the handshake, with a code and a reason', async () => {
    const { client, log } = await dial('/echo');
    expect(client.socket?.readyState).toBe('open');
    client.close(3000, 'enough');
    expect(client.send('too late')).toBe(false);
    expect(await log.closed()).toEqual([3000, 'enough']);
    await client.closed;
    expect([client.state, client.socket]).toEqual(['closed', undefined]);
  });

  it.each([
    ['/remote-close?code=4001&reason=over', [4001, 'over']],
    ['/remote-close', [1005, '']],
    ['/remote-close?abrupt=1', [1006, '']],
  ])('tells how the server has ended it: %s', async (path, ending) => {
    const { log } = await dial(path);
    expect(await log.closed()).toEqual(ending);
  });

  it('asks for subprotocols and adds fields to the request', async () => {
    const { client } = await dial('/echo', { protocols: ['chat', 'echo'] });
    expect(client.socket?.protocol).toBe('echo');
    const { log } = await dial('/origin', { headers: () => ({ Origin: 'http://here' }) });
    expect(await log.received(1)).toEqual(['http://here']);
  });

  it('says who it is when the URL does', async () => {
    const url = (await peer()).replace('//', '//foo:bar@');
    const client = await dialSocket(`${url}/basic_auth`);
    expect(client.state).toBe('open');
  });

  it.each([
    ['/basic_auth', 401],
    ['/nothing', 404],
    ['/invalid', undefined],
    ['/wrong_accept_key', 101],
  ])('rejects when the handshake fails: %s', async (path, status) => {
    const connecting = connectWebSocket((await peer()) + path);
    await expect(within(connecting, () => path)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_WEBSOCKET_HANDSHAKE',
      status,
    });
  });

  it('rejects with the error of the system when nobody listens', async () => {
    const server = await startWptServer();
    server.stop();
    const connecting = connectWebSocket(`ws://127.0.0.1:${server.port}/`);
    await expect(connecting).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('gives up when the answer takes too long, and when it is told to', async () => {
    const url = `${await peer()}/sleep_10_v13`;
    const late = connectWebSocket(url, { handshakeTimeout: 50 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_RINGPOLL_WEBSOCKET_HANDSHAKE' });
    const stop = new AbortController();
    const stopped = connectWebSocket(url, { signal: stop.signal });
    stop.abort(new Error('never mind'));
    await expect(stopped).rejects.toThrow('never mind');
  });

  it('refuses options that it does not know, and fields that it writes itself', async () => {
    const url = 'ws://127.0.0.1:1/';
    const codes = [
      { timeout: 1 },
      { protocols: ['a b'] },
      { protocols: ['a', 'a'] },
      { headers: { Host: 'other' } },
      { headers: { 'X-Y': 'a\r\nb' } },
      { open: 1 },
    ].map((options) =>
      connectWebSocket(url, options as WebSocketClientOptions).then(String, codeOf),
    );
    expect(await Promise.all(codes)).toEqual([
      'ERR_RINGPOLL_UNKNOWN_OPTION',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_INVALID_ARG_TYPE',
    ]);
  });

  it('gets a message in its lease, and what it throws ends the connection', async () => {
    const { client, log } = await dial('/echo', {
      message(_, message) {
        if (typeof message !== 'string') message.retain();
        throw new Error('from the handler');
      },
    });
    client.send('hello');
    await log.until(() => log.errors.length > 0);
    expect(log.errors.map(String)).toEqual(['Error: from the handler']);
    expect(await log.closed()).toEqual([1006, '']);
  });

  it('does not read while it is paused', async () => {
    const { client, log } = await dial('/echo');
    client.socket?.pause();
    for (let i = 0; i < 10; i++) client.send(String(i));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(log.messages).toEqual([]);
    client.socket?.resume();
    expect(await log.received(10)).toEqual([...'0123456789']);
  });
});

describe('a client that comes back', () => {
  const quick = { minDelay: 1, maxDelay: 5 };

  it('connects again when the connection is lost, until it is closed', async () => {
    const waits: (number | undefined)[] = [];
    const { client, log } = await dial('/remote-close?abrupt=1', {
      reconnect: quick,
      reconnecting: ({ code }) => waits.push(code),
    });
    await log.until(() => log.sockets.length >= 3);
    expect(new Set(log.sockets).size).toBe(log.sockets.length);
    expect(waits.slice(0, 2)).toEqual([1006, 1006]);
    client.close();
    await within(client.closed, () => 'closed');
    expect(client.state).toBe('closed');
  });

  it('does not after a close that was meant', async () => {
    const { client } = await dial('/remote-close?code=1000', { reconnect: quick });
    await within(client.closed, () => 'closed');
    expect(client.state).toBe('closed');
  });

  it('stops after so many attempts in a row', async () => {
    const server = await startWptServer();
    server.stop();
    const waits: number[] = [];
    const connecting = connectWebSocket(`ws://127.0.0.1:${server.port}/`, {
      reconnect: { ...quick, attempts: 3 },
      reconnecting: ({ attempt }) => waits.push(attempt),
    });
    await expect(connecting).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(waits).toEqual([1, 2]);
  });

  it('does not try again what will be refused again', async () => {
    const connecting = connectWebSocket(`${await peer()}/nothing`, { reconnect: quick });
    await expect(connecting).rejects.toMatchObject({ status: 404 });
  });
});

describe('the WebSocket of the platform', () => {
  const event = (target: EventTarget, type: string) =>
    within(
      new Promise<Event>((resolve) => target.addEventListener(type, resolve, { once: true })),
      () => type,
    );

  it('opens, echoes as the binaryType says, and closes', async () => {
    const socket = new WebSocket(`${await peer()}/echo`, 'echo');
    expect([socket.readyState, socket.binaryType, socket.protocol]).toEqual([0, 'blob', '']);
    expect(() => socket.send('too early')).toThrow(
      expect.objectContaining({ name: 'InvalidStateError' }),
    );
    await event(socket, 'open');
    expect([socket.readyState, socket.protocol]).toEqual([1, 'echo']);
    const next = async () => ((await event(socket, 'message')) as MessageEvent).data;
    socket.send('text');
    expect(socket.bufferedAmount).toBe(4);
    expect(await next()).toBe('text');
    socket.send(new Blob(['from a blob']));
    expect(await (await next()).text()).toBe('from a blob');
    socket.binaryType = 'arraybuffer';
    socket.send(Uint8Array.of(1, 2, 3));
    expect(new Uint8Array(await next())).toEqual(Uint8Array.of(1, 2, 3));
    expect(socket.bufferedAmount).toBe(0);
    socket.close(3001, 'bye');
    expect(socket.readyState).toBe(2);
    expect(await event(socket, 'close')).toMatchObject({
      ...{ wasClean: true, code: 3001, reason: 'bye' },
    });
    expect(socket.readyState).toBe(3);
  });

  it('fires error and close when it does not come about', async () => {
    const socket = new WebSocket(`${await peer()}/nothing`);
    const types: string[] = [];
    socket.onerror = () => types.push('error');
    const close = await event(socket, 'close');
    expect(types).toEqual(['error']);
    expect(close).toMatchObject({ wasClean: false, code: 1006 });
  });
});
