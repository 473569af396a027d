// ringpoll/net: Node's own Socket and Server over this package's loop.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Loop } from 'ringpoll';
import net, { active, connect, createServer, Socket } from 'ringpoll/net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';

type Listener = (socket: nodeNet.Socket) => void;

async function served(
  listener: Listener,
  options: nodeNet.ServerOpts = {},
): Promise<{ server: nodeNet.Server; port: number }> {
  const server = createServer(options, listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { server, port: (server.address() as nodeNet.AddressInfo).port };
}

async function dialled(port: number, options = {}): Promise<nodeNet.Socket> {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const echo: Listener = (socket) => void socket.on('error', () => {}).pipe(socket);
const connections = () => Loop.current().metrics().connections;

describe('ringpoll/net', () => {
  it('is active, and serves both sides by the loop', async () => {
    expect(active).toBe(true);
    expect(Loop.current().explain().net).toMatchObject({ active: true });
    const before = connections();
    const { port } = await served(echo);
    const socket = await dialled(port);
    socket.end('hello');
    expect(connections() - before).toBeGreaterThanOrEqual(1);
    expect(await text(socket)).toBe('hello');
    expect(socket.bytesRead).toBe(5);
    expect(socket.bytesWritten).toBe(5);
  });

  it('has what node:net has', () => {
    expect(Object.keys(net).sort()).toEqual(Object.keys(nodeNet).sort());
    expect(new Socket()).toBeInstanceOf(nodeNet.Socket);
    expect(net.Socket()).toBeInstanceOf(net.Socket);
    class Own extends net.Socket {}
    expect(new Own()).toBeInstanceOf(Own);
    expect(net.isIP('::1')).toBe(6);
  });

  it('leaves sockets of node:net to Node', async () => {
    const { port } = await served(echo);
    const before = connections();
    const socket = nodeNet.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(connections() - before).toBeLessThanOrEqual(1); // the server's side alone
    socket.end('x');
    expect(await text(socket)).toBe('x');
  });

  it('tells addresses of both sides', async () => {
    const accepted = new Promise<nodeNet.Socket>((resolve) => {
      void served(resolve).then(({ port }) => dialled(port));
    });
    const socket = await accepted;
    expect(socket.remoteFamily).toBe('IPv4');
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(socket.remotePort).toBeGreaterThan(0);
    expect(socket.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
  });

  it.each([1, 4000, 16 * 1024, 70_000, 3_000_000])('echoes %d bytes whole', async (length) => {
    const { port } = await served(echo);
    const socket = await dialled(port);
    const sent = Buffer.alloc(length, 'abcdefghijk');
    for (let round = 0; round < 5; round++) {
      socket.write(sent);
      const parts: Buffer[] = [];
      for (let left = length; left > 0; ) {
        const bytes = (socket.read(Math.min(left, socket.readableLength)) ??
          (await once(socket, 'readable').then(() => socket.read()))) as Buffer | null;
        if (bytes === null) continue;
        parts.push(bytes);
        left -= bytes.length;
      }
      expect(Buffer.concat(parts).equals(sent)).toBe(true);
    }
  });

  it('writes strings of every encoding, lists and bytes in order', async () => {
    const server = await PeerServer.listen();
    const socket = await dialled(server.port);
    socket.cork();
    socket.write('grüß ');
    socket.write('e9', 'hex');
    socket.write('ÿ', 'latin1');
    socket.write(Buffer.from('x'.repeat(40_000)));
    socket.write('YQ==', 'base64');
    socket.uncork();
    socket.end('a', 'utf16le');
    const peer = await server.next();
    await peer.untilEnd();
    const received = Buffer.concat(peer.chunks);
    const expected = [
      Buffer.from('grüß '),
      Buffer.from([0xe9, 0xff]),
      Buffer.from('x'.repeat(40_000)),
      Buffer.from('aa\0'),
    ];
    expect(received.equals(Buffer.concat(expected))).toBe(true);
  });

  it('holds a writer back whose peer does not read, and loses nothing', async () => {
    const server = await PeerServer.listen({ pauseOnConnect: true });
    const socket = await dialled(server.port);
    const peer = await server.next();
    const piece = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    while (socket.write(piece) || written < 64) written++;
    expect(socket.writableNeedDrain).toBe(true);
    const total = (written + 1) * piece.length;
    socket.end();
    peer.socket.resume();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).length).toBe(total);
  });

  it('sends what was written before destroy(), as far as the peer takes it', async () => {
    const server = await PeerServer.listen();
    const socket = await dialled(server.port);
    socket.write('last words');
    socket.destroy();
    const peer = await server.next();
    await peer.untilOver();
    expect(peer.text).toBe('last words');
  });

  it('sends what it has called back as written, though it is destroyed', async () => {
    const server = await PeerServer.listen({ pauseOnConnect: true });
    const socket = await dialled(server.port);
    const peer = await server.next();
    const { _handle: handle } = socket as unknown as { _handle: { writeQueueSize: number } };
    const piece = Buffer.alloc(16 * 1024, 'x');
    let calledBack = 0;
    // Until the kernel takes no more, and a little waits here.
    while (handle.writeQueueSize === 0) {
      socket.write(piece, () => {
        calledBack += piece.length;
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    await once(socket, 'close');
    expect(calledBack).toBeGreaterThan(0);
    peer.socket.resume();
    await peer.untilOver();
    expect(peer.bytes).toBeGreaterThanOrEqual(calledBack);
  });

  it('slows a peer down that sends more than is read', async () => {
    const accepted = new Promise<nodeNet.Socket>((resolve) => {
      void served(resolve, { pauseOnConnect: true }).then(async ({ port }) => {
        const { socket } = await connectPeer({ port });
        socket.write(Buffer.alloc(32 * 1024 * 1024));
      });
    });
    const socket = await accepted;
    expect(socket.readableFlowing).toBe(false);
    expect(socket.bytesRead).toBeLessThan(4 * 1024 * 1024);
    socket.resume();
    await once(socket, 'data');
    socket.destroy();
  });

  it('tells of a reset, and of a refused connection, as Node does', async () => {
    const { server, port } = await served((socket) => socket.resetAndDestroy());
    const socket = connect(port, '127.0.0.1');
    const [reset] = await once(socket, 'error');
    expect(reset).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    server.close();
    await once(server, 'close');
    const [refused] = await once(connect(port, '127.0.0.1'), 'error');
    expect(refused).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', port });
  });

  it('refuses a port that is taken', async () => {
    const { port } = await served(echo);
    const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', port });
  });

  it('speaks over Unix sockets, with the mode that was asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'net.sock');
    const server = createServer(echo).listen({ path, readableAll: true, writableAll: true });
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    expect(server.address()).toBe(path);
    const socket = connect(path);
    socket.end('unix');
    expect(await text(socket)).toBe('unix');
    expect(socket.remoteAddress).toBe(undefined);
  });

  it('connects from the address and port that are asked for', async () => {
    const server = await PeerServer.listen();
    const socket = await dialled(server.port, { localAddress: '127.0.0.2' });
    expect(socket.localAddress).toBe('127.0.0.2');
    const taken = (socket.address() as nodeNet.AddressInfo).port;
    const to = { port: server.port, host: '127.0.0.1' };
    const again = connect({ ...to, localAddress: '127.0.0.2', localPort: taken });
    const [error] = await once(again, 'error');
    expect(error.code).toMatch(/EADDRINUSE|EADDRNOTAVAIL/);
  });

  it('fills the buffer of the option onread, and keeps what does not fit', async () => {
    const { port } = await served((socket) => void socket.end('0123456789'));
    const pieces: string[] = [];
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(4),
        callback: (length, bytes) => {
          pieces.push(Buffer.from(bytes.subarray(0, length)).toString());
          // Both ways to stop it.
          const isStop = pieces.length === 1;
          if (!isStop) socket.pause();
          setImmediate(() => socket.resume());
          return !isStop;
        },
      },
    });
    await once(socket, 'end');
    expect(pieces).toEqual(['0123', '4567', '89']);
  });

  it('stays half-open when that was asked for', async () => {
    const { port } = await served(
      (socket) => void socket.on('end', () => setImmediate(() => socket.end('after'))).resume(),
      { allowHalfOpen: true },
    );
    const socket = await dialled(port, { allowHalfOpen: true });
    socket.end('before');
    expect(await text(socket)).toBe('after');
  });

  it('emits timeout, and close in its order', async () => {
    const { port } = await served(() => {});
    const socket = await dialled(port);
    socket.setTimeout(20);
    await once(socket, 'timeout');
    const seen: string[] = [];
    for (const event of ['error', 'close']) socket.on(event, () => seen.push(event));
    socket.destroy(new Error('why'));
    await once(socket, 'close').catch(() => once(socket, 'close'));
    expect(seen).toEqual(['error', 'close']);
  });

  it('keeps the asynchronous context of connect() and of listen()', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const { port } = await storage.run('server', () =>
      served((socket) => {
        seen.push(storage.getStore());
        echo(socket);
      }),
    );
    const socket = storage.run('client', () => connect(port, '127.0.0.1'));
    socket.on('data', () => seen.push(storage.getStore()));
    await once(socket, 'connect');
    socket.end('x');
    await once(socket, 'close');
    expect(seen).toEqual(['server', 'client']);
  });

  it('counts connections, and drops those beyond maxConnections', async () => {
    const { server, port } = await served(echo);
    server.maxConnections = 1;
    const first = await dialled(port);
    const dropped = once(server, 'drop');
    const second = connect(port, '127.0.0.1');
    second.on('error', () => {});
    const [data] = await dropped;
    expect(data).toMatchObject({ remoteAddress: '127.0.0.1', localPort: port });
    await once(second, 'close');
    first.destroy();
  });

  it('survives calls of its handle in every state, with any arguments', async () => {
    const { port } = await served(echo);
    const names = [
      ...['readStart', 'readStop', 'shutdown', 'close', 'reset', 'ref', 'unref', 'hasRef', 'bind'],
      ...['bind6', 'connect', 'connect6', 'setNoDelay', 'setKeepAlive', 'setBlocking', 'fd'],
      ...['getsockname', 'getpeername', 'useUserBuffer', 'getAsyncId', 'writeQueueSize'],
    ];
    const values = [undefined, null, 0, -1, 2 ** 40, 'x', {}, [], () => {}, Buffer.alloc(1)];
    const states = [
      () => connect(port, '127.0.0.1'),
      () => dialled(port),
      async () => (await dialled(port)).destroy(),
      () => new Socket(),
    ];
    for (const state of states) {
      for (const name of names) {
        for (const value of values) {
          const socket = await state();
          socket.on('error', () => {});
          const handle = (socket as unknown as { _handle: Record<string, unknown> | null })._handle;
          try {
            const member = handle?.[name];
            if (typeof member === 'function') member.call(handle, value, value, value);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
          socket.destroy();
        }
      }
    }
  });

  it.each([{}, null, 1, 'x', [], new Socket(), Object.create(null)])(
    'answers %o as the receiver of its handles members with an error at most',
    async (receiver) => {
      const { port } = await served(echo);
      const socket = await dialled(port);
      const handle = (socket as unknown as { _handle: object })._handle;
      for (let of = handle; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
        for (const key of Reflect.ownKeys(of)) {
          const { value, get, set } = Object.getOwnPropertyDescriptor(of, key) ?? {};
          for (const member of [value, get, set]) {
            if (typeof member !== 'function' || key === 'constructor') continue;
            try {
              member.call(receiver, receiver, 1, 2);
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
            }
          }
        }
      }
      socket.end('alive');
      expect(await text(socket)).toBe('alive');
    },
  );
});
