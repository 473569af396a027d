// What is sent, byte for byte: texts of every length, and received chunks that are sent again.
import type { Message, WebSocketConnection } from 'ringpoll/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { addressOf, pattern, serve } from '../support/serve.js';
import { dialSocket, SocketLog, serveSockets, upgradeHead } from '../support/websocket.js';

const KEY = Buffer.from([0x11, 0x92, 0x53, 0xd4]);
const BINARY = 0x82;
const TEXT = 0x81;
const HANDSHAKE = upgradeHead();

function header(first: number, length: number, mask: number): Buffer {
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.alloc(size);
  bytes[0] = first;
  bytes[1] = mask | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) bytes.writeUInt16BE(length, 2);
  if (size === 10) bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

const ofServer = (first: number, payload: Uint8Array): Buffer =>
  Buffer.concat([header(first, payload.length, 0), payload]);

function ofClient(first: number, payload: Uint8Array): Buffer {
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i++) masked[i] ^= KEY[i & 3]!;
  return Buffer.concat([header(first, payload.length, 0x80), KEY, masked]);
}

/** A peer that is behind its handshake, and has got nothing. */
async function rawPeer(url: string): Promise<Peer> {
  const peer = await connectPeer({ port: Number(new URL(url).port) });
  peer.send(HANDSHAKE);
  await peer.receivedUntil('\r\n\r\n');
  peer.forget();
  peer.bytes = 0;
  onTestFinished(() => peer.destroy());
  return peer;
}

async function expectBytes(peer: Peer, expected: Buffer): Promise<void> {
  await peer.received(expected.length);
  const got = Buffer.concat(peer.chunks);
  peer.forget();
  peer.bytes = 0;
  expect(got.length).toBe(expected.length);
  expect(got.equals(expected)).toBe(true);
}

const LENGTHS = [0, 1, 125, 126, 511, 512, 513, 4096, 65_535, 65_536, 200_000];

describe('a text', () => {
  it.each([
    ['nothing', ''],
    ['one letter', 'a'],
    ['125 letters', 'a'.repeat(125)],
    ['126 letters', 'a'.repeat(126)],
    ['124 bytes of 62 units', 'é'.repeat(62)],
    ['126 bytes of 63 units', 'é'.repeat(63)],
    ['375 bytes of 125 units', '€'.repeat(125)],
    ['65,535 bytes of 21,845 units', '€'.repeat(21_845)],
    ['65,538 bytes of 21,846 units', '€'.repeat(21_846)],
    ['65,536 letters', 'a'.repeat(65_536)],
    ['pairs of surrogates', '😀'.repeat(40)],
  ])('leaves behind the right header: %s', async (_what, text) => {
    const { url } = serveSockets({
      message(socket) {
        socket.send(text);
        socket.send('behind it');
      },
    });
    const peer = await rawPeer(url);
    peer.send(ofClient(TEXT, Buffer.from('go')));
    const expected = [Buffer.from(text), Buffer.from('behind it')].map((one) =>
      ofServer(TEXT, one),
    );
    await expectBytes(peer, Buffer.concat(expected));
  });
});

describe('a received chunk that is sent again', () => {
  const echo = { message: (socket: WebSocketConnection, message: Message) => socket.send(message) };

  it('goes out as it came, whatever its length', async () => {
    const { url } = serveSockets(echo);
    const peer = await rawPeer(url);
    for (const length of LENGTHS) {
      const payload = pattern(length);
      peer.send(ofClient(BINARY, payload));
      await expectBytes(peer, ofServer(BINARY, payload));
    }
    // And all of them in a row.
    const all = LENGTHS.map((length) => pattern(length));
    peer.send(Buffer.concat(all.map((payload) => ofClient(BINARY, payload))));
    await expectBytes(peer, Buffer.concat(all.map((payload) => ofServer(BINARY, payload))));
  });

  it.each([1, 2, 5, 7, 8, 9, 13, 14, 15])(
    'leaves what lies around it alone when its frame came in two pieces, cut at byte %i',
    async (cut) => {
      const { url } = serveSockets(echo);
      const peer = await rawPeer(url);
      for (const length of [100, 600, 20_000, 66_000]) {
        const before = pattern(700);
        const payload = pattern(length);
        const bytes = ofClient(BINARY, payload);
        peer.send(Buffer.concat([ofClient(BINARY, before), bytes.subarray(0, cut)]));
        await expectBytes(peer, ofServer(BINARY, before));
        peer.send(Buffer.concat([bytes.subarray(cut), ofClient(BINARY, before)]));
        await expectBytes(
          peer,
          Buffer.concat([ofServer(BINARY, payload), ofServer(BINARY, before)]),
        );
      }
    },
  );

  it('may go out several times, to several sockets, and as text too', async () => {
    const sockets = new Set<WebSocketConnection>();
    const { url } = serveSockets({
      open: (socket) => sockets.add(socket),
      message(_, message) {
        for (const socket of sockets) {
          socket.send(message);
          if (typeof message !== 'string') socket.sendText(message.bytes);
          socket.send(message);
        }
      },
    });
    const peers = [await rawPeer(url), await rawPeer(url)];
    for (const length of [90, 700, 30_000]) {
      const payload = Buffer.alloc(length, 'text');
      peers[0]!.send(ofClient(BINARY, payload));
      const [binary, text] = [ofServer(BINARY, payload), ofServer(TEXT, payload)];
      for (const peer of peers) await expectBytes(peer, Buffer.concat([binary, text, binary]));
    }
  });

  it('may be kept, and go out after others have come', async () => {
    const kept: Exclude<Message, string>[] = [];
    const { url } = serveSockets({
      message(socket, message) {
        if (typeof message !== 'string') {
          kept.push(message.retain());
          return;
        }
        for (const chunk of kept.splice(0)) {
          socket.send(chunk);
          chunk.release();
        }
      },
    });
    const peer = await rawPeer(url);
    const payloads = [300, 20_000, 40_000].map((length) => pattern(length));
    for (const payload of payloads) peer.send(ofClient(BINARY, payload));
    peer.send(ofClient(TEXT, Buffer.from('now')));
    await expectBytes(peer, Buffer.concat(payloads.map((one) => ofServer(BINARY, one))));
  });

  it('is masked by a client', async () => {
    const log = new SocketLog();
    const { url } = serveSockets({ ...log.handlers });
    await dialSocket(url, {
      message: (socket, message) => socket.send(message),
    });
    await log.until(() => log.sockets.length > 0);
    const payloads = LENGTHS.map((length) => pattern(length));
    for (const payload of payloads) log.socket.send(payload);
    const back = await log.received(payloads.length);
    for (const [i, payload] of payloads.entries()) {
      expect(payload.equals(back[i] as Buffer)).toBe(true);
    }
  });

  it('may have come over TCP', async () => {
    const log = new SocketLog();
    const { url } = serveSockets({ ...log.handlers });
    const peer = await rawPeer(url);
    await log.until(() => log.sockets.length > 0);
    const source = serve({ data: (_, chunk) => log.socket.send(chunk) });
    const tcp = await connectPeer(addressOf(source));
    const payload = pattern(900);
    tcp.send(payload);
    await expectBytes(peer, ofServer(BINARY, payload));
    tcp.destroy();
  });
});
