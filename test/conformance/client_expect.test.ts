// Expect: 100-continue of the client: when the body goes, and when it does not.
import { describe, expect, it } from 'vitest';
import { client, failure, serveNode, serveRaw } from '../support/client.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const bodies: [string, () => string | AsyncIterable<string>][] = [
  ['text', () => 'hello'],
  [
    'a stream',
    async function* () {
      yield 'hel';
      yield 'lo';
    },
  ],
];

describe('a request that expects 100', () => {
  it.each(bodies)('sends %s when the server wants it', async (_, body) => {
    const { url, server } = await serveNode(() => {});
    const order: string[] = [];
    server.on('checkContinue', (request, response) => {
      order.push('asked');
      request.on('data', () => order.push('body'));
      setImmediate(() => {
        order.push('continue');
        response.writeContinue();
      });
      request.on('end', () => response.end(request.headers['content-length'] ?? 'chunked'));
    });
    const one = client();
    for (let i = 0; i < 2; i++) {
      const response = await one.request(url, {
        ...{ method: 'POST', body: body(), expectContinue: true },
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(typeof body() === 'string' ? '5' : 'chunked');
    }
    expect(order.slice(0, 3)).toEqual(['asked', 'continue', 'body']);
    // The connection was kept.
    expect(one.counts.open).toBe(1);
  });

  it.each(bodies)('sends no %s to a server that refuses it', async (_, body) => {
    const seen: string[] = [];
    const raw = await serveRaw((socket, nth, request) => {
      seen.push(request);
      socket.on('data', (data) => seen.push(String(data)));
      const refused = 'HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno';
      socket.write(nth === 1 ? refused : OK);
    });
    const one = client();
    const options = { method: 'PUT', body: body(), expectContinue: true };
    const response = await one.request(raw.url, options);
    expect(`${response.status} ${await response.text()}`).toBe('417 no');
    const next = await one.request(raw.url);
    expect(await next.text()).toBe('ok');
    expect(seen[0]).toContain('expect: 100-continue\r\n');
    expect(seen.join('')).not.toContain('hel');
    // What was announced and not sent would be taken for the next request.
    expect(raw.connections).toBe(2);
  });

  it('sends the body to a server that says nothing, after a second', async () => {
    const raw = await serveRaw((socket, _, request) => {
      if (request.startsWith('POST')) {
        socket.on('data', (data) => {
          if (String(data).includes('hello')) socket.write(OK);
        });
      }
    });
    const before = performance.now();
    const options = { method: 'POST', body: 'hello', expectContinue: true };
    const response = await client().request(raw.url, options);
    expect(await response.text()).toBe('ok');
    expect(performance.now() - before).toBeGreaterThan(900);
  });

  it('fails when the server leaves before it says anything, and waits no more', async () => {
    const raw = await serveRaw((socket) => socket.end());
    const options = { method: 'POST', body: 'hello', expectContinue: true };
    const error = await failure(client().request(raw.url, options));
    expect(error.code).toBe('ERR_RINGPOLL_NO_RESPONSE');
    const control = new AbortController();
    const mute = await serveRaw(() => control.abort(new Error('enough')));
    const aborted = client().request(mute.url, { ...options, signal: control.signal });
    expect((await failure(aborted)).message).toBe('enough');
  });

  it('is an ordinary one without a body', async () => {
    const { url } = await serveNode((request, response) => {
      response.end(String(request.headers.expect));
    });
    const response = await client().request(url, { expectContinue: true });
    expect(await response.text()).toBe('undefined');
    const wrong = { expectContinue: 'yes' } as never;
    const error = await failure(client().request(url, wrong));
    expect(error.code).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  });
});
