import type { Connection } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer, connectPeers, type Peer } from '../support/peer.js';
import { type EventName, type Handlers, type Recorder, Recorders } from '../support/recorder.js';
import { addressOf, bothSides, pair, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

function writeCorked(connection: Connection, bytes: Uint8Array): void {
  expect(connection.cork(() => connection.write(bytes))).toBe(false);
}

/** How to bring a connection to each of its handlers. */
const occasions: Record<
  Exclude<EventName, 'close'>,
  (peer: Peer, connection: Connection) => void
> = {
  open: () => {},
  data: (peer) => peer.send('x'),
  // What is corked is pending for certain; what is not, the kernel may have taken already.
  drain: (_peer, connection) => writeCorked(connection, pattern(200_000)),
  end: (peer) => peer.end(),
  timeout: (_peer, connection) => connection.setTimeout(10),
  error: (peer) => peer.reset(),
};

const actions: Record<string, (connection: Connection) => void> = {
  'close()': (connection) => connection.close(),
  'reset()': (connection) => connection.reset(),
  'end()': (connection) => connection.end(),
  'write() and close()': (connection) => {
    if (connection.readyState === 'open') connection.write('last');
    connection.close();
  },
  'close() and write()': (connection) => {
    connection.close();
    expect(connection.write('too late')).toBe(false);
  },
  'close() and reset()': (connection) => {
    connection.close();
    connection.reset();
  },
  'end() and close()': (connection) => {
    connection.end();
    connection.close();
  },
  'pause() and close()': (connection) => {
    connection.pause();
    connection.close();
  },
  'close() and resume()': (connection) => {
    connection.close();
    connection.pause();
    connection.resume();
    connection.setTimeout(1);
    connection.cork();
    connection.uncork();
  },
};

const cases = Object.keys(occasions).flatMap((event) =>
  Object.keys(actions).map((action) => [action, event] as [string, keyof typeof occasions]),
);

function expectOrderly({ order }: Recorder, name: string): void {
  expect({ name, last: order.at(-1), order }).toEqual({ name, last: 'close', order });
  expect({ name, closes: order.filter((event) => event === 'close').length }).toEqual({
    name,
    closes: 1,
  });
}

describe('inside a handler', () => {
  it.each(cases)('%s in %s closes once, and close is the last event', async (action, event) => {
    const handlers: Handlers = { [event]: (connection: Connection) => act(connection) };
    let acted = 0;
    const act = (connection: Connection) => {
      acted += 1;
      if (acted === 1) actions[action]!(connection);
    };
    const { peer, server } = await pair(handlers);
    occasions[event](peer, server.connection);
    await server.when(() => acted > 0, event);
    // Only end() leaves the connection to the peer.
    if (action === 'end()') peer.end();
    await server.until('close');
    await roundTrips(3);
    expectOrderly(server, action);
    expect(server.connection.readyState).toBe('closed');
    const after = server.order.slice(server.order.indexOf(event) + 1);
    const allowed = action === 'end()' ? ['end', 'data', 'timeout', 'close'] : ['close'];
    expect(allowed).toEqual(expect.arrayContaining(after));
  });

  it.each(Object.keys(actions))('%s in close changes nothing', async (action) => {
    const { peer, server } = await pair({
      close: (connection) => {
        actions[action]!(connection);
        expect(connection.readyState).toBe('closed');
      },
    });
    peer.destroy();
    await server.until('close');
    await roundTrips(3);
    expectOrderly(server, action);
  });

  it('close() of a connection just made, on both sides at once', async () => {
    const { client, server } = await bothSides(
      { open: (connection) => connection.close() },
      { open: (connection) => connection.close() },
    );
    await Promise.all([client.until('close'), server.until('close')]);
    expectOrderly(client, 'client');
    expectOrderly(server, 'server');
  });

  it('close() from a nested write: in the drain that the write of a drain caused', async () => {
    let drains = 0;
    const { peer, server } = await pair({
      open: (connection) => writeCorked(connection, pattern(500_000)),
      drain(connection) {
        drains += 1;
        if (drains < 3) writeCorked(connection, pattern(500_000, drains));
        else connection.close();
      },
    });
    await server.until('close');
    await peer.untilEnd();
    expect(drains).toBe(3);
    expect(peer.bytes).toBe(1_500_000);
    expectOrderly(server, 'drain');
  });

  it.each(['close', 'reset'] as const)(
    '%s() of the other connections of the same batch keeps their data from being delivered',
    async (method) => {
      const all: Connection[] = [];
      const recorders = new Recorders({
        open: (connection) => void all.push(connection),
        data(connection) {
          for (const other of all) if (other !== connection) other[method]();
        },
      });
      const listener = serve(recorders.recording);
      const peers = await connectPeers(addressOf(listener), 20);
      await recorders.at(19);
      // Sent in one tick, and so all there when the loop looks.
      for (const peer of peers) peer.send('x');
      await recorders.all[0]!.when(() => recorders.all[0]!.order.length > 1, 'data or close');
      const others = () => recorders.all.filter((recorder) => recorder.count('data') === 0);
      for (const recorder of others()) await recorder.until('close');
      expect(others()).toHaveLength(19);
      expect(listener.connections).toBe(1);
    },
  );

  it('listener.destroy() in open, data and close', async () => {
    for (const event of ['open', 'data', 'close'] as const) {
      const recorders = new Recorders({ [event]: () => listener.destroy() });
      const listener = serve(recorders.recording);
      const peer = await connectPeer(addressOf(listener));
      const server = await recorders.at(0);
      if (event === 'data') peer.send('x');
      if (event === 'close') peer.destroy();
      await server.until('close');
      expectOrderly(server, event);
      await listener.stop();
      expect(listener.connections).toBe(0);
    }
  });

  it('close() in a microtask and in a tick of the handler', async () => {
    const later: Record<string, (close: () => void) => void> = {
      microtask: queueMicrotask,
      tick: (close) => process.nextTick(close),
      promise: (close) => void Promise.resolve().then(close),
      immediate: setImmediate,
    };
    for (const [name, schedule] of Object.entries(later)) {
      const { peer, server } = await pair({
        data: (connection) => schedule(() => connection.close()),
      });
      peer.send('x');
      await server.until('close');
      expectOrderly(server, name);
    }
  });
});
