// The hooks of a server: when they are called, and that they harm nobody.
import { type HookedConnection, type ServeOptions, serve } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import {
  deferred,
  dialHttp,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { ask2, dialHttp2, serveHttp2 } from '../support/http2.js';
import { codeOf } from '../support/recorder.js';

describe('hooks', () => {
  it('are called in the order of the steps', async () => {
    const told: string[] = [];
    const connections: HookedConnection[] = [];
    const closed = deferred();
    const server = serveHttp({
      error() {},
      handler: async (request) => {
        told.push(`handler ${request.path}`);
        await new Promise(setImmediate);
        if (request.path === '/fails') throw new Error('no');
        return 'x';
      },
      hooks: {
        onAccept: (connection) => {
          connections.push(connection);
          told.push(`accept ${connection.remoteAddress}`);
        },
        onHeaders: ({ path }) => told.push(`headers ${path}`),
        onHandlerStart: ({ path }) => told.push(`start ${path}`),
        onHandlerEnd: ({ path }, _, error) => told.push(`end ${path} ${error}`),
        onFlush: ({ path }) => told.push(`flush ${path}`),
        onClose: (connection, error) => {
          told.push(`close ${connection === connections[0]} ${error} ${connection.bytesRead > 0}`);
          closed.resolve();
        },
      },
    });
    const client = await HttpClient.connect(server);
    for (const path of ['/a', '/fails']) {
      await client.get(path);
    }
    client.peer.end();
    await closed.promise;
    expect(told).toEqual([
      'accept 127.0.0.1',
      ...['headers /a', 'start /a', 'handler /a', 'end /a undefined', 'flush /a'],
      ...['headers /fails', 'start /fails', 'handler /fails', 'end /fails Error: no'],
      ...['flush /fails', 'close true undefined true'],
    ]);
  });

  it('tell of the first byte of each request, whenever the rest comes', async () => {
    const told: string[] = [];
    const [first, fourth] = [deferred(), deferred()];
    let bytes = 0;
    const server = serveHttp({
      handler: ({ path }) => path,
      hooks: {
        onFirstByte: (connection) => {
          told.push(`byte from ${connection.remoteAddress}`);
          bytes++;
          if (bytes === 1) first.resolve();
          if (bytes === 4) fourth.resolve();
        },
        onHeaders: ({ path }) => told.push(`headers ${path}`),
      },
    });
    const client = await HttpClient.connect(server);
    const text = requestText('GET', '/slow');
    client.send(text.slice(0, 1));
    await first.promise;
    expect(told).toEqual(['byte from 127.0.0.1']);
    client.send(text.slice(1));
    await client.next();
    expect(told).toEqual(['byte from 127.0.0.1', 'headers /slow']);
    client.send(requestText('GET', '/a') + requestText('GET', '/b') + text.slice(0, 10));
    await client.next();
    await client.next();
    await fourth.promise;
    const byte = 'byte from 127.0.0.1';
    expect(told.slice(2).sort()).toEqual([byte, byte, byte, 'headers /a', 'headers /b']);
    expect(told.indexOf('headers /a')).toBeGreaterThan(2);
  });

  it('that throw or reject are told, and the answers are the same', async () => {
    const told: string[] = [];
    const fail = (name: string) => () => {
      throw new Error(name);
    };
    const all = deferred();
    const server = serveHttp({
      error: ({ message }, request) => {
        told.push(`${message} ${request?.path}`);
        if (told.length === 6) all.resolve();
      },
      handler: () => 'hello',
      hooks: {
        onAccept: fail('accept'),
        onHeaders: async () => fail('headers')(),
        onHandlerStart: fail('start'),
        onHandlerEnd: fail('end'),
        onFlush: fail('flush'),
        onClose: fail('close'),
      },
    });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', '/')));
    expect([answer.status, answer.body]).toEqual([200, 'hello']);
    await all.promise;
    expect(told.sort()).toEqual(
      ['accept undefined', 'close undefined', 'end /', 'flush /', 'headers /', 'start /'].sort(),
    );
  });

  it('tell of the head of a request whose handler never runs', async () => {
    const told: string[] = [];
    const closed = deferred();
    const arrived = deferred();
    const server = serveHttp({
      highWaterMark: 1024,
      handler: ({ path }, response) => {
        if (path === '/0') response.end(Buffer.alloc(64 * 1024 * 1024));
        else response.end('x');
      },
      hooks: {
        onHeaders: ({ path }) => {
          told.push(`headers ${path}`);
          if (path === '/1') arrived.resolve();
        },
        onHandlerStart: ({ path }) => told.push(`start ${path}`),
        onClose: () => closed.resolve(),
      },
    });
    const peer = await dialHttp(server);
    peer.socket.pause();
    peer.send(requestText('GET', '/0') + requestText('GET', '/1'));
    await arrived.promise;
    peer.reset();
    await closed.promise;
    expect(told).toEqual(['headers /0', 'start /0', 'headers /1']);
  });

  it('call no onFlush for a request whose peer has gone', async () => {
    const told: string[] = [];
    const started = deferred();
    const closed = deferred();
    const server = serveHttp({
      handler: () => {},
      hooks: {
        onHandlerStart: () => started.resolve(),
        onFlush: () => told.push('flush'),
        onClose: (_, error) => {
          told.push(`close ${codeOf(error)}`);
          closed.resolve();
        },
      },
    });
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/'));
    await started.promise;
    peer.reset();
    await closed.promise;
    expect(told).toEqual(['close ECONNRESET']);
  });

  it('call onHeaders once for a request that had to wait', async () => {
    const told: string[] = [];
    const first = deferred();
    const server = serveHttp({
      highWaterMark: 1024,
      handler: async ({ path }) => {
        if (path === '/0') await first.promise;
        return 'x'.repeat(4096);
      },
      hooks: {
        onHeaders: ({ path }) => {
          told.push(`headers ${path}`);
          if (path === '/2') first.resolve();
        },
        onHandlerStart: ({ path }) => told.push(`start ${path}`),
      },
    });
    const text = ['/0', '/1', '/2'].map((path) => requestText('GET', path)).join('');
    expect(parseAnswers(await exchange(server, text))).toHaveLength(3);
    const paths = ['/0', '/1', '/2'];
    for (const path of paths) {
      expect(told.filter((line) => line === `headers ${path}`)).toHaveLength(1);
      expect(told.indexOf(`headers ${path}`)).toBeLessThan(told.indexOf(`start ${path}`));
    }
  });

  it('are called for HTTP/2, and tell of the end of its connection', async () => {
    const told: string[] = [];
    const over = deferred();
    const server = serveHttp2({
      handler: () => 'x',
      hooks: {
        onAccept: ({ tls }) => told.push(`accept ${tls?.alpn}`),
        onHandlerStart: ({ httpVersion }) => told.push(`start ${httpVersion}`),
        onFlush: () => told.push('flush'),
        onClose: () => {
          told.push('close');
          over.resolve();
        },
      },
    });
    const session = await dialHttp2(server);
    await ask2(session, '/');
    session.close();
    await over.promise;
    expect(told).toEqual(['accept h2', 'start 2.0', 'flush', 'close']);
  });

  it('tell of the end of a connection that speaks something else by then', async () => {
    const told: string[] = [];
    const over = deferred();
    const server = serveHttp({
      upgrade: true,
      handler: (_, response) => {
        response.upgrade({ Upgrade: 'echo' }, { data: (raw, chunk) => void raw.write(chunk) });
      },
      hooks: {
        onAccept: () => told.push('accept'),
        onFlush: () => told.push('flush'),
        onClose: () => {
          told.push('close');
          over.resolve();
        },
      },
    });
    const peer = await dialHttp(server);
    peer.send(requestText('GET', '/', { Connection: 'upgrade', Upgrade: 'echo' }));
    await peer.receivedUntil('101');
    peer.send('ping');
    await peer.receivedUntil('ping');
    expect(told).toEqual(['accept', 'flush']);
    peer.end();
    await over.promise;
    expect(told).toEqual(['accept', 'flush', 'close']);
  });

  it('leave a server without them as it was', async () => {
    const extras: unknown[] = [];
    const handler: ServeOptions['handler'] = (_, response) => {
      response.end('x');
      extras.push((response as unknown as { _extras: unknown })._extras);
    };
    for (const hooks of [undefined, {}, { onHandlerStart() {} }, { onFlush() {} }]) {
      await exchange(serveHttp({ handler, hooks }), requestText('GET', '/'));
    }
    expect(extras).toEqual([undefined, undefined, undefined, expect.anything()]);
  });

  it.each<[unknown, string]>([
    [null, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ onAccept: 'x' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ onFirstBytes() {} }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
  ])('refuse %o', (hooks, code) => {
    let thrown: unknown;
    try {
      serve({ port: 0, handler: () => '', hooks } as ServeOptions).destroy();
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});
