// routes: { '/path': { websocket } }: which handlers, limits and answers each path has.
import { serve } from 'ringpoll/http';
import { connectWebSocket } from 'ringpoll/websocket';
import { describe, expect, it } from 'vitest';
import { serveHttp } from '../support/http.js';
import { dialSocket, SocketLog } from '../support/websocket.js';

type Routes = Parameters<typeof serve>[0]['routes'];

/** Serves these routes; gives the authority that they are under. */
function serveRoutes(routes: Routes, more: object = {}) {
  const server = serveHttp({ routes, ...more } as Parameters<typeof serveHttp>[0]);
  return { server, at: `127.0.0.1:${server.port}` };
}

async function say(url: string, text: string, options: object = {}) {
  const log = new SocketLog();
  const client = await dialSocket<never>(url, { ...log.handlers, ...options });
  client.send(text);
  return { log, client };
}

describe('a route with a WebSocket', () => {
  it('has handlers, parameters and data of its own', async () => {
    const { at } = serveRoutes({
      '/echo': { websocket: { message: (socket, message) => socket.send(message) } },
      '/rooms/:name': {
        websocket: {
          upgrade: ({ params }) => ({ data: params.name }),
          message: (socket, message) => socket.send(`${socket.data}: ${message}`),
        },
      },
    });
    const echo = await say(`ws://${at}/echo`, 'one');
    const room = await say(`ws://${at}/rooms/caf%C3%A9?x=1`, 'two');
    expect(await echo.log.received(1)).toEqual(['one']);
    expect(await room.log.received(1)).toEqual(['café: two']);
    await expect(connectWebSocket(`ws://${at}/rooms/%ff`)).rejects.toMatchObject({ status: 400 });
  });

  it('has limits and compression of its own', async () => {
    const closes: number[] = [];
    const route = (maxPayload: number, perMessageDeflate: boolean) => ({
      websocket: {
        maxPayload,
        perMessageDeflate,
        open: (socket: { send(text: string): void; extensions: string }) =>
          socket.send(socket.extensions),
        close: (_: unknown, code: number) => closes.push(code),
      },
    });
    const { at } = serveRoutes({ '/small': route(10, false), '/large': route(1000, true) });
    const options = { perMessageDeflate: true };
    const small = await say(`ws://${at}/small`, 'x'.repeat(11), options);
    expect((await small.log.closed())[0]).toBe(1009);
    expect(small.log.messages).toEqual(['']);
    const large = await say(`ws://${at}/large`, 'x'.repeat(1000), options);
    expect(`${await large.log.received(1)}`).toMatch(/^permessage-deflate/);
    large.client.close(1000);
    expect((await large.log.closed())[0]).toBe(1000);
    while (closes.length < 2) await new Promise(setImmediate);
    expect(closes).toEqual([1006, 1000]);
  });

  it('answers other requests by its methods, or with 426', async () => {
    const { at } = serveRoutes({
      '/both': { GET: () => 'page', websocket: {} },
      '/only': { websocket: {} },
    });
    const get = async (path: string, method = 'GET') => {
      const answer = await fetch(`http://${at}${path}`, { method });
      return [answer.status, answer.headers.get('upgrade'), answer.headers.get('allow')];
    };
    expect(await get('/both')).toEqual([200, null, null]);
    expect(await get('/only')).toEqual([426, 'websocket', null]);
    expect(await get('/only', 'POST')).toEqual([405, null, 'GET, HEAD']);
    expect(await get('/none')).toEqual([404, null, null]);
    await (await connectWebSocket(`ws://${at}/both`)).close(1000);
    await expect(connectWebSocket(`ws://${at}/none`)).rejects.toMatchObject({ status: 404 });
  });

  it('leaves to HTTP what its upgrade() does not want', async () => {
    const { at } = serveRoutes({
      '/page': { GET: () => 'page', websocket: { upgrade: () => false } },
      '/only': { websocket: { upgrade: () => false } },
      '/refused': { websocket: { upgrade: () => ({ status: 403 }) } },
    });
    for (const [path, status] of Object.entries({ page: 200, only: 426, refused: 403 })) {
      await expect(connectWebSocket(`ws://${at}/${path}`)).rejects.toMatchObject({ status });
    }
  });

  it('goes before the WebSocket of the server, which has all other paths', async () => {
    const named = (name: string) => ({
      message: (socket: { send(text: string): void }, message: unknown) =>
        socket.send(`${name} ${message}`),
    });
    const websocket = named('general');
    const { at } = serveRoutes(
      { '/own': { websocket: named('own') }, '/get': { GET: () => 'get' } },
      { websocket },
    );
    for (const [path, name] of Object.entries({ own: 'own', get: 'general', other: 'general' })) {
      const { log } = await say(`ws://${at}/${path}`, path);
      expect(await log.received(1)).toEqual([`${name} ${path}`]);
    }
  });

  it('is there for servers with fetch, without asking it', async () => {
    const { at } = serveRoutes(
      { '/chat/:id': { websocket: { open: (socket) => socket.send('open') } } },
      { fetch: () => new Response('fetched') },
    );
    const { log } = await say(`ws://${at}/chat/1`, '');
    expect(await log.received(1)).toEqual(['open']);
    expect(await (await fetch(`http://${at}/`)).text()).toBe('fetched');
    await expect(connectWebSocket(`ws://${at}/`)).rejects.toMatchObject({ status: 200 });
  });

  it('shares the topics of the server, and closes with it', async () => {
    const websocket = {
      open: (socket: { subscribe(topic: string): void }) => socket.subscribe('t'),
    };
    const { server, at } = serveRoutes({ '/a': { websocket }, '/b': { websocket } }, { websocket });
    const all = [];
    for (const path of ['a', 'b', 'c']) all.push(await say(`ws://${at}/${path}`, ''));
    expect(server.subscriberCount('t')).toBe(3);
    expect(server.publish('t', 'to all')).toBe(3);
    for (const { log } of all) expect(await log.received(1)).toEqual(['to all']);
    const stopped = server.stop();
    for (const { log } of all) expect((await log.closed())[0]).toBe(1001);
    await stopped;
  });
});

describe('wrong options of a route', () => {
  const open = (websocket: unknown) => () =>
    serve({ port: 0, routes: { '/a': { websocket } } } as never).destroy();

  it.each([
    [{ mesage() {} }, 'ERR_RINGPOLL_UNKNOWN_OPTION', /routes\['\/a'\]\.websocket\.mesage.*message/],
    [{ maxPayload: 0 }, 'ERR_RINGPOLL_OUT_OF_RANGE', /routes\['\/a'\]\.websocket\.maxPayload/],
    [{ overload: 'x' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE', /routes\['\/a'\]\.websocket\.overload/],
    [{ sessionTimeout: -1 }, 'ERR_RINGPOLL_OUT_OF_RANGE', /websocket\.sessionTimeout/],
    [{ open: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE', /routes\['\/a'\]\.websocket\.open/],
    [null, 'ERR_RINGPOLL_INVALID_ARG_TYPE', /routes\['\/a'\]\.websocket/],
  ])('are named with their path: %j', (options, code, message) => {
    expect(open(options)).toThrowError(expect.objectContaining({ code }));
    expect(open(options)).toThrowError(message);
  });
});
