// What WebSockets must survive: closing anywhere, slow readers, bombs, peers that go away.
import { deflateRawSync, constants as zlib } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { pattern } from '../support/serve.js';
import { dialSocket, SocketLog, serveSockets, upgradeHead } from '../support/websocket.js';

const { Z_SYNC_FLUSH } = zlib;

/** A frame of a client: masked by zeros, so that its payload stays readable. */
function frame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.alloc(size + 4 + length);
  bytes[0] = first;
  bytes[1] = 0x80 | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) bytes.writeUInt16BE(length, 2);
  if (size === 10) bytes.writeBigUInt64BE(BigInt(length), 2);
  bytes.set(payload, size + 4);
  return bytes;
}

async function rawPeer(port: number, ...more: string[]): Promise<Peer> {
  const peer = await connectPeer({ port });
  peer.send(upgradeHead('/', ...more));
  await peer.receivedUntil('\r\n\r\n');
  return peer;
}

/** The payload of the last frame that came, when it is a close frame: its code. */
const closeCode = (peer: Peer): number | undefined => {
  const bytes = Buffer.concat(peer.chunks);
  const at = bytes.lastIndexOf(Buffer.from([0x88]));
  return at < 0 || bytes.length < at + 4 ? undefined : bytes.readUInt16BE(at + 2);
};

describe('a socket that is closed in a handler', () => {
  const ways = {
    close: (socket: { close(code: number): void }) => socket.close(1000),
    terminate: (socket: { terminate(): void }) => socket.terminate(),
    'close, then terminate': (socket: { close(): void; terminate(): void }) => {
      socket.close();
      socket.terminate();
    },
  };
  const places = ['open', 'message', 'ping', 'pong', 'drain', 'close'] as const;

  it.each(places.flatMap((place) => Object.keys(ways).map((way) => [place, way] as const)))(
    'ends once: %s, %s',
    async (place, way) => {
      const server = new SocketLog();
      const act = ways[way as keyof typeof ways];
      const { url } = serveSockets<never>({
        ...server.handlers,
        [place]: (socket: never, ...rest: never[]) => {
          (server.handlers[place] as (...all: never[]) => void)(socket, ...rest);
          act(socket);
        },
      });
      const log = new SocketLog();
      const dialling = dialSocket<never>(url, log.handlers);
      if (place === 'open' && way !== 'close') {
        // Not even the answer to the handshake has left.
        await expect(dialling).rejects.toThrow(/ended|closed|ECONNRESET/);
        expect(await server.closed()).toEqual([1006, '']);
        return;
      }
      const client = await dialling;
      await server.until(() => server.sockets.length > 0);
      client.send('message');
      client.socket?.ping('ping');
      client.socket?.pong('pong');
      if (place === 'drain') {
        client.socket?.pause();
        const bytes = pattern(64 * 1024);
        while (server.socket.send(bytes));
        client.socket?.resume();
      }
      if (place === 'close') client.close(1000);
      await Promise.all([server.closed(), log.closed()]);
      expect([server.closes.length, log.closes.length]).toEqual([1, 1]);
      expect(server.socket.send('after the end')).toBe(false);
      expect(server.socket.readyState).toBe('closed');
      server.socket.close(1000);
      server.socket.terminate();
      server.socket.pause();
      server.socket.resume();
    },
  );
});

describe('a slow reader', () => {
  it('gets 64 MB, whole and in order, while the other side waits', async () => {
    const PIECES = 1024;
    const piece = pattern(64 * 1024);
    const { url } = serveSockets({
      async open(socket) {
        for (let i = 0; i < PIECES; i++) {
          piece.writeUInt32BE(i);
          if (socket.send(piece)) continue;
          await new Promise<void>((resolve) => {
            (socket as { data: unknown }).data = resolve;
          });
        }
        socket.close(1000);
      },
      drain: (socket) => (socket.data as () => void)(),
    });
    let next = 0;
    let wrong = 0;
    const log = new SocketLog();
    const expected = pattern(64 * 1024);
    await dialSocket<never>(url, {
      ...log.handlers,
      message(socket, message) {
        const { bytes } = message as { bytes: Buffer };
        if (bytes.readUInt32BE() !== next++ || bytes.length !== piece.length) wrong++;
        if (bytes.compare(expected, 4, undefined, 4) !== 0) wrong++;
        if (next % 64 !== 0) return;
        socket.pause();
        setImmediate(() => socket.resume());
      },
    });
    await log.closed();
    expect([next, wrong]).toEqual([PIECES, 0]);
  });
});

