// The end of a server.
import type { HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { deferred, HttpClient, requestText, serveHttp } from '../support/http.js';
import { within } from '../support/recorder.js';
import { roundTrips } from '../support/turns.js';

const soon = <T>(promise: Promise<T>) => within(promise, () => 'stop()', 5000);

describe('stop()', () => {
  it('closes idle connections at once, also those that never asked', async () => {
    const server = serveHttp({
      keepAliveTimeout: 60_000,
      handler: (_, response) => response.end('x'),
    });
    const silent = await HttpClient.connect(server);
    const idle = await HttpClient.connect(server);
    expect((await idle.get('/')).headers.connection).toBe('keep-alive');
    await soon(server.stop());
    await silent.peer.untilOver();
    await idle.peer.untilOver();
    expect(server.connections).toBe(0);
  });

  it('lets busy connections answer, and says close', async () => {
    const started = deferred<HttpResponse>();
    const server = serveHttp({ handler: (_, response) => started.resolve(response) });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    const response = await started.promise;
    const stopped = server.stop();
    await roundTrips();
    response.end('last');
    const answer = await client.next();
    expect(answer).toMatchObject({ body: 'last', headers: { connection: 'close' } });
    client.peer.end();
    await soon(stopped);
  });

  it('lets a head that has begun become a request', async () => {
    const server = serveHttp({ handler: (request, response) => response.end(request.path) });
    const client = await HttpClient.connect(server);
    client.send('GET /begun HTTP/1.1\r\n');
    await roundTrips();
    const stopped = server.stop();
    client.send('Host: x\r\n\r\n');
    expect(await client.next()).toMatchObject({ body: '/begun', headers: { connection: 'close' } });
    client.peer.end();
    await soon(stopped);
  });

  it('from within a handler', async () => {
    let stopped: Promise<void> | undefined;
    const server = serveHttp({
      handler(_, response) {
        stopped = server.stop();
        response.end('bye');
      },
    });
    const client = await HttpClient.connect(server);
    expect(await client.get('/')).toMatchObject({ body: 'bye', headers: { connection: 'close' } });
    await client.peer.untilEnd();
    client.peer.end();
    await soon(stopped!);
  });

  it('ends a stream that has begun after it', async () => {
    const started = deferred<HttpResponse>();
    const server = serveHttp({
      handler(_, response) {
        response.write('a');
        started.resolve(response);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    const response = await started.promise;
    const stopped = server.stop();
    response.end('b');
    expect((await client.next()).body).toBe('ab');
    await client.peer.untilEnd();
    client.peer.end();
    await soon(stopped);
  });

  it('resets what is left at the deadline', async () => {
    const server = serveHttp({ handler() {} });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await roundTrips();
    await soon(server.stop({ timeout: 50 }));
    await client.peer.untilOver();
    expect(server.connections).toBe(0);
  });

  it('does not wait for peers that never end', async () => {
    const server = serveHttp({
      lingerTimeout: 100,
      handler: (_, response) => response.header('Connection', 'close').end('x'),
    });
    const client = await HttpClient.connect(server);
    await client.get('/');
    await soon(server.stop());
  });

  it('refuses new connections, and another server can listen there', async () => {
    const server = serveHttp({ handler: (_, response) => response.end('one') });
    const { port } = server;
    await soon(server.stop());
    const next = serveHttp({ port: port!, handler: (_, response) => response.end('two') });
    expect((await (await HttpClient.connect(next)).get('/')).body).toBe('two');
  });

  it('is what disposing does', async () => {
    const server = serveHttp({ handler: (_, response) => response.end('x') });
    await soon(server[Symbol.asyncDispose]());
    expect(server.connections).toBe(0);
  });
});

describe('close()', () => {
  it('lets busy connections answer, ends idle ones, and resolves when all are gone', async () => {
    const started = deferred<HttpResponse>();
    const server = serveHttp({
      handler(request, response) {
        if (request.path === '/') response.end('x');
        else started.resolve(response);
      },
    });
    const idle = await HttpClient.connect(server);
    await idle.get('/');
    const busy = await HttpClient.connect(server);
    busy.send(requestText('GET', '/slow'));
    const response = await started.promise;
    const closed = server.close();
    await idle.peer.untilOver();
    response.end('last');
    expect(await busy.next()).toMatchObject({ body: 'last', headers: { connection: 'close' } });
    busy.peer.end();
    await soon(closed);
    expect(server.connections).toBe(0);
  });

  it('may follow stop(), and the other way round', async () => {
    const server = serveHttp({ handler: (_, response) => response.end('x') });
    const client = await HttpClient.connect(server);
    await client.get('/');
    await soon(Promise.all([server.stop(), server.close(), server.stop({ timeout: 1000 })]));
    await soon(server.close());
  });
});

describe('destroy()', () => {
  it('drops everything', async () => {
    const aborted = deferred<boolean>();
    const server = serveHttp({
      handler(request) {
        request.signal.addEventListener('abort', () => aborted.resolve(true));
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await roundTrips();
    server.destroy();
    expect(await aborted.promise).toBe(true);
    await client.peer.untilOver();
  });

  it('ends what close() waits for', async () => {
    const server = serveHttp({ handler() {} });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    await roundTrips();
    const closed = server.close();
    server.destroy();
    await soon(closed);
    await client.peer.untilOver();
  });
});

describe('a response after its connection', () => {
  it('goes nowhere, quietly', async () => {
    const started = deferred<HttpResponse>();
    const over = deferred();
    const server = serveHttp({
      handler(request, response) {
        request.signal.addEventListener('abort', () => over.resolve());
        started.resolve(response);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/'));
    const response = await started.promise;
    client.peer.reset();
    await over.promise;
    await roundTrips();
    expect(response.write('x')).toBe(false);
    await expect(response.drained()).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_HTTP_ABORTED',
    });
    response.end('y');
    expect(response.ended).toBe(true);
  });

  it('that waits for its turn is told', async () => {
    const responses: HttpResponse[] = [];
    const both = deferred();
    const server = serveHttp({
      handler(_, response) {
        responses.push(response);
        if (responses.length === 2) both.resolve();
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/').repeat(2));
    await both.promise;
    const waiting = responses[1]!.drained();
    client.peer.reset();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
  });
});

describe('a server that is gone', () => {
  it('may be stopped again, and the next one does not notice', async () => {
    const first = serveHttp({ handler: (_, response) => response.end() });
    await soon(first.stop());
    await new Promise(setImmediate); // now native code may use the number of the first again
    const second = serveHttp({ handler: (_, response) => response.end('still here') });
    const client = await HttpClient.connect(second);
    await client.get('/');
    await soon(first.stop());
    first.destroy();
    const answer = await client.get('/');
    expect(answer.body).toBe('still here');
    expect(answer.headers.connection).toBe('keep-alive');
  });

  it('takes answers that come too late, whatever their head', async () => {
    const responses: HttpResponse[] = [];
    const started = deferred<void>();
    const server = serveHttp({
      handler(_, response) {
        responses.push(response);
        if (responses.length === 3) started.resolve();
      },
    });
    const clients = await Promise.all([1, 2, 3].map(() => HttpClient.connect(server)));
    for (const client of clients) client.send(requestText('GET', '/'));
    await started.promise;
    const stopped = server.stop();
    for (const client of clients) client.peer.reset();
    await soon(stopped);
    await new Promise(setImmediate);
    responses[0]!.status(418).header('Content-Type', 'text/late').end('nobody hears this');
    responses[1]!.status(207).flushHead();
    responses[1]!.write('nor this');
    responses[1]!.end();
    const next = serveHttp({ handler: (_, response) => response.status(201).end('fine') });
    responses[2]!.status(226).header('Content-Type', 'text/later').end();
    const client = await HttpClient.connect(next);
    expect(await client.get('/')).toMatchObject({ status: 201, body: 'fine' });
  });
});
