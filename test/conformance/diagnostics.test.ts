// What servers and clients tell node:diagnostics_channel.
import { AsyncLocalStorage } from 'node:async_hooks';
import diagnostics from 'node:diagnostics_channel';
import { type ClientRequestEvent, request } from 'ringpoll/client';
import type { ServerErrorEvent, ServerRequestEvent } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  deferred,
  dialHttp,
  exchange,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { codeOf } from '../support/recorder.js';

const SERVER = 'ringpoll:http:server:request';
const CLIENT = 'ringpoll:http:client:request';

/** Hears of a channel until the test is over. */
function subscribe<Message>(name: string, hear: (message: Message) => void): void {
  const listener = (message: unknown) => hear(message as Message);
  diagnostics.subscribe(name, listener);
  onTestFinished(() => void diagnostics.unsubscribe(name, listener));
}

/** What the server's channels have told, in order. */
function serverEvents() {
  const told: string[] = [];
  subscribe<ServerRequestEvent>(`${SERVER}:start`, ({ request }) => {
    told.push(`start ${request.path}`);
  });
  subscribe<ServerRequestEvent>(`${SERVER}:end`, ({ request, route, status, aborted, ms }) => {
    expect(ms).toBeGreaterThanOrEqual(0);
    told.push(`end ${request.path} ${route} ${status}${aborted ? ' aborted' : ''}`);
  });
  subscribe<ServerErrorEvent>(`${SERVER}:error`, ({ error, request }) => {
    told.push(`error ${request?.path} ${error.message}`);
  });
  return told;
}

describe('the channels of a server', () => {
  it('tell of each request, answered at once, later, in pieces, and by a failure', async () => {
    const told = serverEvents();
    const server = serveHttp({
      error() {},
      routes: {
        '/now/:id': () => 'now',
        '/later': async () => {
          await new Promise(setImmediate);
          return 'later';
        },
        '/pieces': (_, response) => {
          response.write('one');
          response.end('two');
        },
        '/fails': () => {
          throw new Error('no');
        },
      },
    });
    for (const path of ['/now/1', '/later', '/pieces', '/fails', '/none']) {
      await exchange(server, requestText('GET', path, { Connection: 'close' }));
    }
    expect(told).toEqual([
      ...['start /now/1', 'end /now/1 /now/:id 200'],
      ...['start /later', 'end /later /later 200'],
      ...['start /pieces', 'end /pieces /pieces 200'],
      ...['start /fails', 'error /fails no', 'end /fails /fails 500'],
      ...['start /none', 'end /none  404'],
    ]);
  });

  it('tell once of a request whose peer has gone, and of one that is no request', async () => {
    const told = serverEvents();
    const arrival = deferred();
    const gone = deferred();
    const server = serveHttp({ error() {}, handler: () => arrival.resolve() });
    subscribe(`${SERVER}:end`, () => gone.resolve());
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/left'));
    await arrival.promise;
    peer.reset();
    await gone.promise;
    const [refusal] = parseAnswers(await exchange(server, 'nonsense\r\n\r\n'));
    expect(refusal.status).toBe(400);
    expect(told.slice(0, 2)).toEqual(['start /left', 'end /left  undefined aborted']);
    expect(told.slice(2)).toEqual([expect.stringMatching(/^error undefined /)]);
  });

  it('give the handler the stores that are bound to the start', async () => {
    const store = new AsyncLocalStorage<string>();
    const start = diagnostics.channel(`${SERVER}:start`);
    start.bindStore(store, (message) => `of ${(message as ServerRequestEvent).request.path}`);
    onTestFinished(() => void start.unbindStore(store));
    const server = serveHttp({
      handler: async () => {
        await new Promise(setImmediate);
        return store.getStore() ?? 'none';
      },
    });
    const text = requestText('GET', '/a') + requestText('GET', '/b');
    const answers = parseAnswers(await exchange(server, text));
    expect(answers.map(({ body }) => body)).toEqual(['of /a', 'of /b']);
    expect(store.getStore()).toBeUndefined();
  });

  it('leave nothing behind on a response that nobody observes', async () => {
    const extras: unknown[] = [];
    const server = serveHttp({
      handler: (_, response) => {
        response.end('x');
        extras.push((response as unknown as { _extras: unknown })._extras);
      },
    });
    await exchange(server, requestText('GET', '/'));
    subscribe(`${SERVER}:end`, () => {});
    await exchange(server, requestText('GET', '/'));
    expect(extras).toEqual([undefined, expect.anything()]);
  });
});

describe('the channels of a client', () => {
  it('tell of requests with their answers, and send the headers that were added', async () => {
    const told: unknown[] = [];
    let late: ClientRequestEvent | undefined;
    subscribe<ClientRequestEvent>(`${CLIENT}:start`, (event) => {
      event.addHeader('x-trace', 'abc');
      told.push(['start', event.method, event.path]);
      late = event;
    });
    subscribe<ClientRequestEvent>(`${CLIENT}:end`, (event) => {
      told.push(['end', event === late, event.response?.status]);
    });
    const server = serveHttp({
      handler: (asked) => `${asked.header('x-trace')} ${asked.header('x-own')}`,
    });
    const origin = `http://127.0.0.1:${server.port}`;
    const answer = await request(`${origin}/a?b`, { headers: { 'x-own': 'own' } });
    late?.addHeader('x-late', 'no');
    expect(await answer.text()).toBe('abc own');
    expect(late?.origin).toBe(origin);
    expect(told).toEqual([
      ['start', 'GET', '/a?b'],
      ['end', true, 200],
    ]);
  });

  it('tell of a request that has failed, and refuse a header that frames a body', async () => {
    const errors: unknown[] = [];
    const refused: unknown[] = [];
    subscribe<ClientRequestEvent>(`${CLIENT}:start`, (event) => {
      for (const [name, value] of [
        ['content-length', '3'],
        ['x', 'a\r\nb: c'],
      ]) {
        try {
          event.addHeader(name!, value!);
        } catch (error) {
          refused.push(codeOf(error));
        }
      }
    });
    subscribe<ClientRequestEvent>(`${CLIENT}:error`, ({ error }) => errors.push(error));
    const server = serveHttp({ handler: () => '' });
    const { port } = server;
    server.destroy();
    const failure = await request(`http://127.0.0.1:${port}/`).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe('ECONNREFUSED');
    expect(errors).toEqual([failure]);
    expect(refused).toEqual(['ERR_RINGPOLL_INVALID_ARG_VALUE', 'ERR_INVALID_CHAR']);
  });
});
