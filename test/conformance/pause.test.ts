import { type Chunk, type Connection, Loop } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer, connectPeers } from '../support/peer.js';
import { Recorders } from '../support/recorder.js';
import { addressOf, pair, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const MB = 1024 * 1024;

/** A connection that is over, and was paused by another one's handler before its last data. */
async function heldClose() {
  const recorders = new Recorders({
    data() {
      for (const { connection } of recorders.all) connection.pause();
    },
  });
  const listener = serve(recorders.recording);
  const peers = await connectPeers(addressOf(listener), 2);
  await recorders.at(1);
  for (const { connection } of recorders.all) connection.end();
  await Promise.all(peers.map((peer) => peer.untilEnd()));
  // Together, so that the second one's data is received before the first one's handler has run.
  for (const peer of peers) peer.end('the last');
  await Promise.race(recorders.all.map((recorder) => recorder.until('data')));
  await roundTrips(3);
  const heard = recorders.all.find(({ bytes }) => bytes > 0)!;
  const server = recorders.all.find(({ bytes }) => bytes === 0)!;
  // Nothing of the first one was held: it does not wait for resume().
  await heard.until('close');
  expect(heard.order).toEqual(['open', 'data', 'end', 'close']);
  return { listener, server };
}

describe('pause()', () => {
  it('in open holds everything back until resume()', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('one');
    await roundTrips();
    peer.send('two');
    await roundTrips();
    expect(server.order).toEqual(['open']);
    server.connection.resume();
    await server.received(6);
    expect(server.text).toBe('onetwo');
  });

  it('in a data handler is the last that is heard, however much is there', async () => {
    const { peer, server } = await pair({ data: (connection) => connection.pause() });
    const sent = pattern(3_000_000);
    peer.send(sent);
    for (let events = 1; server.bytes < sent.length; events += 1) {
      await server.until('data', events);
      await roundTrips(3);
      expect(server.count('data')).toBe(events);
      server.connection.resume();
    }
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('of another connection holds back what came in the same batch', async () => {
    const all: Connection[] = [];
    let heard = 0;
    const recorders = new Recorders({
      open: (connection) => void all.push(connection),
      data() {
        heard += 1;
        for (const connection of all) connection.pause();
      },
    });
    const peers = await connectPeers(addressOf(serve(recorders.recording)), 10);
    await recorders.at(9);
    for (const peer of peers) peer.send('x');
    for (let expected = 1; expected <= 10; expected += 1) {
      while (heard < expected) await roundTrips(1);
      await roundTrips(3);
      expect(heard).toBe(expected);
      const waiting = recorders.all.find(({ bytes }) => bytes === 0);
      waiting?.connection.resume();
    }
    expect(recorders.all.map(({ text }) => text)).toEqual(Array(10).fill('x'));
  });

  it.each(['resume', 'close', 'reset', 'listener.destroy', 'deadline'] as const)(
    'holds back a close that has come, until %s',
    async (way) => {
      const { listener, server } = await heldClose();
      const { connection } = server;
      const stopped = way === 'deadline' ? listener.stop({ timeout: 200 }) : undefined;
      // Native code has forgotten connection and listener: the next one may get their numbers.
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      expect(server.order).toEqual(['open']);
      expect(listener.connections).toBe(1);
      const next = new Recorders({ data: (to, chunk) => to.write(chunk) });
      const other = await connectPeer(addressOf(serve(next.recording)));
      await next.at(0);
      if (way === 'listener.destroy') listener.destroy();
      else if (way !== 'deadline') connection[way]();
      await server.until('close');
      await (stopped ?? listener.stop());
      expect(connection.readyState).toBe('closed');
      expect(listener.connections).toBe(0);
      other.send('not theirs');
      expect(await other.received(10)).toBe('not theirs');
    },
  );

  it('undone within the same handler changes nothing', async () => {
    const { peer, server } = await pair({
      data(connection) {
        connection.pause();
        connection.resume();
      },
    });
    const sent = pattern(2_000_000);
    peer.send(sent);
    await server.received(sent.length);
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('after a resume() in the same handler still pauses', async () => {
    const { peer, server } = await pair({
      data(connection) {
        connection.resume();
        connection.pause();
        connection.resume();
        connection.pause();
      },
    });
    peer.send('one');
    await server.until('data');
    peer.send('two');
    await roundTrips();
    expect(server.text).toBe('one');
    server.connection.resume();
    await server.received(6);
  });

  it('holds the end back behind the data', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.end('all of it');
    await roundTrips();
    expect(server.order).toEqual(['open']);
    server.connection.resume();
    await server.until('close');
    expect(server.text).toBe('all of it');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('between the last data and the end holds the end back', async () => {
    const { peer, server } = await pair({ data: (connection) => connection.pause() });
    peer.end('x');
    await server.until('data');
    await roundTrips();
    expect(server.order).toEqual(['open', 'data']);
    server.connection.resume();
    await server.until('close');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('leaves the bytes with the kernel, and so slows the peer down', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    const sent = pattern(50_000_000);
    peer.send(sent);
    await roundTrips();
    expect(server.connection.bytesRead).toBeLessThan(2_000_000);
    expect(peer.socket.writableLength).toBeGreaterThan(20_000_000);
    server.connection.resume();
    await server.received(sent.length);
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('does not keep writes from leaving', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    const sent = pattern(2_000_000);
    server.connection.write(sent);
    server.connection.end();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
  });

  it('does not keep close() and reset() from closing', async () => {
    for (const method of ['close', 'reset'] as const) {
      const { peer, server } = await pair({ open: (connection) => connection.pause() });
      peer.send('never heard');
      await roundTrips(3);
      server.connection[method]();
      await server.until('close');
      expect(server.order).toEqual(['open', 'close']);
    }
  });
});

describe('a paused connection', () => {
  it('hears that its peer has reset it', async () => {
    const { listener, peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('dropped');
    await roundTrips(3);
    peer.reset();
    await server.until('close');
    expect(server.order).toEqual(['open', 'error', 'close']);
    expect(server.closeError).toMatchObject({ code: 'ECONNRESET' });
    await listener.stop();
  });

  it.each([
    ['end(), then the FIN', true],
    ['the FIN, then end()', false],
  ])('is over after %s', async (_, endsFirst) => {
    const { listener, peer, server } = await pair({ open: (connection) => connection.pause() });
    const ends = async () => {
      server.connection.end();
      await peer.untilEnd();
    };
    if (endsFirst) await ends();
    peer.end();
    await roundTrips(3);
    if (!endsFirst) await ends();
    await server.until('close');
    expect(server.order).toEqual(['open', 'end', 'close']);
    await listener.stop();
  });

  it('keeps what was not read until resume(), its end too', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    server.connection.end();
    await peer.untilEnd();
    peer.end('unread');
    await roundTrips(5);
    expect(server.order).toEqual(['open']);
    server.connection.resume();
    await server.until('close');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('hears of a reset on every route, and on its way from one to another', async () => {
    const routes = ['readiness', 'completion', 'poll'] as const;
    for (const route of routes) {
      for (const next of routes) {
        const { peer, server } = await pair({ open: (connection) => connection.setRoute(route) });
        await roundTrips(3);
        server.connection.pause();
        await roundTrips();
        server.connection.setRoute(next);
        peer.reset();
        await server.until('close');
        expect(server.closeError).toMatchObject({ code: 'ECONNRESET' });
      }
    }
  });

  it('does not keep the loop busy while its peer has only ended', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.end('unread');
    await roundTrips(3);
    const before = Loop.current().metrics().turns;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(Loop.current().metrics().turns - before).toBeLessThan(100);
    server.connection.resume();
    await server.until('close');
  });
});

describe('a half-open connection', () => {
  it('hears that its peer has reset it', async () => {
    const { peer, server } = await pair({}, { allowHalfOpen: true });
    peer.end();
    await server.until('end');
    peer.destroy();
    await peer.untilClosed();
    server.connection.write('to nobody');
    await server.until('close');
    expect(server.closeError).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
  });
});

describe('resume()', () => {
  it('does not call handlers before it returns', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('x');
    await roundTrips();
    server.connection.resume();
    expect(server.count('data')).toBe(0);
    await server.received(1);
  });

  it('gives chunks that can be retained like any other', async () => {
    const kept: Chunk[] = [];
    const { peer, server } = await pair({
      open: (connection) => connection.pause(),
      data: (_connection, chunk) => void kept.push(chunk.retain()),
    });
    const small = Buffer.from('small');
    const large = pattern(200_000);
    for (const sent of [small, large]) {
      const before = server.bytes;
      // Paused in the midst of its turn, so that what has been read already must be held.
      peer.send(sent);
      server.connection.resume();
      server.connection.pause();
      await roundTrips(3);
      server.connection.resume();
      await server.received(before + sent.length);
    }
    const bytes = Buffer.concat(kept.map((chunk) => chunk.bytes));
    expect(bytes.equals(Buffer.concat([small, large]))).toBe(true);
    for (const chunk of kept) chunk.release();
  });

  it('of what another handler of the batch paused gives chunks that can be retained', async () => {
    const all: Connection[] = [];
    const kept: Chunk[] = [];
    const recorders = new Recorders({
      open: (connection) => void all.push(connection),
      data(connection, chunk) {
        kept.push(chunk.retain());
        for (const other of all) if (other !== connection) other.pause();
      },
    });
    const peers = await connectPeers(addressOf(serve(recorders.recording)), 5);
    await recorders.at(4);
    for (const peer of peers) peer.send('x'.repeat(100));
    for (let heard = 1; heard <= 5; heard += 1) {
      while (kept.length < heard) await roundTrips(1);
      recorders.all.find(({ bytes }) => bytes === 0)?.connection.resume();
    }
    expect(kept.map((chunk) => chunk.toString())).toEqual(Array(5).fill('x'.repeat(100)));
    for (const chunk of kept) chunk.release();
  });

  it('then pause() in one turn lets nothing through', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('x');
    await roundTrips();
    server.connection.resume();
    server.connection.pause();
    await roundTrips();
    expect(server.count('data')).toBe(0);
    server.connection.resume();
    await server.received(1);
  });

  it('without pause(), and twice, does nothing', async () => {
    const { peer, server } = await pair({
      open(connection) {
        connection.resume();
        connection.pause();
        connection.pause();
        connection.resume();
        connection.resume();
      },
    });
    peer.send('x');
    await server.received(1);
    expect(server.text).toBe('x');
  });

  it('and pause() in a race with the sender lose and reorder nothing', async () => {
    let flips = 0;
    const { peer, server } = await pair({
      data(connection) {
        flips += 1;
        connection.pause();
        const resume = () => connection.resume();
        if (flips % 4 === 0) queueMicrotask(resume);
        else if (flips % 4 === 1) process.nextTick(resume);
        else if (flips % 4 === 2) setImmediate(resume);
        else resume();
      },
    });
    const pieces = Array.from({ length: 500 }, (_, index) => pattern(1 + (index % 7) * 997, index));
    for (const piece of pieces) {
      peer.send(piece);
      await new Promise(setImmediate);
    }
    const sent = Buffer.concat(pieces);
    await server.received(sent.length);
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
    expect(flips).toBeGreaterThan(4);
  });

  it.each(['auto', 'completion', 'poll'] as const)(
    'take no more than a share from a peer that sends faster: route %s',
    async (route) => {
      let delivered = 0;
      let most = 0;
      const { peer, server } = await pair({
        open: (connection) => void connection.setRoute(route),
        data(connection, chunk) {
          delivered += chunk.length;
          most = Math.max(most, connection.bytesRead - delivered);
          connection.pause();
          setImmediate(() => connection.resume());
        },
      });
      const sent = pattern(32 * MB);
      peer.send(sent);
      await server.received(sent.length);
      expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
      expect(most / MB).toBeLessThan(4);
    },
  );
});
