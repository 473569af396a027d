import type { Chunk } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { Recorder } from '../support/recorder.js';
import { addressOf, dial, pair, pattern, serve } from '../support/serve.js';

/** Keeps every chunk of one connection, and answers a byte for each byte. */
async function hoard(sizes: number[]): Promise<{ kept: Chunk[]; sent: Buffer[] }> {
  const kept: Chunk[] = [];
  const { peer, server } = await pair({
    data(connection, chunk) {
      kept.push(chunk.retain());
      connection.write('.'.repeat(chunk.length));
    },
  });
  const sent: Buffer[] = [];
  let total = 0;
  for (const [index, size] of sizes.entries()) {
    const bytes = pattern(size, index + 1);
    sent.push(bytes);
    peer.send(bytes);
    total += size;
    await server.received(total);
  }
  await peer.received(total);
  return { kept, sent };
}

function expectIntact(kept: Chunk[], sent: Buffer[]): void {
  const bytes = Buffer.concat(kept.map((chunk) => chunk.bytes));
  expect(bytes.equals(Buffer.concat(sent))).toBe(true);
}

describe('retained chunks', () => {
  it('by the thousand, of a few bytes each, stay intact while more come', async () => {
    const { kept, sent } = await hoard(Array.from({ length: 3000 }, (_, n) => 1 + (n % 50)));
    expectIntact(kept, sent);
    for (const chunk of kept) chunk.release();
  });

  it('of many sizes, 60 MB together, stay intact while more come', async () => {
    const sizes = Array.from({ length: 300 }, (_, n) => [200_000, 30_000, 65_536, 500_000][n % 4]!);
    const { kept, sent } = await hoard(sizes);
    expectIntact(kept, sent);
    for (const chunk of kept) chunk.release();
  });

  it('released in any order free what they hold for others', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { kept, sent } = await hoard(Array.from({ length: 200 }, () => 40_000));
      expectIntact(kept, sent);
      const odd = kept.filter((_, index) => index % 2 === 1);
      for (const chunk of odd) chunk.release();
      const even = kept.filter((_, index) => index % 2 === 0).reverse();
      // What is still retained must not suffer from what was released and used again.
      const before = even.map((chunk) => chunk.copy());
      await hoard(Array.from({ length: 100 }, () => 40_000)).then(({ kept: others }) => {
        for (const chunk of others) chunk.release();
      });
      even.forEach((chunk, index) => {
        expect(chunk.bytes.equals(before[index]!)).toBe(true);
        chunk.release();
      });
    }
  });

  it('outlive their connection and their listener', async () => {
    const kept: Chunk[] = [];
    const { listener, peer, server } = await pair({
      data: (_connection, chunk) => void kept.push(chunk.retain()),
    });
    const sent = pattern(300_000);
    peer.send(sent);
    await server.received(sent.length);
    peer.destroy();
    await server.until('close');
    await listener.stop();
    expectIntact(kept, [sent]);
    for (const chunk of kept) chunk.release();
  });

  it('do not keep other connections from being served', async () => {
    const kept: Chunk[] = [];
    const { listener, peer, server } = await pair({
      data: (_connection, chunk) => void kept.push(chunk.retain()),
    });
    const sent = pattern(64_000_000);
    peer.send(sent);
    await server.received(sent.length);
    const echo = serve({ data: (connection, chunk) => void connection.write(chunk) });
    const other = await connectPeer(addressOf(echo));
    for (let trip = 1; trip <= 50; trip += 1) {
      other.send('x');
      await other.received(trip);
    }
    expectIntact(kept, [sent]);
    for (const chunk of kept) chunk.release();
    expect(listener.connections).toBe(1);
  });

  it('can be forwarded to another connection while they are still held', async () => {
    const sink = new Recorder();
    const echo = serve({ data: (connection, chunk) => void connection.write(chunk) });
    const out = await dial({ ...addressOf(echo), ...sink.recording });
    const kept: Chunk[] = [];
    const { peer, server } = await pair({
      data(_connection, chunk) {
        kept.push(chunk.retain());
        out.write(chunk);
      },
    });
    const sent = pattern(5_000_000);
    peer.send(sent);
    await server.received(sent.length);
    await sink.received(sent.length);
    expect(Buffer.concat(sink.chunks).equals(sent)).toBe(true);
    expectIntact(kept, [sent]);
    for (const chunk of kept) chunk.release();
  });

  it('cannot be transferred away from under the loop', async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const attempts = [
      (buffer: ArrayBuffer) => port1.postMessage(buffer, [buffer]),
      (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] }),
    ];
    let left = -1;
    const { peer, server } = await pair({
      data(connection, chunk) {
        const buffer = chunk.bytes.buffer as ArrayBuffer;
        for (const attempt of attempts) {
          try {
            attempt(buffer); // some versions of Node refuse, others send a copy
          } catch (error) {
            expect(error).toMatchObject({ name: 'DataCloneError' });
          }
        }
        left = buffer.byteLength;
        connection.write(chunk);
      },
    });
    port2.close();
    const sent = pattern(400_000);
    peer.send(sent);
    await peer.received(sent.length);
    expect(left).toBeGreaterThan(0);
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    expect(server.bytes).toBe(sent.length);
  });
});