describe('a peer', () => {
  // The relay of the tests over TLS takes connections more slowly than they come: more than its
  // backlog of 511 would wait a second each for a repeated SYN.
  const batches = process.env.RINGPOLL_TEST_TLS === undefined ? 20 : 5;
  it('that stops in the middle of its handshake costs nothing that stays', async () => {
    const server = new SocketLog();
    const { server: http } = serveSockets<never>(server.handlers);
    const whole = upgradeHead();
    for (let round = 0; round < batches; round++) {
      const peers = await Promise.all(
        Array.from({ length: 50 }, () => connectPeer({ port: http.port! })),
      );
      for (const [i, peer] of peers.entries()) {
        peer.send(whole.slice(0, 1 + (((i * batches + round) * 7) % whole.length)));
      }
      for (const peer of peers) peer.reset();
    }
    while (http.connections > 0) await new Promise(setImmediate);
    expect(server.sockets.length).toBe(server.closes.length);
  });

  it('that sends its first frames with the handshake is heard', async () => {
    const server = new SocketLog();
    const { server: http } = serveSockets<never>(server.handlers);
    const peer = await connectPeer({ port: http.port! });
    const text = frame(0x81, Buffer.from('early'));
    peer.send(Buffer.concat([Buffer.from(upgradeHead()), text, text]));
    expect(await server.received(2)).toEqual(['early', 'early']);
  });

  it.each([
    ['a frame that is not masked', Buffer.from([0x81, 1, 0x61]), 1002],
    ['a reserved bit', frame(0xc1, Buffer.from('a')), 1002],
    ['an unknown opcode', frame(0x83, Buffer.from('a')), 1002],
    ['a long ping', frame(0x89, Buffer.alloc(126)), 1002],
    ['half a ping', frame(0x09, Buffer.alloc(1)), 1002],
    ['a continuation of nothing', frame(0x80, Buffer.from('a')), 1002],
    ['text that is no UTF-8', frame(0x81, Buffer.from([0xff])), 1007],
    ['a close code that may not be sent', frame(0x88, Buffer.from([0x03, 0xed])), 1002],
    ['a reason that is no UTF-8', frame(0x88, Buffer.from([0x03, 0xe8, 0xff])), 1007],
    ['a length beyond all limits', Buffer.from([0x82, 0xff, 0x7f, ...Array(11).fill(0xff)]), 1009],
  ])('that sends %s is told so', async (_what, bytes, code) => {
    const server = new SocketLog();
    const { server: http } = serveSockets<never>(server.handlers);
    const peer = await rawPeer(http.port!);
    peer.send(bytes);
    await peer.untilOver();
    peer.end();
    expect(closeCode(peer)).toBe(code);
    expect(await server.closed()).toEqual([1006, '']);
  });

  it('that sends a bomb is closed with 1009 before it is in memory', async () => {
    const server = new SocketLog();
    const { server: http } = serveSockets<never>({
      ...server.handlers,
      perMessageDeflate: true,
      maxPayload: 100_000,
    });
    // A megabyte of zeros in some 1,000 bytes, again and again: 80 MB of them.
    const zeros = deflateRawSync(Buffer.alloc(1024 * 1024), { finishFlush: Z_SYNC_FLUSH });
    const bomb = Buffer.concat(Array(80).fill(zeros));
    expect(bomb.length).toBeLessThan(100_000);
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate';
    const before = process.memoryUsage.rss();
    const peer = await rawPeer(http.port!, offer);
    peer.send(frame(0xc2, bomb));
    await peer.untilOver();
    expect(closeCode(peer)).toBe(1009);
    expect(process.memoryUsage.rss() - before).toBeLessThan(60 * 1024 * 1024);
    expect(server.messages).toEqual([]);
  });

  it('that leaves while messages are published does not disturb the others', async () => {
    const server = new SocketLog();
    const { url, server: http } = serveSockets<never>({
      ...server.handlers,
      open(socket) {
        server.handlers.open(socket);
        socket.subscribe('all');
      },
    });
    const stays = new SocketLog();
    await dialSocket<never>(url, stays.handlers);
    const leavers = await Promise.all(Array.from({ length: 40 }, () => rawPeer(http.port!)));
    await server.until(() => server.sockets.length === 41);
    for (let i = 0; i < 400; i++) {
      if (i % 10 === 0) leavers[i / 10]!.reset();
      http.publish('all', String(i));
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    const texts = await stays.received(400);
    expect(texts).toEqual(Array.from({ length: 400 }, (_, i) => String(i)));
    await server.until(() => server.closes.length === 40);
    expect(http.subscriberCount('all')).toBe(1);
  });
});

describe('a message handler', () => {
  it('is not called after a pause, and what waits comes before the close', async () => {
    const server = new SocketLog();
    const order: string[] = [];
    const { url } = serveSockets<never>({
      ...server.handlers,
      message(socket, message) {
        order.push(String(message));
        if (message === '1') {
          socket.pause();
          setTimeout(() => {
            order.push('resume');
            socket.resume();
          }, 20);
        }
        server.handlers.message(socket, message);
      },
      close(socket, code, reason) {
        order.push(`close ${code}`);
        server.handlers.close(socket, code, reason);
      },
    });
    const client = await dialSocket<never>(url);
    for (let i = 0; i < 4; i++) client.send(String(i));
    client.close(1000);
    await server.closed();
    expect(order).toEqual(['0', '1', 'resume', '2', '3', 'close 1000']);
  });
});
