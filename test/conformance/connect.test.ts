import { createServer } from 'node:net';
import { connect, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { startProgram } from '../support/program.js';
import { Recorder, within } from '../support/recorder.js';
import { addressOf, dial, pair, serve } from '../support/serve.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The port of a listener that answers no more: its backlog is full and it never accepts. */
async function silentPort(): Promise<number> {
  const port = await startProgram('full_backlog').port();
  // The queue holds one more than the backlog; the others wait for an answer that does not come.
  const waiting = Array.from({ length: 8 }, () => connectPeer({ port }));
  for (const peer of waiting) peer.catch(() => {});
  await Promise.any(waiting);
  let connected = 0;
  await new Promise<void>((resolve) => {
    for (const peer of waiting) {
      peer.then(
        () => {
          connected += 1;
          if (connected === 2) resolve();
        },
        () => {},
      );
    }
  });
  return port;
}

describe('connect()', () => {
  it('resolves with an open connection, after its open handler', async () => {
    const server = await PeerServer.listen();
    const client = new Recorder();
    const connection = await connect({ host: '127.0.0.1', port: server.port, ...client.recording });
    expect(client.order).toEqual(['open']);
    expect(client.connection).toBe(connection);
    expect(connection.readyState).toBe('open');
    const peer = await server.next();
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect(connection.remotePort).toBe(server.port);
    expect(connection.remoteFamily).toBe('IPv4');
    expect(connection.localAddress).toBe('127.0.0.1');
    expect(connection.localPort).toBe(peer.socket.remotePort);
    connection.end('hello');
    expect(await peer.untilEnd()).toBe('hello');
    peer.end('bye');
    await client.until('close');
    expect(client.text).toBe('bye');
    expect(client.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('hears what the server says first', async () => {
    const server = await PeerServer.listen();
    const client = new Recorder();
    const connecting = connect({ host: '127.0.0.1', port: server.port, ...client.recording });
    (await server.next()).send('welcome');
    await connecting;
    await client.received(7);
    expect(client.text).toBe('welcome');
  });

  it('resolves a host name', async () => {
    const server = await PeerServer.listen();
    const connection = await dial({ host: 'localhost', port: server.port });
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect((await server.next()).socket.remotePort).toBe(connection.localPort);
  });

  it('connects from the local address that it is told', async () => {
    const server = await PeerServer.listen();
    const connection = await dial({ port: server.port, localAddress: '127.0.0.2' });
    expect(connection.localAddress).toBe('127.0.0.2');
    expect((await server.next()).socket.remoteAddress).toBe('127.0.0.2');
  });

  it('takes the local port of a connection that has ended a moment ago', async () => {
    const server = await PeerServer.listen();
    const other = await PeerServer.listen();
    const localPort = await freePort();
    const first = new Recorder();
    const before = await dial({ port: server.port, localPort, ...first.recording });
    const accepted = await server.next();
    before.end();
    await accepted.untilEnd();
    accepted.end();
    await first.until('close'); // its port is in TIME_WAIT now
    const after = await dial({ port: other.port, localPort });
    expect(after.localPort).toBe(localPort);
  });

  it('takes a local port for IPv6 too', async (context) => {
    let listener: ReturnType<typeof serve>;
    try {
      listener = serve({ host: '::1', port: 0, data() {} });
    } catch {
      return context.skip('no IPv6 on this machine');
    }
    const localPort = await freePort();
    const connection = await dial({ host: '::1', ...addressOf(listener), localPort });
    expect(connection.localPort).toBe(localPort);
    expect(connection.localAddress).toBe('::1');
  });

  it.each([
    ['of another family', { host: '::1', port: 80, localAddress: '127.0.0.1' }, 'localAddress'],
    ['with a path', { path: '/nowhere', localPort: 1 }, 'localPort'],
  ])('refuses a local address %s', async (_, options, name) => {
    await expect(connect(options)).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_RINGPOLL_INVALID_ARG_VALUE',
      message: expect.stringContaining(`options.${name}`),
    });
  });

  it.each(['fe80::1%4294967296', 'fe80::1%4294967297', 'fe80::1%0'])(
    'refuses the zone of %s',
    async (address) => {
      const code = 'ERR_RINGPOLL_INVALID_ARG_VALUE';
      await expect(connect({ host: address, port: 80 })).rejects.toMatchObject({ code });
      const from = { host: '::1', port: 80, localAddress: address };
      await expect(connect(from)).rejects.toMatchObject({ code });
      expect(() => listen({ host: address, port: 0 })).toThrow(expect.objectContaining({ code }));
    },
  );

  it('refuses a zone that is no interface', async () => {
    const connecting = connect({ host: 'fe80::1%ringpoll-none', port: 80 });
    await expect(connecting).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('connects over IPv6', async (context) => {
    let listener: ReturnType<typeof serve>;
    try {
      listener = serve({
        host: '::1',
        port: 0,
        data: (connection, chunk) => connection.write(chunk),
      });
    } catch {
      return context.skip('no IPv6 on this machine');
    }
    const client = new Recorder();
    const connection = await dial({ host: '::1', ...addressOf(listener), ...client.recording });
    expect(connection.remoteAddress).toBe('::1');
    expect(connection.remoteFamily).toBe('IPv6');
    connection.write('six');
    await client.received(3);
    expect(client.text).toBe('six');
  });

  it('makes a thousand connections at a time', async () => {
    const listener = serve({ data: (connection, chunk) => connection.write(chunk) });
    const clients = Array.from({ length: 1000 }, () => new Recorder());
    await Promise.all(
      clients.map(({ recording }) => dial({ ...addressOf(listener), ...recording })),
    );
    for (const [index, { connection }] of clients.entries()) connection.write(`${index}`);
    await Promise.all(clients.map((client, index) => client.received(`${index}`.length)));
    expect(clients.map(({ text }) => Number(text))).toEqual(clients.map((_, index) => index));
  });
});

describe('connect() fails', () => {
  it('as Node does when nobody listens', async () => {
    const port = await freePort();
    const client = new Recorder();
    const options = { host: '127.0.0.1', port, ...client.recording };
    await expect(connect(options)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: '127.0.0.1',
      port,
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
    expect(client.order).toEqual([]);
  });

  it('as Node does when there is no such path', async () => {
    const path = '/nonexistent/ringpoll.sock';
    await expect(connect({ path })).rejects.toMatchObject({
      code: 'ENOENT',
      errno: -2,
      syscall: 'connect',
      address: path,
      message: `connect ENOENT ${path}`,
    });
  });

  it('as Node does when there is no such host', async () => {
    await expect(connect({ host: 'no-such-host.invalid', port: 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
      syscall: 'getaddrinfo',
      hostname: 'no-such-host.invalid',
    });
  });

  it('when the local address is not of this machine', async () => {
    const server = await PeerServer.listen();
    const connecting = connect({ host: '127.0.0.1', port: server.port, localAddress: '192.0.2.1' });
    await expect(connecting).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'bind' });
  });

  it('after connectTimeout, not before', async () => {
    const port = await silentPort();
    const started = performance.now();
    const client = new Recorder();
    const connecting = connect({
      host: '127.0.0.1',
      port,
      connectTimeout: 150,
      ...client.recording,
    });
    await expect(within(connecting, () => 'the time-out')).rejects.toMatchObject({
      code: 'ERR_RINGPOLL_CONNECT_TIMEOUT',
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(149);
    expect(client.order).toEqual([]);
  });

  it('a thousand times without harm', async () => {
    const port = await freePort();
    const failures = await Promise.allSettled(
      Array.from({ length: 1000 }, () => connect({ host: '127.0.0.1', port })),
    );
    const codes = failures.map((result) => result.status === 'rejected' && result.reason.code);
    expect(new Set(codes)).toEqual(new Set(['ECONNREFUSED']));
  });
});

describe('connect() with a signal', () => {
  it('that is aborted already connects nobody', async () => {
    const server = await PeerServer.listen();
    const signal = AbortSignal.abort();
    const client = new Recorder();
    const connecting = connect({
      host: '127.0.0.1',
      port: server.port,
      signal,
      ...client.recording,
    });
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' });
    // The next to arrive is the next that was made.
    const later = await dial({ port: server.port });
    expect((await server.next()).socket.remotePort).toBe(later.localPort);
    expect(client.order).toEqual([]);
  });

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('changed my mind');
    const connecting = connect({ host: '127.0.0.1', port: 1, signal: AbortSignal.abort(reason) });
    await expect(connecting).rejects.toBe(reason);
  });

  it('that is aborted while connecting gives up', async () => {
    const port = await silentPort();
    const controller = new AbortController();
    const client = new Recorder();
    const connecting = connect({
      host: '127.0.0.1',
      port,
      signal: controller.signal,
      ...client.recording,
    });
    setImmediate(() => controller.abort());
    await expect(within(connecting, () => 'the abort')).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(client.order).toEqual([]);
  });

  it('that is aborted while the name is looked up gives up', async () => {
    const server = await PeerServer.listen();
    const controller = new AbortController();
    const connecting = connect({
      host: 'localhost',
      port: server.port,
      signal: controller.signal,
    });
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('that is aborted later closes the connection', async () => {
    const server = await PeerServer.listen();
    const controller = new AbortController();
    const client = new Recorder();
    await dial({ port: server.port, signal: controller.signal, ...client.recording });
    const peer = await server.next();
    controller.abort();
    await client.until('close');
    await peer.untilOver();
    expect(client.count('close')).toBe(1);
  });

  it('that outlives the connection does not matter', async () => {
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    const { listener } = await pair();
    const client = new Recorder();
    await dial({ ...addressOf(listener), signal: controller.signal, ...client.recording });
    client.connection.reset();
    await client.until('close');
    controller.abort();
    expect(client.count('close')).toBe(1);
  });
});
