// Upgrades, PROXY headers, and peers that speak something else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chunk, Connection } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  deferred,
  dialHttp,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';
import { connectPeer } from '../support/peer.js';
import { roundTrips } from '../support/turns.js';

const upgradeHeaders = { Connection: 'Upgrade', Upgrade: 'echo' };

function echoServer(seen: string[] = []) {
  return serveHttp({
    upgrade: true,
    error() {},
    handler(request, response) {
      if (request.header('upgrade') === undefined) return response.end('plain');
      return response.upgrade(
        { Connection: 'Upgrade', Upgrade: 'echo' },
        {
          data(connection: Connection, chunk: Chunk) {
            seen.push(chunk.toString());
            connection.write(chunk);
          },
          end: () => void seen.push('end'),
          close: () => void seen.push('close'),
        },
      );
    },
  });
}

describe('an upgrade', () => {
  it('hands the connection over, with the bytes behind the request', async () => {
    const client = await HttpClient.connect(echoServer());
    client.send(`${requestText('GET', '/', upgradeHeaders)}early`);
    const answer = await client.next();
    expect(answer).toMatchObject({ status: 101, headers: { upgrade: 'echo' } });
    const head = client.peer.bytes - (client.peer.text.endsWith('early') ? 5 : 0);
    await client.peer.received(head + 5);
    client.send('later');
    expect(await client.peer.received(head + 10)).toMatch(/\r\n\r\nearlylater$/);
  });

  it('waits for the handler with whatever comes', async () => {
    const go = deferred();
    const server = serveHttp({
      upgrade: true,
      async handler(_, response) {
        await go.promise;
        response.upgrade({}, { data: (connection, chunk) => void connection.write(chunk) });
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/', upgradeHeaders));
    const sent = 'x'.repeat(300_000);
    for (let at = 0; at < sent.length; at += 30_000) {
      client.send(sent.slice(at, at + 30_000));
      await new Promise(setImmediate);
    }
    go.resolve();
    const head = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
    const text = await client.peer.received(head.length + sent.length);
    expect(text === head + sent).toBe(true);
  });

  it('that is not taken is an ordinary request', async () => {
    const server = serveHttp({
      upgrade: true,
      handler: (request, response) => response.end(request.path),
    });
    const text = requestText('GET', '/1', upgradeHeaders) + requestText('GET', '/2');
    const answers = parseAnswers(await exchange(server, text.repeat(3)));
    expect(answers.map(({ body }) => body)).toEqual(['/1', '/2', '/1', '/2', '/1', '/2']);
  });

  it('comes after the answers before it', async () => {
    let first: (() => void) | undefined;
    const tried = deferred();
    const server = serveHttp({
      upgrade: true,
      error() {},
      async handler(request, response) {
        if (request.path === '/1') {
          first = () => response.end('first');
          return;
        }
        try {
          await roundTrips();
          response.upgrade({}, {});
        } finally {
          tried.resolve();
        }
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/1') + requestText('GET', '/2', upgradeHeaders));
    await tried.promise;
    first?.();
    expect((await client.next()).body).toBe('first');
    // It was too early: the handler was told so, and answered 500.
    expect((await client.next()).status).toBe(500);
  });

  it('is CONNECT too', async () => {
    const server = serveHttp({
      upgrade: true,
      handler: (_, response) =>
        void response.upgrade({}, { data: (c, chunk) => void c.write(chunk) }),
    });
    const peer = await dialHttp(server);
    peer.send('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\nhello');
    expect(await peer.received(24)).toMatch(/^HTTP\/1\.1 200 OK\r\n\r\nhello$/);
  });

  it('is preceded by 100 for whoever waits for that', async () => {
    const client = await HttpClient.connect(echoServer());
    client.send(requestText('GET', '/', { ...upgradeHeaders, Expect: '100-continue' }));
    expect((await client.next()).status).toBe(100);
    expect((await client.next()).status).toBe(101);
    client.send('echoed');
    await client.peer.received(client.peer.bytes + 6);
    expect(client.peer.text).toMatch(/echoed$/);
  });

  it('can be iterated, ends, and is stopped with the server', async () => {
    const server = serveHttp({
      upgrade: true,
      async handler(_, response) {
        const connection = response.upgrade({}, {});
        for await (const chunk of connection) connection.write(`<${chunk}>`);
      },
    });
    const client = await HttpClient.connect(server);
    client.send(requestText('GET', '/', upgradeHeaders));
    await client.next();
    client.send('one');
    await client.peer.received(client.peer.bytes + 5);
    const stopped = server.stop();
    await client.peer.untilEnd();
    client.peer.end();
    await stopped;
    expect(client.peer.text).toMatch(/<one>$/);
  });

  it('is not handed over behind a body, which lies in between', async () => {
    const server = serveHttp({
      upgrade: true,
      async handler(request, response) {
        try {
          response.upgrade({ Upgrade: 'x', Connection: 'Upgrade' }, {});
        } catch (error) {
          response.end(`${(error as { code: string }).code} ${await request.text()}`);
        }
      },
    });
    const client = await HttpClient.connect(server);
    const asking = { Connection: 'Upgrade', Upgrade: 'x' };
    expect((await client.post('/', 'body', asking)).body).toBe('ERR_RINGPOLL_HTTP_UPGRADE body');
  });

  it('needs the option, and somebody who asks', async () => {
    const errors: unknown[] = [];
    const options = {
      error: (error: Error) => void errors.push((error as { code?: string }).code),
      handler: (_: unknown, response: { upgrade(h: object, x: object): unknown }) =>
        void response.upgrade({}, {}),
    };
    const off = await HttpClient.connect(serveHttp(options as never));
    off.send(requestText('GET', '/', upgradeHeaders));
    expect((await off.next()).status).toBe(500);
    const plain = await HttpClient.connect(serveHttp({ ...options, upgrade: true } as never));
    expect((await plain.get('/')).status).toBe(500);
    expect(errors).toEqual(['ERR_RINGPOLL_HTTP_UPGRADE', 'ERR_RINGPOLL_HTTP_UPGRADE']);
  });

  it('tells the end and the close', async () => {
    const seen: string[] = [];
    const client = await HttpClient.connect(echoServer(seen));
    client.send(requestText('GET', '/', upgradeHeaders));
    await client.next();
    client.send('x');
    await client.peer.received(client.peer.bytes + 1);
    client.peer.end();
    await client.peer.untilEnd();
    await roundTrips();
    expect(seen).toEqual(['x', 'end', 'close']);
  });
});

describe('the PROXY protocol', () => {
  const server = (proxyProtocol: string[], more = {}) =>
    serveHttp({
      proxyProtocol,
      error() {},
      handler: (request, response) => response.json([request.remoteAddress, request.remotePort]),
      ...more,
    });
  const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n';
  const v2 = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24', 'latin1'),
    Buffer.from('20010db8000000000000000000000001', 'hex'),
    Buffer.from('20010db8000000000000000000000002', 'hex'),
    Buffer.from([0x12, 0x67, 0, 80]),
  ]).toString('latin1');

  it.each([
    ['version 1', v1, ['192.0.2.7', 4711]],
    ['version 2', v2, ['2001:db8::1', 4711]],
  ])('tells the address: %s, in one piece and byte by byte', async (_, header, expected) => {
    const target = server(['127.0.0.0/8']);
    const text = header + requestText('GET', '/');
    const client = await HttpClient.connect(target);
    client.send(text + requestText('GET', '/'));
    expect(JSON.parse((await client.next()).body)).toEqual(expected);
    expect(JSON.parse((await client.next()).body)).toEqual(expected);
    const slow = await HttpClient.connect(target);
    for (const byte of text) {
      slow.send(byte);
      await new Promise(setImmediate);
    }
    expect(JSON.parse((await slow.next()).body)).toEqual(expected);
  });

  it('is demanded from those who are trusted', async () => {
    const peer = await dialHttp(server(['127.0.0.1']));
    peer.send(requestText('GET', '/'));
    expect(await peer.untilEnd()).toBe('');
  });

  it('is not believed from others', async () => {
    const target = server(['10.0.0.0/8', '::1']);
    const [refused] = parseAnswers(await exchange(target, v1 + requestText('GET', '/')));
    expect(refused!.status).toBeGreaterThanOrEqual(400);
    const client = await HttpClient.connect(target);
    const [address] = JSON.parse((await client.get('/')).body);
    expect(address).toBe('127.0.0.1');
  });

  it('works behind a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'http.sock');
    server(['unix'], { host: undefined, port: undefined, path });
    const client = new HttpClient(await connectPeer({ path }));
    client.send(v1 + requestText('GET', '/'));
    expect(JSON.parse((await client.next()).body)).toEqual(['192.0.2.7', 4711]);
  });

  it('LOCAL and UNKNOWN keep the address of the socket', async () => {
    const target = server(['127.0.0.1']);
    const local = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1').toString('latin1');
    for (const header of [local, 'PROXY UNKNOWN\r\n']) {
      const client = await HttpClient.connect(target);
      client.send(header + requestText('GET', '/'));
      expect(JSON.parse((await client.next()).body)[0]).toBe('127.0.0.1');
    }
  });
});

describe('a peer that speaks', () => {
  const server = () => serveHttp({ error() {}, handler: (_, response) => response.end('x') });

  it.each([
    ['at once', ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0']],
    ['in pieces', ['PRI * HT', 'TP/2.0\r\n\r\nSM\r\n\r\n', '\0\0\0\x04\0\0\0\0\0']],
  ])('HTTP/2 %s is asked for HTTP/1.1 in its own frames', async (_, pieces) => {
    const peer = await dialHttp(server());
    for (const piece of pieces) {
      peer.send(piece);
      await new Promise(setImmediate);
    }
    const bytes = Buffer.from(await peer.untilEnd(), 'latin1');
    expect(bytes[3]).toBe(4); // SETTINGS
    expect(bytes[9 + 3]).toBe(7); // GOAWAY
    expect(bytes.readUInt32BE(9 + 9 + 4)).toBe(0xd); // HTTP_1_1_REQUIRED
  });

  it('TLS gets an alert', async () => {
    const peer = await dialHttp(server());
    peer.send('\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00');
    expect(await peer.untilEnd()).toBe('\x15\x03\x01\x00\x02\x02\x28');
  });

  it('nothing that is known gets 400', async () => {
    const peer = await dialHttp(server());
    peer.send('\x01\x02\x03\x04');
    expect(await peer.untilEnd()).toMatch(/^HTTP\/1\.1 400 /);
  });
});
