import { AsyncLocalStorage } from 'node:async_hooks';
import { bind, type Packet, type UdpSocket } from 'ringpoll/udp';
import { describe, expect, it } from 'vitest';
import { pattern } from '../support/serve.js';
import { bound, codeThrown, datagramPeer, until } from '../support/udp.js';

describe('a packet', () => {
  it('is over when the handler returns, unless it was retained', async () => {
    const kept: Packet[] = [];
    let lost: Packet | undefined;
    const server = bound({
      data(_socket, packets) {
        for (const packet of packets) {
          if (packet.length === 3) lost = packet;
          else kept.push(packet.retain());
        }
      },
    });
    const peer = await datagramPeer();
    const small = pattern(100);
    const large = pattern(40_000);
    peer.send(small, server.port);
    peer.send(large, server.port);
    peer.send('end', server.port);
    await until(
      () => kept.length === 2 && lost !== undefined,
      () => 'all packets',
    );
    for (let i = 0; i < 50; i++) peer.send('end', server.port);
    await until(
      () => server.stats.received === 53,
      () => 'what overwrites',
    );
    expect(codeThrown(() => lost?.bytes)).toBe('ERR_RINGPOLL_CHUNK_RELEASED');
    expect(codeThrown(() => lost?.address)).toBe('ERR_RINGPOLL_CHUNK_RELEASED');
    expect(kept[0].bytes.equals(small)).toBe(true);
    expect(kept[1].bytes.equals(large)).toBe(true);
    expect(kept.map(({ port }) => port)).toEqual([peer.port, peer.port]);
    for (const packet of kept) server.send(packet, packet);
    const back = await peer.received(2);
    expect(back[0].equals(small) && back[1].equals(large)).toBe(true);
    for (const packet of kept) packet.release();
    expect(codeThrown(() => server.send(kept[1], kept[1]))).toBe('ERR_RINGPOLL_CHUNK_RELEASED');
  });
});

describe('iteration', () => {
  it('gives batches, without losing one while the consumer is away', async () => {
    const server = bind({ host: '127.0.0.1', receiveBuffer: 4 << 20 });
    const peer = await datagramPeer();
    for (let i = 0; i < 200; i++) peer.send(`${i}`, server.port);
    const seen: string[] = [];
    let last: readonly Packet[] = [];
    for await (const packets of server) {
      if (last.length > 0) expect(last[0].released).toBe(true);
      last = packets;
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(...packets.map(String));
      if (seen.length === 200) break;
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
    expect(server.readyState).not.toBe('open');
    await server.close();
    expect(server.readyState).toBe('closed');
  });

  it('ends when the socket is closed', async () => {
    const server = bind({ host: '127.0.0.1' });
    const next = server[Symbol.asyncIterator]().next();
    await server.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

describe('close()', () => {
  it('sends what was sent before, and ends the life of the socket', async () => {
    const peer = await datagramPeer();
    const closes: unknown[] = [];
    const server = bound({ data() {}, close: (_socket, error) => void closes.push(error) });
    server.send('last words', { address: '127.0.0.1', port: peer.port });
    await server.close();
    expect(closes).toEqual([undefined]);
    expect((await peer.received(1)).map(String)).toEqual(['last words']);
    expect(server.send('too late', { address: '127.0.0.1', port: peer.port })).toBe(false);
    expect(server.stats).toMatchObject({ sent: 1, dropped: 1 });
    bound({ port: server.port });
  });

  it('in a handler ends the deliveries', async () => {
    let calls = 0;
    let closed = false;
    const server = bound({
      data(socket) {
        calls++;
        socket.close();
      },
      close: () => {
        closed = true;
      },
    });
    const peer = await datagramPeer();
    for (let i = 0; i < 100; i++) peer.send('x', server.port);
    await until(
      () => closed,
      () => 'the close',
    );
    expect(calls).toBe(1);
  });

  it('comes with a signal, and at the end of a using block', async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      bound({ data() {}, signal: controller.signal, close: () => resolve() });
    });
    controller.abort();
    await closed;
    const socket: UdpSocket = bound({ data() {} });
    await socket[Symbol.asyncDispose]();
    expect(socket.readyState).toBe('closed');
    expect(() => bind({ signal: AbortSignal.abort() })).toThrow(/abort/i);
  });
});

describe('a handler', () => {
  it('that throws is told to the error handler, and the socket goes on', async () => {
    const errors: string[] = [];
    const server = bound({
      data(socket, packets) {
        for (const packet of packets) {
          if (`${packet}` === 'bad') throw new Error('cannot take it');
          socket.send(packet, packet);
        }
      },
      error: (_socket, error) => void errors.push(error.message),
    });
    const peer = await datagramPeer();
    peer.send('bad', server.port);
    await until(
      () => errors.length === 1,
      () => 'the error',
    );
    peer.send('good', server.port);
    expect((await peer.received(1)).map(String)).toEqual(['good']);
    expect(errors).toEqual(['cannot take it']);
  });

  it('that is async and rejects counts like one that throws', async () => {
    const errors: string[] = [];
    const server = bound({
      data: async () => {
        await Promise.resolve();
        throw new Error('later');
      },
      error: (_socket, error) => void errors.push(error.message),
    });
    const peer = await datagramPeer();
    peer.send('x', server.port);
    await until(
      () => errors.length === 1,
      () => 'the error',
    );
    expect(errors).toEqual(['later']);
  });

  it('runs in the asynchronous context of bind()', async () => {
    const storage = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    const server = storage.run('of bind', () =>
      bound({
        data: () => {
          seen = storage.getStore();
        },
      }),
    );
    const peer = await datagramPeer();
    peer.send('x', server.port);
    await until(
      () => seen !== undefined,
      () => 'a packet',
    );
    expect(seen).toBe('of bind');
  });
});

describe('pause()', () => {
  it('leaves datagrams in the buffer of the kernel until resume()', async () => {
    let seen = 0;
    const server = bound({
      data: (_socket, packets) => {
        seen += packets.length;
      },
    });
    const peer = await datagramPeer();
    server.pause();
    for (let i = 0; i < 100; i++) peer.send('x', server.port);
    await new Promise((resolve) => peer.socket.send('y', server.port, '127.0.0.1', resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toBe(0);
    server.resume();
    await until(
      () => seen === 101,
      () => 'what has waited',
    );
  });
});
