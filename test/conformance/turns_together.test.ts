// More is ready than a turn may take: the turns that follow at once, and who waits meanwhile.
import { Loop, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeers } from '../support/peer.js';

const PEERS = 32;
const BYTES = 128 * 1024;
const TURNS_TOGETHER_MAX = 4;

const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));
const turns = () => Loop.current().metrics().turns;

/** Receives what all peers have sent; how many turns the loop made between two immediates, most. */
async function mostTurns(onData: () => void): Promise<number> {
  let received = 0;
  const server = listen({
    host: '127.0.0.1',
    port: 0,
    data(_, chunk) {
      received += chunk.length;
      onData();
    },
  });
  onTestFinished(() => server.destroy());
  const peers = await connectPeers({ port: server.port }, PEERS);
  for (const peer of peers) peer.send(Buffer.alloc(BYTES, 'x'));
  let most = 0;
  for (let before = turns(); received < PEERS * BYTES; ) {
    await immediate();
    most = Math.max(most, turns() - before);
    before = turns();
  }
  for (const peer of peers) peer.destroy();
  await server.stop();
  return most;
}

describe('turns of the loop', () => {
  it('follow each other while more is ready, but not for long', async () => {
    let most = 0;
    for (let tries = 0; tries < 20 && most < 2; tries++) {
      const now = await mostTurns(() => {});
      expect(now).toBeLessThanOrEqual(TURNS_TOGETHER_MAX);
      most = Math.max(most, now);
    }
    expect(most).toBeGreaterThan(1);
  });

  it('make room for the rest of the program when handlers take their time', async () => {
    const most = await mostTurns(() => {
      const end = performance.now() + 1;
      while (performance.now() < end);
    });
    expect(most).toBeLessThanOrEqual(2);
  });
});
