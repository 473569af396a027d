// ringpoll/dgram: Node's own datagram sockets over this package's loop.
import { AsyncLocalStorage } from 'node:async_hooks';
import nodeDgram from 'node:dgram';
import { once } from 'node:events';
import { Loop } from 'ringpoll';
import dgram, { active, createSocket, installDgram, Socket, uninstallDgram } from 'ringpoll/dgram';
import { bind } from 'ringpoll/udp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, within } from '../support/recorder.js';

type Received = { bytes: Buffer; from: nodeDgram.RemoteInfo };

function open(options: nodeDgram.SocketType | nodeDgram.SocketOptions = 'udp4'): nodeDgram.Socket {
  const socket = createSocket(options as nodeDgram.SocketOptions);
  onTestFinished(() => {
    try {
      socket.close();
    } catch {
      // it is closed
    }
  });
  return socket;
}

async function bound(
  options: nodeDgram.SocketType | nodeDgram.SocketOptions = 'udp4',
  address = '127.0.0.1',
): Promise<nodeDgram.Socket> {
  const socket = open(options);
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

async function next(socket: nodeDgram.Socket): Promise<Received> {
  const [bytes, from] = await within(once(socket, 'message'), () => 'a message');
  return { bytes, from };
}

const datagrams = () => Loop.current().metrics().datagramsReceived;

describe('ringpoll/dgram', () => {
  it('is active, and has what node:dgram has', () => {
    expect(active).toBe(true);
    expect(Loop.current().explain().dgram).toEqual({ active: true, everywhere: false });
    expect(Object.keys(dgram).sort()).toEqual(Object.keys(nodeDgram).sort());
    expect(open()).toBeInstanceOf(nodeDgram.Socket);
    expect(open()).toBeInstanceOf(Socket);
  });

  it('sends and receives by the loop', async () => {
    const before = datagrams();
    const [server, client] = [await bound(), open()];
    client.send('hello', server.address().port, '127.0.0.1');
    const { bytes, from } = await next(server);
    expect(bytes.toString()).toBe('hello');
    expect(from).toMatchObject({ address: '127.0.0.1', family: 'IPv4', size: 5 });
    server.send([Buffer.from('one '), Buffer.from('two')], from.port, from.address);
    expect((await next(client)).bytes.toString()).toBe('one two');
    expect(datagrams() - before).toBe(2);
  });

  it('tells the callback what the kernel said of this datagram', async () => {
    const [server, client] = [await bound(), open()];
    const sent = new Promise((resolve) => {
      client.send(Buffer.alloc(1000), server.address().port, '127.0.0.1', (error, bytes) =>
        resolve([error, bytes]),
      );
    });
    expect(await sent).toEqual([null, 1000]);
    const tooLong = new Promise((resolve) => {
      client.send(Buffer.alloc(65_508), server.address().port, '127.0.0.1', resolve);
    });
    expect(codeOf(await tooLong)).toBe('EMSGSIZE');
  });

  it('keeps the order of datagrams with a callback and without', async () => {
    const [server, client] = [await bound(), open()];
    client.connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    const texts: string[] = [];
    const all = new Promise<void>((resolve) => {
      server.on('message', (bytes) => {
        texts.push(bytes.toString());
        if (texts.length === 40) resolve();
      });
    });
    for (let i = 0; i < 40; i++) {
      if (i % 3 === 0) client.send(String(i), () => {});
      else client.send(String(i));
    }
    await within(all, () => `${texts.length} messages`);
    expect(texts).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
  });

  it('connects, hears that nobody listens there, and disconnects', async () => {
    const gone = bind({ host: '127.0.0.1' });
    const { port } = gone;
    await gone.close();
    const client = open();
    client.connect(port, '127.0.0.1');
    await once(client, 'connect');
    expect(client.remoteAddress()).toMatchObject({ address: '127.0.0.1', port });
    const refused = once(client, 'error');
    client.send('anybody?');
    expect(codeOf((await within(refused, () => 'an error'))[0])).toBe('ECONNREFUSED');
    client.disconnect();
    expect(() => client.remoteAddress()).toThrow(/Not connected/);
    const server = await bound();
    client.send('there', server.address().port, '127.0.0.1');
    expect((await next(server)).bytes.toString()).toBe('there');
  });

  it('tells errors of bind() as Node does', async () => {
    const first = await bound();
    const second = open();
    second.bind(first.address().port, '127.0.0.1');
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', address: '127.0.0.1' });
    expect(() => open().address()).toThrow(/EBADF/);
  });

  it('has the options of the kernel', async () => {
    const socket = await bound({ type: 'udp4', recvBufferSize: 16_384, sendBufferSize: 8192 });
    expect(socket.getRecvBufferSize()).toBeGreaterThanOrEqual(16_384);
    expect(socket.getSendBufferSize()).toBeGreaterThanOrEqual(8192);
    socket.setBroadcast(true);
    expect(socket.setTTL(3)).toBe(3);
    expect(socket.setMulticastTTL(0)).toBe(0);
    expect(() => socket.setTTL(0)).toThrow(/EINVAL/);
    expect(() => open().setBroadcast(true)).toThrow(/EBADF/);
    expect(() => open().getSendBufferSize()).toThrow(/bad file descriptor/);
    expect(socket.getSendQueueSize()).toBe(0);
    expect(socket.getSendQueueCount()).toBe(0);
  });

  it('goes on when a listener throws: it is an uncaught exception', async () => {
    const [server, client] = [await bound(), open()];
    const thrown = new Error('of the listener');
    const caught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => caught.push(error));
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    });
    server.once('message', () => {
      throw thrown;
    });
    client.send('1', server.address().port, '127.0.0.1');
    client.send('2', server.address().port, '127.0.0.1');
    const texts: string[] = [];
    await within(
      new Promise<void>((resolve) => {
        server.on('message', (bytes) => {
          texts.push(bytes.toString());
          if (texts.includes('2')) resolve();
        });
      }),
      () => `the second message; ${texts}`,
    );
    expect(caught).toEqual([thrown]);
  });

  it('runs listeners in the context of the socket', async () => {
    const storage = new AsyncLocalStorage<string>();
    const server = await storage.run('of the socket', () => bound());
    const seen = new Promise((resolve) => {
      server.on('message', () => resolve(storage.getStore()));
    });
    open().send('x', server.address().port, '127.0.0.1');
    expect(await seen).toBe('of the socket');
  });

  it('receives by IPv6', async () => {
    const server = await bound('udp6', '::1').catch(() => undefined);
    if (server === undefined) return;
    open('udp6').send('six', server.address().port, '::1');
    const { from } = await next(server);
    expect(from).toMatchObject({ address: '::1', family: 'IPv6', size: 3 });
  });

  it('refuses what would wait for the kernel without end', async () => {
    const [server, client] = [await bound(), open()];
    client.connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    const before = client.getSendQueueSize();
    // In one turn, so that nothing leaves: 64 MB and more.
    const bytes = Buffer.alloc(65_000);
    for (let i = 0; i < 1100; i++) client.send(bytes);
    expect(client.getSendQueueSize() - before).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  it('is in the place of node:dgram when installed, and no more when uninstalled', async () => {
    expect(installDgram()).toEqual({ active: true });
    try {
      const before = datagrams();
      const server = nodeDgram.createSocket('udp4');
      onTestFinished(() => void server.close());
      server.bind(0, '127.0.0.1');
      await once(server, 'listening');
      const client = new nodeDgram.Socket('udp4' as never);
      onTestFinished(() => void client.close());
      client.send('x', server.address().port, '127.0.0.1');
      await next(server);
      expect(datagrams() - before).toBe(1);
    } finally {
      uninstallDgram();
    }
    expect(Loop.current().explain().dgram?.everywhere).toBe(false);
    expect(nodeDgram.Socket).not.toBe(Socket);
  });
});
