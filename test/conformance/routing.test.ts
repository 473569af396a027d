import { setImmediate } from 'node:timers/promises';
import {
  type Chunk,
  type Connection,
  formatExplanation,
  Loop,
  type RouteHint,
  type RouteName,
} from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { Random } from '../support/model.js';
import { connectPeer, connectPeers } from '../support/peer.js';
import { codeOf, Recorders } from '../support/recorder.js';
import { addressOf, bothSides, pair, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const HINTS: readonly RouteHint[] = ['readiness', 'completion', 'poll', 'auto'];
const NAMES: readonly RouteName[] = ['readiness', 'completion', 'poll'];

const routes = () => Loop.current().explain().receive.routes;
const available = () => NAMES.filter((name) => routes()[name].available);
const migrations = () => NAMES.reduce((sum, name) => sum + routes()[name].migrations, 0);

/** Goes on until the connection receives by the route. */
async function settled(connection: Connection, route: RouteName): Promise<void> {
  while (connection.route !== route) await roundTrips(1);
}

describe('setRoute()', () => {
  it('leads to each route that the loop has, and is reported', async () => {
    const { peer, server } = await pair();
    let expected = '';
    for (const route of [...available(), ...available().reverse()]) {
      server.connection.setRoute(route);
      await settled(server.connection, route);
      expect(routes()[route].connections).toBeGreaterThan(0);
      expected += route;
      peer.send(route);
      await server.received(expected.length);
    }
    expect(server.text).toBe(expected);
  });

  it('replaces what the loop does not have, and counts that', async () => {
    const { peer, server } = await pair();
    const missing = NAMES.filter((name) => !available().includes(name));
    const { refusals } = Loop.current().explain().receive;
    for (const route of missing) server.connection.setRoute(route);
    peer.send('still here');
    await server.received(10);
    expect(Loop.current().explain().receive.refusals).toBe(refusals + missing.length);
  });

  it('takes nothing but the name of a route', async () => {
    const { server } = await pair();
    for (const wrong of ['', 'ring', 1, undefined, null]) {
      let code: string | undefined;
      try {
        server.connection.setRoute(wrong as never);
      } catch (error) {
        code = codeOf(error);
      }
      expect(code).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    }
  });

  it('moves connections thousands of times under traffic without losing a byte', async () => {
    const random = new Random(7);
    const move = (connection: Connection) => {
      if (random.chance(60)) connection.setRoute(HINTS[random.below(HINTS.length)]!);
    };
    const { server, client } = await bothSides(
      {
        data(connection, chunk) {
          connection.write(chunk);
          move(connection);
        },
      },
      { data: move },
    );
    const sent = pattern(24_000_000);
    const before = migrations();
    let at = 0;
    while (at < sent.length) {
      const piece = sent.subarray(at, at + 1 + random.below(10_000));
      at += piece.length;
      if (!client.connection.write(piece)) await client.connection.drained();
      move(client.connection);
      await setImmediate();
    }
    await client.received(sent.length);
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
    expect(Buffer.concat(client.chunks).equals(sent)).toBe(true);
    if (available().length > 1) expect(migrations() - before).toBeGreaterThan(1000);
  });

  it('moves many small messages in both directions', async () => {
    const random = new Random(11);
    const { server, client } = await bothSides({
      data: (connection, chunk) => {
        connection.write(chunk);
        connection.setRoute(HINTS[random.below(HINTS.length)]!);
      },
    });
    const before = migrations();
    let expected = '';
    for (let trip = 0; trip < 2000; trip += 1) {
      const message = `message ${trip};`;
      expected += message;
      client.connection.write(message);
      client.connection.setRoute(HINTS[random.below(HINTS.length)]!);
      await client.received(expected.length);
    }
    expect(client.text).toBe(expected);
    expect(server.text).toBe(expected);
    if (available().length > 1) expect(migrations() - before).toBeGreaterThan(1000);
  });

  it('holds to pause() and resume() while it moves', async () => {
    const random = new Random(3);
    const { peer, server } = await pair({
      data(connection) {
        connection.setRoute(HINTS[random.below(HINTS.length)]!);
        if (random.chance(50)) connection.pause();
        if (random.chance(30)) connection.setRoute(HINTS[random.below(HINTS.length)]!);
      },
    });
    const sent = pattern(6_000_000);
    peer.send(sent);
    while (server.bytes < sent.length) {
      const heard = server.bytes;
      server.connection.resume();
      await server.when(() => server.bytes > heard, 'more');
    }
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('moves connections while the memory to receive into runs out', async () => {
    const random = new Random(5);
    const kept: Chunk[] = [];
    const moveOf = (connection: Connection) =>
      connection.setRoute(HINTS[random.below(HINTS.length)]!);
    const recorders = new Recorders({
      open: (connection) => void connection.setRoute('completion'),
      data(connection, chunk) {
        if (random.chance(15)) kept.push(chunk.retain());
        if (kept.length > 50) kept.splice(random.below(kept.length), 1)[0]!.release();
        if (random.chance(30)) moveOf(connection);
        if (random.chance(5)) {
          for (const other of recorders.all) if (random.chance(50)) moveOf(other.connection);
        }
      },
    });
    const peers = await connectPeers(addressOf(serve(recorders.recording)), 40);
    await recorders.at(39);
    const sent = pattern(1_000_000);
    for (const peer of peers) peer.send(sent);
    await Promise.all(recorders.all.map((one) => one.received(sent.length)));
    for (const one of recorders.all) expect(Buffer.concat(one.chunks).equals(sent)).toBe(true);
    for (const chunk of kept) chunk.release();
    for (const peer of peers) peer.destroy();
    await Promise.all(recorders.all.map((one) => one.until('close')));
  });

  it('of a paused connection delivers nothing before resume()', async () => {
    const { peer, server } = await pair({ open: (connection) => connection.pause() });
    peer.send('held');
    for (const route of [...available(), ...available()]) {
      server.connection.setRoute(route);
      await settled(server.connection, route);
      await roundTrips(2);
      expect(server.bytes).toBe(0);
    }
    server.connection.resume();
    await server.received(4);
    expect(server.text).toBe('held');
  });

  it.each(HINTS)('to %s just before the FIN loses neither bytes nor the end', async (hint) => {
    for (const from of HINTS) {
      const { peer, server } = await pair({}, { allowHalfOpen: true });
      server.connection.setRoute(from);
      await roundTrips(1);
      server.connection.setRoute(hint);
      peer.end('the last words');
      await server.until('end');
      expect(server.text).toBe('the last words');
      server.connection.setRoute(from);
      server.connection.end('and the answer');
      expect(await peer.untilEnd()).toBe('and the answer');
      await server.until('close');
      expect(server.closeError).toBeUndefined();
    }
  });

  it.each(HINTS)('to %s and close() at once closes in order', async (hint) => {
    for (const from of HINTS) {
      const { peer, server } = await pair();
      server.connection.setRoute(from);
      await roundTrips(1);
      server.connection.setRoute(hint);
      server.connection.write('bye');
      server.connection.close();
      expect(await peer.untilEnd()).toBe('bye');
      await server.until('close');
      expect(server.count('close')).toBe(1);
    }
  });

  it.each(HINTS)('to %s and reset() at once resets', async (hint) => {
    for (const from of HINTS) {
      const { peer, server } = await pair();
      server.connection.setRoute(from);
      await roundTrips(1);
      server.connection.setRoute(hint).reset();
      await peer.untilClosed();
      await server.until('close');
    }
  });

  it('meets the reset of the peer', async () => {
    for (const hint of HINTS) {
      const { peer, server } = await pair({ error() {} });
      server.connection.setRoute(hint);
      peer.reset();
      await server.until('close');
      expect(codeOf(server.closeError)).toBe('ECONNRESET');
    }
  });

  it('waits for a send that is under way, and holds back the next one', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const sent = pattern(8_000_000);
    for (let at = 0; at < sent.length; at += 1_000_000) {
      server.connection.write(sent.subarray(at, at + 1_000_000));
      server.connection.setRoute(HINTS[(at / 1_000_000) % HINTS.length]!);
      await roundTrips(1);
    }
    const received: Buffer[] = [];
    let bytes = 0;
    const turns = new Random(5);
    await new Promise<void>((resolve) => {
      peer.socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        bytes += chunk.length;
        server.connection.setRoute(HINTS[turns.below(HINTS.length)]!);
        if (bytes === sent.length) resolve();
      });
      peer.socket.resume();
    });
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it('does nothing after the connection is closed', async () => {
    const { server } = await pair();
    server.connection.reset();
    expect(server.connection.setRoute('poll')).toBe(server.connection);
    await server.until('close');
    server.connection.setRoute('completion');
    expect(server.connection.route).toBeUndefined();
  });
});

describe('setEngine()', () => {
  it('moves a connection to the engine, and is reported', async () => {
    const { peer, server } = await pair();
    const has = (engine: string) =>
      Loop.current().capabilities.engines.some(({ name, available }) => {
        return name === engine && available;
      });
    let expected = '';
    for (const engine of (['poll', 'uring', 'poll', 'uring'] as const).filter(has)) {
      server.connection.setEngine(engine);
      while (server.connection.engine !== engine) await roundTrips(1);
      expected += engine;
      peer.send(engine);
      await server.received(expected.length);
    }
    server.connection.setEngine('auto');
    while (server.connection.route !== Loop.current().explain().receive.preferred) {
      await roundTrips(1);
    }
    expect(server.text).toBe(expected);
    server.connection.reset();
    await server.until('close');
    expect(server.connection.engine).toBeUndefined();
  });

  it('counts and explains what this loop does not have', async () => {
    const { peer, server } = await pair();
    const missing = Loop.current().capabilities.engines.filter(({ available }) => !available);
    const count = (asked: string) =>
      Loop.current()
        .explain()
        .receive.refused.find((refusal) => refusal.asked === asked);
    const before = missing.map(({ name }) => count(name)?.count ?? 0);
    for (const { name } of missing) server.connection.setEngine(name as 'poll');
    peer.send('still here');
    await server.received(10);
    missing.forEach(({ name, reason }, index) => {
      expect(count(name)?.count).toBe(before[index]! + 1);
      expect(count(name)?.why).toBe(`no ${name}: ${reason}`);
    });
  });

  it('takes nothing but the name of an engine', async () => {
    const { server } = await pair();
    for (const wrong of ['', 'completion', 'toString', 1, undefined]) {
      let code: string | undefined;
      try {
        server.connection.setEngine(wrong as never);
      } catch (error) {
        code = codeOf(error);
      }
      expect(code).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    }
  });
});

describe('the engine option of a listener', () => {
  it.each(['uring', 'poll', 'auto'] as const)('%s is followed where it can be', async (engine) => {
    const { peer, server } = await pair({}, { engine });
    peer.send('x');
    await server.received(1);
    const { route } = server.connection;
    if (engine === 'poll' && available().includes('poll')) expect(route).toBe('poll');
    if (engine === 'uring' && available().includes('readiness')) expect(route).not.toBe('poll');
  });
});

describe('the engine option of connect()', () => {
  it.each(['uring', 'poll', 'auto'] as const)('%s is followed where it can be', async (engine) => {
    const { server, client } = await bothSides({}, {}, {}, { engine });
    client.connection.write('x');
    await server.received(1);
    if (engine === 'poll' && available().includes('poll')) {
      expect(client.connection.engine).toBe('poll');
    }
    if (engine === 'uring' && available().includes('readiness')) {
      expect(client.connection.engine).toBe('uring');
    }
  });
});

describe('explain()', () => {
  it('counts what each route received', async () => {
    const listener = serve({ data() {} });
    const before = routes();
    const peer = await connectPeer(addressOf(listener));
    peer.send('x'.repeat(1000));
    await roundTrips(10);
    const bytes = (from: typeof before) => NAMES.reduce((sum, name) => sum + from[name].bytes, 0);
    expect(bytes(routes()) - bytes(before)).toBeGreaterThanOrEqual(1000);
    const { open, send, engine } = Loop.current().explain();
    expect(engine).toBe(Loop.current().engine);
    expect(open.ways.uring + open.ways.poll).toBe(open.total);
    expect(open.total).toBeGreaterThan(0);
    expect(send.ways.now + send.ways.engine).toBe(send.total);
  });

  it('tells what sends cost by their size, and prints everything as tables', async () => {
    const { client } = await bothSides({ data: (connection, chunk) => connection.write(chunk) });
    const size = 1000;
    for (let trip = 1; trip <= 150; trip += 1) {
      client.connection.write(pattern(size));
      await client.received(trip * size);
    }
    const { send } = Loop.current().explain();
    const [cost] = send.costs.now.filter(({ bytesMax }) => bytesMax === 4096);
    expect(cost!.samples).toBeGreaterThanOrEqual(3);
    expect(cost!.microseconds).toBeGreaterThan(0);
    const text = formatExplanation(Loop.current().explain());
    expect(text).toMatch(/^receive by +connections +began here/m);
    expect(text).toMatch(/^send, now +up to 4096 B +\d+\.\d\d +\d+/m);
  });
});
