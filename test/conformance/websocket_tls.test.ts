// WebSockets over TLS: servers, connectWebSocket() and the standard's class.
import type { HttpServer } from 'ringpoll/http';
import { connectWebSocket, WebSocket } from 'ringpoll/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred } from '../support/http.js';
import { serveHttps } from '../support/https.js';
import { codeOf } from '../support/recorder.js';
import { pattern } from '../support/serve.js';
import { makePair, pair } from '../support/tls/certificate.js';

const tls = { ca: pair.cert };

function serveEcho(): HttpServer {
  return serveHttps({
    handler: (_request, response) => void response.status(426).end(),
    websocket: {
      open: (socket) => socket.subscribe('all'),
      message(socket, message) {
        if (message === 'publish') server.publish('all', 'published');
        else socket.send(message);
      },
    },
  });
}

let server: HttpServer;

const urlOf = (scheme = 'wss') => `${scheme}://localhost:${server.port}/a?b`;

describe('connectWebSocket()', () => {
  it.each(['wss', 'https'])('speaks TLS to %s:, messages small and large', async (scheme) => {
    server = serveEcho();
    const got: (string | Buffer)[] = [];
    const done = deferred();
    const client = await connectWebSocket(urlOf(scheme), {
      tls,
      message(_socket, message) {
        got.push(typeof message === 'string' ? message : Buffer.from(message.bytes));
        if (got.length === 3) done.resolve();
      },
    });
    onTestFinished(() => client.terminate());
    expect(client.url).toBe(urlOf());
    const large = pattern(500_000);
    client.send('small');
    client.send(large);
    client.send('publish');
    await done.promise;
    expect(got[0]).toBe('small');
    expect(large.equals(got[1] as Buffer)).toBe(true);
    expect(got[2]).toBe('published');
    client.close(1000, 'done');
    await client.closed;
  });

  it('refuses a server whose certificate it does not trust, or of another name', async () => {
    server = serveEcho();
    const other = (await makePair()).cert;
    const codes = await Promise.all([
      connectWebSocket(urlOf()).then(String, codeOf),
      connectWebSocket(urlOf(), { tls: { ca: other } }).then(String, codeOf),
      connectWebSocket(urlOf(), { tls: { ...tls, servername: 'other.example' } }).then(
        String,
        codeOf,
      ),
    ]);
    expect(codes).toEqual(Array(3).fill('ERR_RINGPOLL_TLS_VERIFY'));
  });

  it('takes tls for wss: only, and checks it at once', async () => {
    const at = 'ws://127.0.0.1:1/';
    expect(await connectWebSocket(at, { tls }).then(String, codeOf)).toBe(
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    );
    const wrong = { tls: { ca: 1 } } as never;
    expect(await connectWebSocket('wss://127.0.0.1:1/', wrong).then(String, codeOf)).toBe(
      'ERR_RINGPOLL_INVALID_ARG_TYPE',
    );
  });
});

describe("the standard's WebSocket", () => {
  it('speaks TLS to wss:', async () => {
    server = serveEcho();
    const socket = new WebSocket(urlOf(), { tls });
    const messages: unknown[] = [];
    const closed = deferred<CloseEvent>();
    socket.onopen = () => socket.send('hello');
    socket.onmessage = ({ data }) => {
      messages.push(data);
      socket.close(1000);
    };
    socket.onclose = (event) => closed.resolve(event as CloseEvent);
    expect(await closed.promise).toMatchObject({ code: 1000, wasClean: true });
    expect(messages).toEqual(['hello']);
  });

  it('is closed with 1006 by a server that it does not trust', async () => {
    server = serveEcho();
    const socket = new WebSocket(urlOf());
    const events: string[] = [];
    const closed = deferred<CloseEvent>();
    socket.onerror = () => events.push('error');
    socket.onclose = (event) => closed.resolve(event as CloseEvent);
    expect(await closed.promise).toMatchObject({ code: 1006, wasClean: false });
    expect(events).toEqual(['error']);
  });
});
