// close() with bytes under way: they arrive, whatever the peer does meanwhile.
import { describe, expect, it } from 'vitest';
import { pair, pattern } from '../support/serve.js';

// What the kernel gives up on: see kLingerStillMs in native/core/base/limits.h.
const GIVEN_UP_MS = 2000;
const LATE_MS = 4000;

describe('close() with bytes under way', () => {
  it('loses nothing though the peer goes on sending', async () => {
    const { peer, server } = await pair();
    const sent = pattern(5_000_000);
    server.connection.write(sent);
    server.connection.close();
    for (let i = 0; i < 50; i++) peer.send('x'.repeat(1000));
    await peer.untilEnd();
    await server.until('close');
    expect(peer.error).toBeUndefined();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    expect(server.closeError).toBeUndefined();
  });

  it('is not held up by a peer that has everything', async () => {
    const { peer, server } = await pair();
    server.connection.write('bye');
    server.connection.close();
    await peer.untilEnd();
    const from = performance.now();
    await server.until('close');
    expect(performance.now() - from).toBeLessThan(GIVEN_UP_MS / 2);
  });

  it('gives up on a peer that reads nothing', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    // As much as the kernel takes, and so nothing waits in the process.
    while (server.connection.tryWrite(pattern(65_536)) > 0);
    const from = performance.now();
    server.connection.close();
    await server.until('close');
    expect(performance.now() - from).toBeLessThan(LATE_MS);
    expect(server.closeError).toBeUndefined();
  });
});
