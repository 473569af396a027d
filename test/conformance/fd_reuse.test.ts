import { type Connection, Loop } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeers, type Peer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { addressOf, dial, serve } from '../support/serve.js';

interface Life {
  id: string;
  closed: boolean;
}

/** Peers whose first word says who they are; the server checks that nobody else speaks for them. */
function watchIdentities() {
  const lives = new Set<Life>();
  const faults: string[] = [];
  const open: Connection[] = [];
  let closes = 0;
  const listener = serve({
    open(connection) {
      const life: Life = { id: '', closed: false };
      lives.add(life);
      connection.data = life;
      open.push(connection as Connection);
    },
    data(connection, chunk) {
      const life = connection.data as Life;
      if (life.closed) faults.push(`data after close: ${chunk}`);
      if (connection.readyState !== 'open') faults.push(`data in state ${connection.readyState}`);
      for (const word of chunk.toString().split(' ').filter(Boolean)) {
        life.id ||= word;
        if (life.id !== word) faults.push(`${life.id} hears ${word}`);
      }
      connection.write(`${life.id} `);
    },
    close(connection) {
      const life = connection.data as Life;
      if (life.closed) faults.push(`${life.id} closes twice`);
      life.closed = true;
      closes += 1;
    },
    error() {},
  });
  return { listener, lives, faults, open, closes: () => closes };
}

async function answered(peer: Peer, id: string): Promise<void> {
  const before = peer.bytes;
  peer.send(`${id} `);
  await peer.received(before + id.length + 1);
  expect(
    peer.text
      .trim()
      .split(' ')
      .every((word) => word === id),
  ).toBe(true);
}

describe('a descriptor that is used again', () => {
  it('gets no event of the one before, when connections end while others begin', async () => {
    const { listener, lives, faults, open, closes } = watchIdentities();
    for (let round = 0; round < 30; round += 1) {
      const peers = await connectPeers(addressOf(listener), 20);
      await Promise.all(peers.map((peer, index) => answered(peer, `${round}:${index}`)));
      // Everything at once: bytes in flight, resets and closes from both sides, new connections.
      peers.forEach((peer, index) => {
        peer.send(`${round}:${index} `);
        if (index % 4 === 0) peer.reset();
        if (index % 4 === 1) peer.end();
      });
      open.splice(0).forEach((connection, index) => {
        if (index % 3 === 0) connection.reset();
        else connection.close();
      });
    }
    await listener.stop({ timeout: 0 });
    expect(faults).toEqual([]);
    expect(lives.size).toBe(600);
    expect(closes()).toBe(600);
    expect([...lives].every(({ closed }) => closed)).toBe(true);
  });

  it('gets no event of the one before, when it is used again within the batch', async () => {
    const { listener, faults, open, closes } = watchIdentities();
    const replacements: Promise<void>[] = [];
    const greeting = (id: string) =>
      new Promise<void>((resolve, reject) => {
        dial({
          ...addressOf(listener),
          open: (connection) => void connection.write(`${id} `),
          data(connection, chunk) {
            if (chunk.toString() !== `${id} `) reject(new Error(`${id} was answered ${chunk}`));
            connection.close();
          },
          close: () => resolve(),
        }).catch(reject);
      });
    for (let round = 0; round < 20; round += 1) {
      const peers = await connectPeers(addressOf(listener), 10);
      await Promise.all(peers.map((peer, index) => answered(peer, `old:${round}:${index}`)));
      // All of them have something to say in the coming batch, and are gone before it is walked.
      peers.forEach((peer, index) => {
        peer.send(`old:${round}:${index} `);
      });
      for (const connection of open.splice(0)) connection.reset();
      replacements.push(...peers.map((_, index) => greeting(`new:${round}:${index}`)));
      await within(Promise.all(replacements.splice(0)), () => 'the new connections');
      open.splice(0);
    }
    await listener.stop({ timeout: 0 });
    expect(faults).toEqual([]);
    expect(closes()).toBe(400);
  });

  it('counts what it drops', () => {
    expect(Loop.current().metrics()).toHaveProperty('staleEvents');
  });

  it('leaves the object of the connection before without power over it', async () => {
    const { listener, faults, open } = watchIdentities();
    const [first] = await connectPeers(addressOf(listener), 1);
    await answered(first!, 'first');
    const stale = open.splice(0)[0]!;
    first!.reset();
    while (stale.readyState !== 'closed') await new Promise(setImmediate);
    const [second] = await connectPeers(addressOf(listener), 1);
    await answered(second!, 'second');
    stale.write('first ');
    stale.end('first ');
    stale.pause();
    stale.close();
    stale.reset();
    stale.setTimeout(1);
    await answered(second!, 'second');
    expect(second!.text).toBe('second second ');
    expect(faults).toEqual([]);
    expect(stale.readyState).toBe('closed');
  });
});
