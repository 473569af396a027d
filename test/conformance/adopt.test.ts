// Sockets from elsewhere, descriptors, and the kernel's options of sockets.
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { adopt, connect } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { Recorder } from '../support/recorder.js';
import { pair, portOf, serve } from '../support/serve.js';

/** A descriptor of a connection that nobody else uses: a copy of what Node has connected. */
async function connected(port: number): Promise<number> {
  const socket = new Socket();
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  onTestFinished(() => void socket.destroy());
  socket.pause();
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  // /proc gives no second descriptor of a socket; the loop has one for us.
  const { native } = await import('../../lib/runtime/native.js');
  return native().duplicateSocket(fd);
}

describe('adopt()', () => {
  it('serves a connection that somebody else has made', async () => {
    const server = await PeerServer.listen();
    const fd = await connected(server.port);
    const peer = await server.next();
    const recorder = new Recorder();
    const connection = await adopt({ fd, connectionData: 'mine', ...recorder.recording });
    expect(connection.data).toBe('mine');
    expect(connection.fd).toBe(fd);
    expect(connection.remotePort).toBe(server.port);
    connection.write('hello');
    expect(await peer.receivedUntil('hello')).toBe('hello');
    peer.end('bye');
    await recorder.until('close');
    expect(recorder.text).toBe('bye');
    expect(recorder.order).toEqual(['open', 'data', 'end', 'close']);
    expect(connection.fd).toBe(undefined);
  });

  it.each([
    ['a file', 'ENOTSOCK', () => openSync('/dev/null', 'r')],
    ['a closed descriptor', 'EBADF', () => 1_000_000],
  ])('refuses %s', async (_, code, make) => {
    const fd = make();
    await expect(adopt({ fd })).rejects.toMatchObject({ code });
    if (fd < 1_000_000) closeSync(fd);
  });

  it('refuses a socket that listens, and one that the loop has already', async () => {
    const listener = serve({ data() {} });
    await expect(adopt({ fd: listener.fd as number })).rejects.toMatchObject({ code: 'EEXIST' });
    const { server } = await pair({ data() {} });
    const fd = server.connection?.fd as number;
    await expect(adopt({ fd })).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it("refuses wrong options of TLS, and the descriptor is the caller's still", async () => {
    const server = await PeerServer.listen();
    const fd = await connected(server.port);
    const wrong = async (options: object) => adopt({ fd, data() {}, ...options });
    await expect(wrong({ tls: 7 })).rejects.toThrow(TypeError);
    await expect(wrong({ tls: { servernames: 'a' } })).rejects.toThrow(/servername/);
    await expect(wrong({ host: 7 })).rejects.toThrow(TypeError);
    await expect(wrong({ tls: true, session: 7 })).rejects.toThrow(TypeError);
    const connection = await adopt({ fd, data() {} });
    connection.close();
  });

  it('refuses what is no descriptor', async () => {
    const wrong = adopt({ fd: 'x' } as never);
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });
    await expect(adopt({ fd: -1 })).rejects.toMatchObject({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' });
    await expect(adopt({} as never)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_INVALID_ARG_TYPE',
    });
  });
});

describe('options of sockets', () => {
  const options = {
    sendBufferSize: 65_536,
    receiveBufferSize: 65_536,
    keepAlive: 10_000,
    keepAliveInterval: 5_000,
    keepAliveCount: 3,
    userTimeout: 30_000,
    typeOfService: 0x10,
  };

  it('are taken by listen() and connect(), and bytes pass', async () => {
    const { server, peer } = await pair({ data: (to, chunk) => void to.write(chunk) }, options);
    peer.socket.write('x');
    expect(await peer.receivedUntil('x')).toBe('x');
    expect(server.connection?.readyState).toBe('open');
    const echo = serve({ data: (to, chunk) => void to.write(chunk) });
    const recorder = new Recorder();
    const to = { host: '127.0.0.1', port: portOf(echo) };
    const client = await connect({ ...to, ...options, ...recorder.recording });
    client.end('y');
    await recorder.until('close');
    expect(recorder.text).toBe('y');
  });

  it.each([
    ['sendBufferSize', 0],
    ['receiveBufferSize', 2 ** 31],
    ['keepAliveInterval', 0],
    ['keepAliveCount', 128],
    ['userTimeout', -1],
    ['typeOfService', 256],
  ])('refuses %s of %d', async (name, value) => {
    const wrong = { host: '127.0.0.1', port: 1, [name]: value };
    await expect(connect(wrong)).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_OUT_OF_RANGE',
      message: expect.stringContaining(name),
    });
  });

  it('slow a sender down whose receiver has a small buffer', async () => {
    // The kernel doubles what it is asked for; without the option it offers megabytes.
    const server = await PeerServer.listen({ pauseOnConnect: true });
    const small = { host: '127.0.0.1', port: server.port, sendBufferSize: 16_384 };
    const connection = await connect({ ...small, data() {} });
    onTestFinished(() => connection.reset());
    const taken = connection.tryWrite(Buffer.alloc(8 * 1024 * 1024));
    expect(taken).toBeLessThan(1024 * 1024);
    await server.next();
  });
});
