import { bind, connect, type Packet } from 'ringpoll/udp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pattern } from '../support/serve.js';
import { bound, datagramPeer, until } from '../support/udp.js';

const echo = {
  data(socket: { send(data: Packet, to: Packet): boolean }, packets: readonly Packet[]) {
    for (const packet of packets) socket.send(packet, packet);
  },
};

describe('a datagram', () => {
  it.each([0, 1, 64, 1472, 2047, 2048, 2049, 9000, 16_385, 65_507])(
    'goes back unchanged: %i bytes',
    async (size) => {
      const server = bound(echo);
      const peer = await datagramPeer();
      const sent = pattern(size);
      peer.send(sent, server.port);
      const [back] = await peer.received(1);
      expect(back.equals(sent)).toBe(true);
      expect(peer.senders[0].port).toBe(server.port);
      expect(server.stats).toMatchObject({ received: 1, sent: 1, bytesSent: size, dropped: 0 });
      expect(server.queuedBytes).toBe(0);
    },
  );

  it('says where it came from, and is a view on the bytes', async () => {
    const seen: unknown[] = [];
    const server = bound({
      data(_socket, packets) {
        for (const packet of packets) {
          const { address, port, family, truncated, length, segmentSize } = packet;
          seen.push({ address, port, family, truncated, length, segmentSize, text: `${packet}` });
          expect(packet.bytes.toString()).toBe('hello');
          expect(packet.localAddress).toBeUndefined();
          expect(packet.ttl).toBeUndefined();
          expect(packet.ecn).toBeUndefined();
        }
      },
    });
    const peer = await datagramPeer();
    peer.send('hello', server.port);
    await until(
      () => seen.length > 0,
      () => 'the datagram',
    );
    expect(seen).toEqual([
      {
        address: '127.0.0.1',
        port: peer.port,
        family: 'IPv4',
        truncated: false,
        length: 5,
        segmentSize: 0,
        text: 'hello',
      },
    ]);
  });

  it('that is longer than maxPacketBytes is cut off, and says so', async () => {
    const seen: [number, boolean][] = [];
    const server = bound({
      maxPacketBytes: 100,
      data: (_socket, packets) => {
        for (const { length, truncated } of packets) seen.push([length, truncated]);
      },
    });
    const peer = await datagramPeer();
    peer.send(Buffer.alloc(101), server.port);
    peer.send(Buffer.alloc(100), server.port);
    await until(
      () => seen.length === 2,
      () => 'both datagrams',
    );
    expect(seen).toEqual([
      [100, true],
      [100, false],
    ]);
    expect(server.stats.truncated).toBe(1);
  });

  it('can be text, bytes or a packet, and go to an address or to a sender', async () => {
    const peer = await datagramPeer();
    const server = bound({
      data(socket, [packet]) {
        socket.send('text é', packet);
        socket.send(new Uint8Array([1, 2, 3]), { address: '127.0.0.1', port: peer.port });
        socket.send(packet, { address: packet.address, port: packet.port });
        socket.send(packet, packet);
      },
    });
    peer.send('ping', server.port);
    const back = await peer.received(4);
    expect(back.map(String)).toEqual(['text é', '\u0001\u0002\u0003', 'ping', 'ping']);
  });
});

describe('many datagrams', () => {
  it('come in batches, in order, and none is lost below the buffer of the socket', async () => {
    const count = 2000;
    let batches = 0;
    let largest = 0;
    const server = bound({
      data(socket, packets) {
        batches++;
        largest = Math.max(largest, packets.length);
        for (const packet of packets) socket.send(packet, packet);
      },
    });
    const peer = await datagramPeer();
    for (let i = 0; i < count; i++) peer.send(`${i}`, server.port);
    const back = await peer.received(count);
    expect(back.map(String)).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
    expect(server.stats).toMatchObject({ received: count, sent: count, missed: 0, refused: 0 });
    expect(largest).toBeGreaterThan(1);
    expect(largest).toBeLessThanOrEqual(32);
    expect(batches).toBeLessThan(count);
  });

  it('leave with one turn, more of them than one round of commands holds', async () => {
    const count = 5000;
    const peer = await datagramPeer();
    const server = bound({ data() {} });
    let taken = 0;
    for (let i = 0; i < count; i++) {
      if (server.send('x', { address: '127.0.0.1', port: peer.port })) taken++;
    }
    expect(taken).toBe(count);
    await until(
      () => server.stats.sent === count,
      () => 'all to leave',
    );
    expect(server.queuedBytes).toBe(0);
  });
});

describe('a connected socket', () => {
  it('sends without an address, and hears its peer alone', async () => {
    const peer = await datagramPeer();
    const stranger = await datagramPeer();
    const heard: string[] = [];
    const client = connect({
      host: '127.0.0.1',
      port: peer.port,
      data: (_socket, packets) => {
        heard.push(...packets.map(String));
      },
    });
    onTestFinished(() => client.close());
    expect(client.remoteAddress).toEqual({
      address: '127.0.0.1',
      port: peer.port,
      family: 'IPv4',
    });
    client.send('to you');
    expect((await peer.received(1)).map(String)).toEqual(['to you']);
    stranger.send('from a stranger', client.port);
    peer.send('from the peer', client.port);
    await until(
      () => heard.length > 0,
      () => 'the answer',
    );
    expect(heard).toEqual(['from the peer']);
  });

  it('looks a name up', () => {
    const client = connect({ host: 'localhost', port: 9, data() {} });
    onTestFinished(() => client.close());
    expect(client.remoteAddress?.address).toBe('127.0.0.1');
  });
});

describe('IPv6', () => {
  it('takes IPv4 as well by default, and answers both', async () => {
    const seen: string[] = [];
    const server = bind({
      data(socket, packets) {
        for (const packet of packets) {
          seen.push(packet.address);
          socket.send(packet, packet);
          socket.send('again', { address: packet.address, port: packet.port });
        }
      },
    });
    onTestFinished(() => server.close());
    const peer = await datagramPeer();
    peer.send('over IPv4', server.port);
    expect((await peer.received(2)).map(String)).toEqual(['over IPv4', 'again']);
    if (server.address.family !== 'IPv6') return;
    const other = await datagramPeer('udp6');
    other.send('over IPv6', server.port);
    expect((await other.received(2)).map(String)).toEqual(['over IPv6', 'again']);
    expect(seen).toEqual(['::ffff:127.0.0.1', '::1']);
    server.send('by number', { address: '127.0.0.1', port: peer.port });
    expect((await peer.received(3))[2].toString()).toBe('by number');
  });
});
