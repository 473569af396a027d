// What lies in sockets and in the queue of a listener when it stops.
import { Agent, get } from 'node:http';
import type { HttpServer } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { HttpClient, requestText, serveHttp } from '../support/http.js';
import { connectPeer, connectPeers } from '../support/peer.js';
import { startProgram } from '../support/program.js';
import { Recorders, within } from '../support/recorder.js';
import { addressOf, serve } from '../support/serve.js';

const soon = <T>(promise: Promise<T>) => within(promise, () => 'stop()', 5000);
const path = { handler: serverPath };

function serverPath(request: { path: string }, response: { end(text: string): unknown }): void {
  response.end(request.path);
}

/** Node connects in a tick of its own; a listener accepts in a later turn. */
const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

async function untilConnected(server: HttpServer, count: number): Promise<void> {
  while (server.connections < count) await new Promise(setImmediate);
}

describe('serve(): stop()', () => {
  it('answers every request in a socket, the last one with close', async () => {
    const server = serveHttp(path);
    const client = await HttpClient.connect(server);
    await client.get('/first');
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    client.send(paths.map((each) => requestText('GET', each)).join(''));
    const stopped = server.stop();
    for (const each of paths) {
      const { body, headers } = await client.next();
      expect(body).toBe(each);
      expect(headers.connection === 'close').toBe(each === '/19');
    }
    await client.peer.untilEnd();
    client.peer.end();
    await soon(stopped);
  });

  it('answers what lies in the sockets of many connections', async () => {
    const server = serveHttp(path);
    const clients = await Promise.all(Array.from({ length: 20 }, () => HttpClient.connect(server)));
    await Promise.all(clients.map((client) => client.get('/first')));
    for (const client of clients) client.send(requestText('GET', '/last'));
    const stopped = server.stop();
    for (const client of clients) {
      expect(await client.next()).toMatchObject({
        body: '/last',
        headers: { connection: 'close' },
      });
      client.peer.end();
    }
    await soon(stopped);
  });

  it('answers requests for static routes', async () => {
    const server = serveHttp({ static: { '/': { body: 'fixed' } }, ...path });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/').repeat(2));
    const stopped = server.stop();
    const answers = [await client.next(), await client.next()];
    expect(answers.map(({ body }) => body)).toEqual(['fixed', 'fixed']);
    expect(answers.map(({ headers }) => headers.connection === 'close')).toEqual([false, true]);
    client.peer.end();
    await soon(stopped);
  });

  it('answers the first request of a connection that was accepted a moment ago', async () => {
    const server = serveHttp(path);
    const client = await HttpClient.connect(server);
    await untilConnected(server, 1);
    const stopped = server.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.send(requestText('GET', '/late'));
    expect(await client.next()).toMatchObject({ body: '/late', headers: { connection: 'close' } });
    client.peer.end();
    await soon(stopped);
  });

  it('serves who waits to be accepted', async () => {
    const server = serveHttp(path);
    const connecting = Array.from({ length: 10 }, () => HttpClient.connect(server));
    await nextTick();
    expect(server.connections).toBe(0);
    const stopped = server.stop();
    for (const client of await Promise.all(connecting)) {
      client.send(requestText('GET', '/queued'));
      expect(await client.next()).toMatchObject({ body: '/queued' });
      client.peer.end();
    }
    await soon(stopped);
  });

  it('followed by destroy() serves nobody', async () => {
    const server = serveHttp(path);
    const connecting = connectPeers({ port: server.port! }, 3);
    await nextTick();
    const stopped = server.stop();
    server.destroy();
    const peers = await connecting.catch(() => []);
    await Promise.all(peers.map((peer) => peer.untilOver()));
    await soon(stopped);
    expect(server.connections).toBe(0);
  });

  it('does not wait longer than named for who says nothing', async () => {
    const server = serveHttp({ keepAliveTimeout: 60_000, ...path });
    const silent = await connectPeer({ port: server.port! });
    await untilConnected(server, 1);
    const began = performance.now();
    await soon(server.stop());
    expect(performance.now() - began).toBeLessThan(3000);
    await silent.untilOver();
  });

  it.each([true, false])('loses nothing at rolling restarts, keep-alive %s', async (keepAlive) => {
    let server = serveHttp({ reusePort: true, ...path });
    const port = server.port!;
    const agent = new Agent({ keepAlive });
    const ask = (at: string) =>
      new Promise<string>((resolve, reject) => {
        get({ port, host: '127.0.0.1', agent, path: at }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text) => {
            body += text;
          });
          response.on('end', () => resolve(body)).on('error', reject);
        }).on('error', reject);
      });
    let over = false;
    let answered = 0;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let count = 0; !over; count += 1) {
        expect(await ask(`/${client}/${count}`)).toBe(`/${client}/${count}`);
        answered += 1;
      }
    });
    const restarts = (async () => {
      for (let count = 1; count <= 5; count += 1) {
        const enough = answered + 40;
        while (answered < enough) await new Promise((resolve) => setTimeout(resolve, 1));
        const next = serveHttp({ port, reusePort: true, ...path });
        const stopped = server.stop();
        server = next;
        await soon(stopped);
      }
      over = true;
    })();
    await within(
      Promise.all([restarts, ...clients]),
      () => `restarts; ${answered} answers`,
      20_000,
    );
    agent.destroy();
  });
});

describe('listen(): stop()', () => {
  it('delivers what lies in sockets before it ends them', async () => {
    const recorders = new Recorders({ data: (connection, chunk) => void connection.write(chunk) });
    const listener = serve(recorders.recording);
    const peers = await connectPeers(addressOf(listener), 20);
    await recorders.at(19);
    for (const peer of peers) peer.send('asked in time');
    const stopped = listener.stop();
    for (const peer of peers) {
      expect(await peer.untilEnd()).toBe('asked in time');
      peer.end();
    }
    await soon(stopped);
    expect(recorders.all.map(({ order }) => order.includes('error'))).toEqual(
      Array(20).fill(false),
    );
  });

  it('ends a peer that never stops sending', async () => {
    const recorders = new Recorders({ data() {} });
    const listener = serve(recorders.recording);
    const peer = await connectPeer(addressOf(listener));
    await recorders.at(0);
    const sending = setInterval(() => peer.send('x'.repeat(100_000)), 1);
    const stopped = listener.stop();
    await peer.untilEnd();
    clearInterval(sending);
    peer.end();
    await soon(stopped);
  });
});

describe('a worker of node:cluster', () => {
  it.each(['worker', 'primary'])('that disconnects, asked by the %s, ends', async (by) => {
    const program = startProgram('cluster_disconnects', { args: [by] });
    const ending = await program.ending();
    expect(ending.stderr).toBe('');
    expect(ending.stdout).toBe('answered\nworker ended: 0\n');
    expect(ending.code).toBe(0);
  });
});
