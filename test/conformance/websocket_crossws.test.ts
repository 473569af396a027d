// The hooks of crossws over serve(): the same programs run on the adapter that crossws has for
// node:http, and what hooks and clients see is compared.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defineHooks } from 'crossws';
import nodeAdapter from 'crossws/adapters/node';
import { type CrosswsAdapter, type CrosswsOptions, crossws } from 'ringpoll/crossws';
import { connectWebSocket, type WebSocketClientOptions } from 'ringpoll/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveHttp } from '../support/http.js';
import { dialSocket, SocketLog } from '../support/websocket.js';

interface Running {
  at: string;
  adapter: Pick<CrosswsAdapter, 'publish' | 'close' | 'peers'>;
}

/** Hooks on ringpoll. */
function onRingpoll(options: CrosswsOptions, websocket: object = {}): Running {
  const adapter = crossws(options);
  const server = serveHttp({
    fetch: (request: Request) => adapter.handleUpgrade(request, server),
    websocket: { ...adapter.websocket, ...websocket },
    error() {},
  });
  return { at: `ws://127.0.0.1:${server.port}`, adapter };
}

/** The same hooks on node:http, by the adapter of crossws. */
async function onNode(options: CrosswsOptions): Promise<Running> {
  const adapter = nodeAdapter(options as never);
  const server = createServer().on('upgrade', adapter.handleUpgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    adapter.closeAll(1001, undefined, true);
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { at: `ws://127.0.0.1:${port}`, adapter: adapter as never };
}

type Dial = (path: string, options?: WebSocketClientOptions<never>) => Promise<SocketLog>;
type Scene = (of: {
  dial: Dial;
  adapter: Running['adapter'];
  seen: unknown[];
  until(count: number): Promise<void>;
}) => Promise<unknown>;

/** What a scene sees on each of the two. */
async function both(hooksOf: (seen: unknown[]) => CrosswsOptions, scene: Scene) {
  const results = [];
  for (const start of [onRingpoll, onNode]) {
    const seen: unknown[] = [];
    const { at, adapter } = await start(hooksOf(seen));
    const until = async (count: number) => {
      const deadline = performance.now() + 5000;
      while (seen.length < count && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const dial: Dial = async (path, options) => {
      const log = new SocketLog();
      await dialSocket<never>(at + path, { ...log.handlers, ...options });
      return log;
    };
    results.push([await scene({ dial, adapter, seen, until }), seen]);
  }
  expect(results[0]).toEqual(results[1]);
  return results[0]!;
}

describe('the hooks of crossws', () => {
  it('hear of open, messages, pings, pongs and close', async () => {
    const [got, seen] = await both(
      (heard) => ({
        hooks: defineHooks({
          open(peer) {
            heard.push([
              'open',
              peer.namespace,
              peer.remoteAddress,
              new URL(peer.request.url).search,
            ]);
            peer.send({ welcome: [1, 'two'] });
          },
          async message(peer, message) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            const { rawData } = message;
            heard.push(['message', typeof rawData, message.text(), [...message.uint8Array()]]);
            if (message.text() === 'close') peer.close(4001, 'asked');
            else peer.send(rawData);
          },
          ping: (_, data) => void heard.push(['ping', `${data}`]),
          pong: (_, data) => void heard.push(['pong', `${data}`]),
          close: (_, { code, reason }) => void heard.push(['close', code, reason]),
        }),
      }),
      async ({ dial, until }) => {
        const log = await dial('/room?a=1');
        await log.received(1);
        log.socket.ping('1');
        log.socket.pong('2');
        await until(3);
        log.socket.send('text ä');
        await log.received(2);
        log.socket.send(Buffer.from([1, 2, 3]));
        await log.received(3);
        log.socket.send('close');
        const close = await log.closed();
        await until(7);
        return [log.messages, close];
      },
    );
    expect(got).toEqual([
      ['{"welcome":[1,"two"]}', 'text ä', Buffer.from([1, 2, 3])],
      [4001, 'asked'],
    ]);
    expect(seen).toHaveLength(7);
  });

  it('decide about the handshake: headers, protocol, context, a refusal, an error', async () => {
    const answers = async (at: string) => {
      const refused = [];
      for (const path of ['/returned', '/thrown', '/failed']) {
        refused.push(await connectWebSocket(at + path).catch(({ status }) => status));
      }
      return refused;
    };
    const options = (): CrosswsOptions => ({
      hooks: {
        upgrade(request) {
          const { pathname } = new URL(request.url);
          if (pathname === '/returned') return new Response('no', { status: 403 });
          if (pathname === '/thrown') throw new Response('no', { status: 401 });
          if (pathname === '/failed') throw new Error('no');
          const headers: [string, string][] = [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['x-app', 'seen'],
          ];
          return { headers: new Headers(headers), context: { user: 'u' }, namespace: 'own' };
        },
        open: (peer) => peer.send(`${peer.namespace} ${peer.context.user}`),
      },
      handleProtocols: (names) => [...names].at(-1),
    });
    for (const { at } of [onRingpoll(options()), await onNode(options())]) {
      expect(await answers(at)).toEqual([403, 401, 500]);
      const log = new SocketLog();
      const protocols = ['one', 'two'];
      const client = await dialSocket<never>(at, { ...log.handlers, protocols });
      expect(client.socket?.protocol).toBe('two');
      expect(await log.received(1)).toEqual(['own u']);
    }
  });

  it('are those of the request too, in the order of the messages', async () => {
    await both(
      (seen) => ({
        hooks: { message: (_, message) => void seen.push(`all: ${message}`) },
        async resolve(request) {
          const { pathname } = new URL(request.url);
          await new Promise(setImmediate);
          if (pathname === '/none') return {};
          return { message: (peer, message) => void peer.send(`${pathname}: ${message}`) };
        },
      }),
      async ({ dial, until }) => {
        const log = await dial('/one');
        for (let i = 0; i < 20; i++) log.socket.send(String(i));
        await log.received(20);
        (await dial('/none')).socket.send('x');
        await until(21);
        return log.messages;
      },
    );
  });

  it('publish to the topics of their namespace', async () => {
    await both(
      () => ({
        hooks: {
          open: (peer) => peer.subscribe('t'),
          message(peer, message) {
            if (message.text() === 'leave') peer.unsubscribe('t');
            else peer.publish('t', message.text());
            peer.send(`done ${[...peer.topics]} ${peer.peers.size}`);
          },
        },
      }),
      async ({ dial, adapter }) => {
        const logs = [await dial('/a'), await dial('/a'), await dial('/b')];
        logs[0]!.socket.send('from the first');
        await Promise.all([logs[0]!.received(1), logs[1]!.received(1)]);
        adapter.publish('t', 'to all');
        await Promise.all([logs[0]!.received(2), logs[1]!.received(2), logs[2]!.received(1)]);
        adapter.publish('t', { to: 'b' }, { namespace: '/b' });
        await logs[2]!.received(2);
        logs[1]!.socket.send('leave');
        await logs[1]!.received(3);
        adapter.publish('t', 'last');
        await Promise.all([logs[0]!.received(3), logs[2]!.received(3)]);
        await adapter.close(4000, 'over');
        const closes = await Promise.all(logs.map((log) => log.closed()));
        return [logs.map(({ messages }) => messages), closes];
      },
    );
  });

  it('reach other instances by a sync driver', async () => {
    const bus = new Set<(message: unknown) => void>();
    const sync: CrosswsOptions['sync'] = () => {
      let own: ((message: unknown) => void) | undefined;
      return {
        subscribe(deliver) {
          own = deliver as (message: unknown) => void;
          bus.add(own);
        },
        publish(message) {
          if (message.topic === 'broken') throw new Error('no bus');
          for (const each of bus) if (each !== own) each(message);
        },
        close: () => void (own && bus.delete(own)),
      };
    };
    const errors: unknown[] = [];
    const hooks: CrosswsOptions['hooks'] = {
      open: (peer) => peer.subscribe('t'),
      message: (peer, message) => peer.publish('t', message.rawData),
    };
    const onError: CrosswsOptions['onError'] = (error, { stage }) =>
      errors.push([(error as Error).message, stage]);
    const [one, two] = [onRingpoll({ hooks, sync, onError }), onRingpoll({ hooks, sync })];
    const [a, b] = [new SocketLog(), new SocketLog()];
    const client = await dialSocket<never>(`${one.at}/n`, a.handlers);
    await dialSocket<never>(`${two.at}/n`, b.handlers);
    client.send('text');
    client.send(Buffer.from([0, 255]));
    expect(await b.received(2)).toEqual(['text', Buffer.from([0, 255])]);
    two.adapter.publish('t', 'from the server');
    expect(await a.received(1)).toEqual(['from the server']);
    one.adapter.publish('broken', 'x');
    expect(errors).toEqual([['no bus', 'publish']]);
    await one.adapter.close();
    expect(bus.size).toBe(1);
  });

  it('get errors of hooks, and wait for a drain', async () => {
    const errors: string[] = [];
    let drained = 0;
    const { at } = onRingpoll({
      hooks: {
        async message(peer, message) {
          if (message.text() === 'long ping') return void peer.ping('x'.repeat(126));
          if (message.text() === 'throw') throw new Error('thrown by a hook');
          for (let i = 0; i < 100; i++) {
            peer.send(Buffer.alloc(100_000));
            if (peer.bufferedAmount > 1_000_000) await peer.waitForDrain({ threshold: 1000 });
          }
          drained = peer.bufferedAmount;
          peer.close();
        },
        error: (_, error) => void errors.push(`${error.name}: ${error.message}`),
      },
    });
    const log = new SocketLog();
    const client = await dialSocket<never>(at, log.handlers);
    client.send('much');
    await log.received(100);
    expect(drained).toBeLessThan(1_100_001);
    expect(await log.closed()).toEqual([1005, '']);
    const other = new SocketLog();
    const second = await dialSocket<never>(at, other.handlers);
    second.send('long ping');
    second.send('throw');
    expect((await other.closed())[0]).toBe(1006);
    expect(errors).toEqual([expect.stringMatching(/125 bytes/), 'WSError: thrown by a hook']);
  });

  it('leave what is no handshake to the program', async () => {
    const { at } = onRingpoll({ hooks: {} });
    const answer = await fetch(at.replace('ws', 'http'));
    expect(answer.status).toBe(426);
  });

  it.each([
    [{ hook: {} }, 'ERR_RINGPOLL_UNKNOWN_OPTION', /did you mean hooks/],
    [{ hooks: { mesage() {} } }, 'ERR_RINGPOLL_UNKNOWN_OPTION', /did you mean message/],
    [{ hooks: { open: 1 } }, 'ERR_RINGPOLL_INVALID_ARG_TYPE', /options\.hooks\.open/],
    [{ idleTimeout: -1 }, 'ERR_RINGPOLL_OUT_OF_RANGE', /idleTimeout/],
  ])('are checked: %j', (options, code, message) => {
    const make = () => crossws(options as never);
    expect(make).toThrowError(expect.objectContaining({ code }));
    expect(make).toThrowError(message);
  });
});
