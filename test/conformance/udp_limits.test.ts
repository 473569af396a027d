import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Loop, listen } from 'ringpoll';
import { bind, connect } from 'ringpoll/udp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { programPath } from '../support/program.js';
import { within } from '../support/recorder.js';
import { bound, datagramPeer, until } from '../support/udp.js';

const LINUX = process.platform === 'linux';

interface Refusal extends Error {
  code?: string;
  syscall?: string;
  address?: string;
  port?: number;
}

describe('what does not arrive', () => {
  it('is told with its address, and the socket goes on', async () => {
    const gone = await datagramPeer();
    const peer = await datagramPeer();
    const closed = once(gone.socket, 'close');
    // node's own refuses to be closed twice, so the test's end must not find it open.
    const { port } = gone;
    gone.socket.close();
    gone.socket.close = () => gone.socket;
    await closed;
    const errors: Refusal[] = [];
    const client = connect({
      host: '127.0.0.1',
      port,
      data() {},
      error: (_socket, error) => void errors.push(error),
    });
    onTestFinished(() => client.close());
    client.send('is anybody there?');
    await until(
      () => errors.length === 1,
      () => 'the refusal',
    );
    expect(errors[0].code).toBe('ECONNREFUSED');
    if (LINUX) expect(errors[0]).toMatchObject({ address: '127.0.0.1', port });
    expect(client.readyState).toBe('open');

    if (!LINUX) return;
    const told: Refusal[] = [];
    const server = bound({ data() {}, error: (_socket, error) => void told.push(error) });
    for (let i = 0; i < 3; i++) server.send('x', { address: '127.0.0.1', port });
    await until(
      () => told.length > 0,
      () => 'the refusal',
    );
    server.send('still works', { address: '127.0.0.1', port: peer.port });
    expect((await peer.received(1)).map(String)).toEqual(['still works']);
    expect(told[0]).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.1', port });
  });

  it('does no harm where nobody listens for errors', async () => {
    const server = bound({ data() {} });
    const peer = await datagramPeer();
    server.send('x', { address: '127.0.0.1', port: 1 });
    server.send('y', { address: '127.0.0.1', port: peer.port });
    expect((await peer.received(1)).map(String)).toEqual(['y']);
  });
});

describe('the queue', () => {
  it('drops what would be more than maxQueuedBytes, and counts it', async () => {
    const peer = await datagramPeer();
    const socket = bound({ data() {}, maxQueuedBytes: 1000 });
    const to = { address: '127.0.0.1', port: peer.port };
    expect(socket.send(Buffer.alloc(937), to)).toBe(false);
    expect(socket.send(Buffer.alloc(936), to)).toBe(true);
    // The kernel takes what waits, so there is room again at once.
    expect(socket.send(Buffer.alloc(936), to)).toBe(true);
    await peer.received(2);
    expect(socket.stats).toMatchObject({ sent: 2, dropped: 1 });
  });

  it('of the kernel overflows without harm, and what it missed is counted', async () => {
    const server = bind({ host: '127.0.0.1', receiveBuffer: 4096, data() {} });
    onTestFinished(() => server.close());
    const sender = bound({ data() {} });
    server.pause();
    await new Promise((resolve) => setImmediate(resolve));
    const to = { address: '127.0.0.1', port: server.port };
    for (let i = 0; i < 500; i++) sender.send(Buffer.alloc(512), to);
    await until(
      () => sender.stats.sent === 500,
      () => 'all to leave',
    );
    server.resume();
    await until(
      () => server.stats.received > 0,
      () => 'what has waited',
    );
    if (!LINUX) return;
    // The count comes with the next datagram.
    sender.send('one more', to);
    await until(
      () => server.stats.missed > 0,
      () => 'the count',
    );
    const { received, missed } = server.stats;
    expect(received + missed).toBe(501);
  });
});

describe('a flood', () => {
  it('leaves honest peers of TCP and UDP served, in bounded turns and memory', async () => {
    let flooded = 0;
    const victim = bind({
      host: '127.0.0.1',
      receiveBuffer: 8 << 20,
      data: (_socket, packets) => {
        flooded += packets.length;
      },
    });
    onTestFinished(() => victim.close());
    const server = bound({
      data(socket, packets) {
        for (const packet of packets) socket.send(packet, packet);
      },
    });
    const listener = listen({
      port: 0,
      host: '127.0.0.1',
      data: (connection, chunk) => connection.write(chunk),
    });
    onTestFinished(() => listener.destroy());
    const worker = new Worker(programPath('udp_flood'), { workerData: { port: victim.port } });
    onTestFinished(async () => {
      await worker.terminate();
    });
    await within(once(worker, 'message'), () => 'the flood to begin', 30_000);
    await until(
      () => flooded > 1000,
      () => 'the flood',
    );
    const tcp = await connectPeer({ port: listener.port as number });
    const udp = await datagramPeer();
    const blocks = Loop.current().metrics().arenaOutstanding;
    for (let round = 1; round <= 50; round++) {
      tcp.send('x');
      udp.send('y', server.port);
      await Promise.all([tcp.received(round), udp.received(round)]);
    }
    expect(Loop.current().metrics().arenaOutstanding).toBeLessThan(blocks + 64);
    expect(flooded).toBeGreaterThan(1000);
  }, 60_000);
});

describe('a worker', () => {
  it('that is terminated while datagrams come and go takes nothing along', async () => {
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(programPath('udp_worker'));
      const [port] = (await within(once(worker, 'message'), () => 'a port', 30_000)) as [number];
      const peer = await datagramPeer();
      for (let i = 0; i < 200; i++) peer.send('ping', port);
      await peer.received(1);
      await worker.terminate();
    }
    const server = bound({ data: (socket, [packet]) => socket.send(packet, packet) });
    const peer = await datagramPeer();
    peer.send('still here', server.port);
    expect((await peer.received(1)).map(String)).toEqual(['still here']);
  }, 60_000);
});
