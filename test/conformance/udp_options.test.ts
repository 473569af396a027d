import { networkInterfaces } from 'node:os';
import { type BindOptions, bind, connect, type UdpConnectOptions } from 'ringpoll/udp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bound, codeThrown, datagramPeer, until } from '../support/udp.js';

const LINUX = process.platform === 'linux';

describe('wrong options', () => {
  const wrong: [string, unknown, string][] = [
    ['no object', 7, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    ['an unknown name', { hostname: '::' }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    ['a port out of range', { port: 65_536 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['a port that is text', { port: '80' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    ['a host that is a number', { host: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    ['a handler that is none', { data: 'x' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    ['a hop limit of 256', { ttl: 256 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['a traffic class of 256', { trafficClass: 256 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['a flag that is a number', { broadcast: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    ['packets of no bytes', { maxPacketBytes: 0 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['packets too large', { maxPacketBytes: 65_536 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['a queue of no bytes', { maxQueuedBytes: 0 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    ['no signal', { signal: {} }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    ['no engine', { engine: 'kqueue' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
  ];
  it.each(wrong)('are refused: %s', (_name, options, code) => {
    expect(codeThrown(() => bind(options as BindOptions))).toBe(code);
  });

  it('of connect() are refused', () => {
    const codes = [{}, { host: '127.0.0.1' }, { host: '127.0.0.1', port: 0 }, { port: 1 }].map(
      (options) => codeThrown(() => connect(options as UdpConnectOptions)),
    );
    expect(codes).toEqual([
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
      'ERR_RINGPOLL_OUT_OF_RANGE',
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    ]);
    const bad = { host: '127.0.0.1', port: 9, localAddress: 'here' };
    expect(codeThrown(() => connect(bad))).toBe('EINVAL');
  });

  it('of send() are refused, and nothing is sent', async () => {
    const socket = bound({ data() {} });
    const to = { address: '127.0.0.1', port: 9 };
    const send = socket.send.bind(socket) as (data: unknown, to?: unknown) => boolean;
    expect(codeThrown(() => send('x'))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(codeThrown(() => send('x', 7))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(codeThrown(() => send(7, to))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(codeThrown(() => send(Buffer.alloc(65_508), to))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(codeThrown(() => send('x', { ...to, port: 0 }))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(codeThrown(() => send('x', { ...to, port: 65_536 }))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    const named = { address: 'example.org', port: 9 };
    expect(codeThrown(() => send('x', named))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    const ipv6 = { address: '::1', port: 9 };
    expect(codeThrown(() => send('x', ipv6))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(socket.stats).toMatchObject({ sent: 0, dropped: 0 });
    expect(socket.queuedBytes).toBe(0);
  });

  it('of the setters are refused', () => {
    const socket = bound({ data() {} });
    expect(codeThrown(() => socket.setTtl(0))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(codeThrown(() => socket.setMulticastTtl(256))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(codeThrown(() => socket.setTrafficClass(-1))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(codeThrown(() => socket.setBroadcast('yes' as never))).toBe(
      'ERR_RINGPOLL_INVALID_ARG_TYPE',
    );
    expect(codeThrown(() => socket.addMembership('lo'))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(codeThrown(() => socket.addMembership('127.0.0.1'))).toBe('EINVAL');
    expect(codeThrown(() => socket.setMulticastInterface('eth0'))).toBe(
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    );
  });
});

describe('an address in use', () => {
  it('is the error of the system, unless both share the port', () => {
    const first = bound({ data() {} });
    expect(codeThrown(() => bound({ port: first.port }))).toBe('EADDRINUSE');
    const shared = bound({ data() {}, reusePort: true });
    expect(bound({ data() {}, port: shared.port, reusePort: true }).port).toBe(shared.port);
  });
});

describe('options of the kernel', () => {
  it('size its buffers', () => {
    const socket = bound({ data() {}, receiveBuffer: 32_768, sendBuffer: 40_000 });
    expect(socket.receiveBufferSize).toBe(LINUX ? 65_536 : 32_768);
    expect(socket.sendBufferSize).toBe(LINUX ? 80_000 : 40_000);
  });

  it.runIf(LINUX)(
    'reach the packets: hops, traffic class with ECN, and where it was sent',
    async () => {
      const seen: unknown[] = [];
      const server = bound({
        host: '0.0.0.0',
        packetInfo: true,
        receiveTtl: true,
        receiveTrafficClass: true,
        data(socket, packets) {
          for (const packet of packets) {
            const { ttl, trafficClass, ecn, localAddress } = packet;
            seen.push({ ttl, trafficClass, ecn, localAddress });
            expect(packet.interfaceIndex).toBeGreaterThan(0);
            socket.send(packet, packet);
          }
        },
      });
      const answers: string[] = [];
      const client = connect({
        host: '127.0.0.7',
        port: server.port,
        ttl: 7,
        trafficClass: 0b1010_0010,
        data: (_socket, packets) => {
          answers.push(...packets.map(({ address }) => address));
        },
      });
      onTestFinished(() => client.close());
      client.send('x');
      // It is connected, so it hears an answer only from the address that it sent to.
      await until(
        () => answers.length === 1,
        () => 'the answer',
      );
      expect(seen).toEqual([
        { ttl: 7, trafficClass: 0b1010_0010, ecn: 2, localAddress: '127.0.0.7' },
      ]);
      expect(answers).toEqual(['127.0.0.7']);
      client.setTtl(9);
      client.setTrafficClass(1);
      client.send('y');
      await until(
        () => seen.length === 2,
        () => 'the second one',
      );
      expect(seen[1]).toMatchObject({ ttl: 9, ecn: 1 });
    },
  );

  it.runIf(LINUX)('coalesce datagrams, and cut the answers up again', async () => {
    const sizes: [number, number][] = [];
    const server = bound({
      coalesce: true,
      segment: true,
      data(socket, packets) {
        for (const packet of packets) {
          sizes.push([packet.length, packet.segmentSize]);
          socket.send(packet, packet);
        }
      },
    });
    const peer = await datagramPeer();
    const sender = bound({ coalesce: true, segment: true });
    const heard: Buffer[] = [];
    const listening = (async () => {
      for await (const packets of sender) {
        for (const packet of packets) {
          const step = packet.segmentSize || packet.length;
          for (let at = 0; at < packet.length; at += step) {
            heard.push(Buffer.from(packet.bytes.subarray(at, at + step)));
          }
        }
        if (heard.length === 50) break;
      }
    })();
    for (let i = 0; i < 50; i++) {
      sender.send(Buffer.alloc(i === 49 ? 300 : 500, i), {
        address: '127.0.0.1',
        port: server.port,
      });
    }
    await listening;
    expect(heard.map(({ length }) => length)).toEqual([...Array(49).fill(500), 300]);
    expect(heard.map(([first]) => first)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    peer.send('alone', server.port);
    expect((await peer.received(1)).map(String)).toEqual(['alone']);
    for (const [length, segment] of sizes) expect(segment === 0 || segment < length).toBe(true);
  });

  it('let it broadcast, or refuse it', async () => {
    const codes: unknown[] = [];
    const socket = bound({
      host: '0.0.0.0',
      data() {},
      error: (_socket, error) => void codes.push((error as { code?: string }).code),
    });
    socket.send('to all', { address: '255.255.255.255', port: 9 });
    await until(
      () => codes.length === 1,
      () => 'the refusal',
    );
    expect(['EACCES', 'ENETUNREACH']).toContain(codes[0]);
    expect(socket.stats.refused).toBe(1);
    socket.setBroadcast(true);
    const heard: string[] = [];
    const other = bound({
      host: '0.0.0.0',
      broadcast: true,
      data: (_socket, packets) => void heard.push(...packets.map(String)),
    });
    other.send('to the net', { address: '127.255.255.255', port: other.port });
    await until(
      () => heard.length === 1,
      () => 'the broadcast',
    );
    expect(heard).toEqual(['to the net']);
  });
});

describe('multicast', () => {
  it('reaches members on the loopback interface, and nobody else', async () => {
    const group = '239.255.77.1';
    const heard: string[] = [];
    const member = bound({
      host: '0.0.0.0',
      data: (_socket, packets) => void heard.push(...packets.map(String)),
    });
    const sender = bound({ data() {} });
    sender.setMulticastInterface('127.0.0.1');
    sender.setMulticastTtl(1);
    sender.setMulticastLoopback(true);
    const to = { address: group, port: member.port };
    const before = networkInterfaces().lo?.length ?? 1;
    expect(before).toBeGreaterThan(0);
    member.addMembership(group, '127.0.0.1');
    expect(codeThrown(() => member.addMembership(group, '127.0.0.1'))).toBe('EADDRINUSE');
    sender.send('first', to);
    await until(
      () => heard.length === 1,
      () => 'what was sent to the group',
    );
    member.dropMembership(group, '127.0.0.1');
    expect(codeThrown(() => member.dropMembership(group, '127.0.0.1'))).toBe('EADDRNOTAVAIL');
    sender.send('not heard', to);
    sender.send('alone', { address: '127.0.0.1', port: member.port });
    await until(
      () => heard.includes('alone'),
      () => 'what was sent to it alone',
    );
    expect(heard).toEqual(['first', 'alone']);
  });

  it.runIf(LINUX)('takes members for one source', async () => {
    const group = '232.1.1.7';
    const heard: string[] = [];
    const member = bound({
      host: '0.0.0.0',
      data: (_socket, packets) => void heard.push(...packets.map(String)),
    });
    member.addSourceMembership('127.0.0.1', group, '127.0.0.1');
    for (const host of ['127.0.0.2', '127.0.0.1']) {
      const sender = bound({ host, data() {} });
      sender.setMulticastInterface('127.0.0.1');
      sender.send(`from ${host}`, { address: group, port: member.port });
      await until(
        () => sender.stats.sent === 1,
        () => 'it to leave',
      );
    }
    await until(
      () => heard.length > 0,
      () => 'the source',
    );
    expect(heard).toEqual(['from 127.0.0.1']);
    member.dropSourceMembership('127.0.0.1', group, '127.0.0.1');
  });
});
