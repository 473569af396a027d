// The key-value server of the examples, over sockets, in raw RESP.
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveResp } from '../../examples/resp/server.mjs';
import { connectPeer, type Peer } from '../support/peer.js';
import { type Program, spawnNode } from '../support/program.js';
import { bulk, encode } from '../support/resp.js';

async function client(options = {}): Promise<Peer> {
  const server = serveResp(options);
  onTestFinished(() => server.destroy());
  return connectPeer({ port: server.address.port });
}

async function ask(peer: Peer, request: string, answer: string): Promise<void> {
  const before = peer.bytes;
  peer.send(request);
  const all = await peer.received(before + answer.length);
  expect(all.slice(before)).toBe(answer);
}

describe('the RESP server', () => {
  it('answers requests, inline and as arrays', async () => {
    const peer = await client();
    await ask(peer, 'PING\r\n', '+PONG\r\n');
    await ask(peer, encode('SET', 'key', 'value'), '+OK\r\n');
    await ask(peer, encode('GET', 'key'), bulk('value'));
    await ask(
      peer,
      encode('NOSUCH'),
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
    );
  });

  it('answers ten thousand pipelined requests in order', async () => {
    const peer = await client();
    const count = 10_000;
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    await ask(peer, encode('INCR', 'n').repeat(count), numbers.map((n) => `:${n}\r\n`).join(''));
    await ask(peer, encode('GET', 'n'), bulk(`${count}`));
  });

  it('takes a request byte by byte', async () => {
    const peer = await client();
    for (const byte of encode('ECHO', 'slow')) {
      peer.send(byte);
      await new Promise(setImmediate);
    }
    expect(await peer.received(10)).toBe(bulk('slow'));
  });

  it('stores and returns 20 MB of any bytes', async () => {
    const peer = await client();
    const value = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)).repeat(
      80_000,
    );
    await ask(peer, encode('SET', 'large', value), '+OK\r\n');
    await ask(peer, encode('STRLEN', 'large'), `:${value.length}\r\n`);
    peer.send(encode('GET', 'large'));
    const all = await peer.received(peer.bytes + bulk(value).length);
    expect(all.endsWith(bulk(value))).toBe(true);
  });

  it('stops reading from a client that does not read, and goes on when it does', async () => {
    const peer = await client();
    const value = 'x'.repeat(100_000);
    await ask(peer, encode('SET', 'a', value), '+OK\r\n');
    const before = peer.bytes;
    peer.socket.pause();
    peer.send(encode('GET', 'a').repeat(500));
    peer.end(encode('PING'));
    const other = await connectPeer({ port: Number(peer.socket.remotePort) });
    await ask(other, 'PING\r\n', '+PONG\r\n');
    peer.socket.resume();
    const answers = await peer.untilEnd();
    expect(answers.length - before).toBe(500 * bulk(value).length + '+PONG\r\n'.length);
    expect(answers.endsWith('+PONG\r\n')).toBe(true);
  });

  it('closes after QUIT and after a protocol error, with the answer sent', async () => {
    const quitting = await client();
    quitting.send(encode('QUIT'));
    expect(await quitting.untilEnd()).toBe('+OK\r\n');
    const wrong = await client();
    wrong.send('*1\r\n$x\r\n');
    expect(await wrong.untilEnd()).toBe('-ERR Protocol error: invalid bulk length\r\n');
  });

  it('refuses a value beyond its limit', async () => {
    const peer = await client({ limits: { bulkBytes: 1000 } });
    peer.send(encode('SET', 'a', 'x'.repeat(1001)));
    expect(await peer.untilEnd()).toBe('-ERR Protocol error: invalid bulk length\r\n');
  });

  it('keeps one keyspace for all clients, and drops keys that are due unasked', async () => {
    const server = serveResp();
    onTestFinished(() => server.destroy());
    const { port } = server.address;
    const [one, two] = [await connectPeer({ port }), await connectPeer({ port })];
    await ask(one, encode('SET', 'a', '1', 'PX', '20'), '+OK\r\n');
    await ask(one, encode('SET', 'b', '2'), '+OK\r\n');
    while (server.store.size > 1) await new Promise(setImmediate);
    expect(server.store.expired).toBe(1);
    await ask(two, encode('MGET', 'a', 'b'), `*2\r\n$-1\r\n${bulk('2')}`);
  });

  it('listens on a Unix socket too', async () => {
    const path = `/tmp/ringpoll-resp-${process.pid}.sock`;
    const server = serveResp({ path });
    onTestFinished(() => server.destroy());
    await ask(await connectPeer({ path }), 'PING\r\n', '+PONG\r\n');
    await server.stop({ timeout: 0 });
  });

  it('tells about itself', async () => {
    const peer = await client();
    peer.send(encode('INFO'));
    peer.end();
    expect(await peer.untilEnd()).toMatch(
      /# Server\r\nringpoll_version:.*\r\nengine:(uring|poll|hybrid)/,
    );
  });
});

const repository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

async function stopped(program: Program, peer: Peer): Promise<void> {
  peer.end();
  await peer.untilClosed();
  expect(await program.ending()).toMatchObject({ code: 0, signal: null, stderr: '' });
}

describe('programs that serve', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'the RESP server to measure drains at %s',
    async (signal) => {
      const program = spawnNode([repository('bench/servers/resp.mjs'), '0']);
      const ready = await program.line();
      expect(ready).toMatch(/^ready 127\.0\.0\.1:\d+$/);
      const peer = await connectPeer({ port: Number(ready.split(':')[1]) });
      await ask(peer, 'PING\r\n', '+PONG\r\n');
      program.child.kill(signal);
      await peer.untilEnd();
      await stopped(program, peer);
    },
  );

  it('the showcase serves echo and RESP, says what it runs on, and drains at SIGINT', async () => {
    const program = spawnNode([repository('examples/showcase.mjs')]);
    const ports: Record<string, number> = {};
    for (let line = await program.line(); !line.startsWith('Ctrl-C'); line = await program.line()) {
      const match = /^ {2}(TCP echo|RESP store) +127\.0\.0\.1:(\d+)$/.exec(line);
      if (match) ports[match[1]!] = Number(match[2]);
    }
    expect(program.stdout).toMatch(/^engine: (uring|poll|hybrid)$/m);
    expect(program.stdout).toMatch(/^ +(uring|poll) +running$/m);
    const echo = await connectPeer({ port: ports['TCP echo']! });
    await ask(echo, 'hello', 'hello');
    const resp = await connectPeer({ port: ports['RESP store']! });
    await ask(resp, 'PING\r\n', '+PONG\r\n');
    program.child.kill('SIGINT');
    await Promise.all([echo.untilEnd(), resp.untilEnd()]);
    resp.end();
    await stopped(program, echo);
    expect(program.stdout).toContain('draining 2 connections');
  });

  it('the showcase does not wait any longer after a second SIGINT', async () => {
    const program = spawnNode([repository('examples/showcase.mjs')]);
    let port = 0;
    for (let line = await program.line(); !line.startsWith('Ctrl-C'); line = await program.line()) {
      port ||= Number(/TCP echo +127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? 0);
    }
    const peer = await connectPeer({ port });
    await ask(peer, 'x', 'x');
    program.child.kill('SIGINT');
    await peer.untilEnd();
    program.child.kill('SIGINT');
    expect(await program.ending(4000)).toMatchObject({ code: 0, stderr: '' });
    expect(program.stdout).toContain('forced');
  });
});
