// Heartbeats: who gets pings, who is dead, and what a session is good for then.
import type { WebSocketServerOptions } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { dialSocket, SocketLog, serveSockets, upgradeHead } from '../support/websocket.js';

const HEAD = upgradeHead();
/** Text of one letter, masked by zeros. */
const TEXT = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);
const PING = Buffer.from([0x89, 0]);

interface Silent {
  server: SocketLog;
  peer: Peer;
  dead: string[];
  started: number;
  pings(): number;
}

/** A peer that answers no ping. */
async function silent(options: WebSocketServerOptions<never>): Promise<Silent> {
  const server = new SocketLog();
  const dead: string[] = [];
  const { server: http } = serveSockets<never>({
    ...server.handlers,
    dead: (socket) => dead.push(socket.readyState),
    ...options,
  });
  const peer = await connectPeer({ port: http.port! });
  const started = performance.now();
  peer.send(HEAD);
  await peer.receivedUntil('\r\n\r\n');
  const pings = () => {
    const bytes = Buffer.concat(peer.chunks);
    let count = 0;
    for (let at = bytes.indexOf(PING); at >= 0; at = bytes.indexOf(PING, at + 2)) count++;
    return count;
  };
  return { server, peer, dead, started, pings };
}

function talks({ peer }: Silent): void {
  const timer = setInterval(() => peer.send(TEXT), 10);
  onTestFinished(() => clearInterval(timer));
}

describe('a heartbeat', () => {
  it.each(['fixed', 'lazy', 'ack'] as const)(
    'finds a peer dead that says nothing: %s',
    async (mode) => {
      const one = await silent({ sendPings: { interval: 50, deadAfter: 500, mode } });
      expect(await one.server.closed()).toEqual([1006, '']);
      expect(performance.now() - one.started).toBeGreaterThanOrEqual(500);
      expect(one.dead).toEqual(['closing']);
    },
  );

  it('counts only pongs in mode ack', async () => {
    const one = await silent({ sendPings: { interval: 50, deadAfter: 500, mode: 'ack' } });
    one.peer.send(TEXT);
    talks(one);
    expect(await one.server.closed()).toEqual([1006, '']);
    expect(one.dead).toHaveLength(1);
    expect(one.server.messages.length).toBeGreaterThan(0);
  });

  it('sends no ping to a peer that talks in mode lazy, and all of them in mode fixed', async () => {
    const lazy = await silent({ sendPings: { interval: 60, deadAfter: 1000, mode: 'lazy' } });
    const fixed = await silent({ sendPings: { interval: 60, deadAfter: 1000, mode: 'fixed' } });
    talks(lazy);
    talks(fixed);
    await fixed.server.until(() => fixed.pings() >= 5);
    // A machine that stalls for an interval is silence too.
    expect(lazy.pings()).toBeLessThan(fixed.pings());
    expect([lazy.dead, fixed.dead]).toEqual([[], []]);
  });

  it('is answered by a client of ours, which stays', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>({
      ...server.handlers,
      sendPings: { interval: 20, deadAfter: 5000, mode: 'ack' },
    });
    const log = new SocketLog();
    const client = await dialSocket<never>(url, log.handlers);
    await server.until(() => server.pongs.length >= 20);
    expect([client.state, server.closes]).toEqual(['open', []]);
  });

  it('does not take the place of messages for idleTimeout', async () => {
    const server = new SocketLog();
    const { url } = serveSockets<never>({
      ...server.handlers,
      idleTimeout: 100,
      sendPings: { interval: 20, deadAfter: 1000 },
    });
    const log = new SocketLog();
    await dialSocket<never>(url, log.handlers);
    expect((await log.closed())[0]).toBe(1001);
  });
});

describe('closeTimeout', () => {
  it('ends the connection of a peer that does not answer', async () => {
    const one = await silent({ sendPings: false, closeTimeout: 80 });
    await one.server.until(() => one.server.sockets.length === 1);
    const asked = performance.now();
    one.server.socket.close(1000);
    expect(await one.server.closed()).toEqual([1006, '']);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(75);
  });
});
