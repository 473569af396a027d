// Adaptive routing on a real loop: the traffic changes its character, the route follows, and every
// byte arrives. What a message costs is made clear by handlers that are busy on one route alone.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { type Connection, formatExplanation, Loop, type RouteName } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { type Both, bothSides, pattern } from '../support/serve.js';

process.env.RINGPOLL_ROUTING = 'adaptive';

/** Twice what is promised: machines that run tests are busy. */
const FOLLOW_MS_MAX = 2000;
const PAIRS = 8;
const SMALL = 64;
const LARGE = 64 * 1024;
const BUSY_MICROSECONDS = 40;

const receive = () => Loop.current().explain().receive;

function busy(microseconds: number): void {
  const end = performance.now() + microseconds / 1000;
  while (performance.now() < end);
}

/** Connections whose small messages are dear on every route but `cheap`. */
function pairsOf(cheap: RouteName): Promise<Both[]> {
  const handlers = {
    data(connection: Connection, chunk: { length: number }) {
      if (chunk.length <= SMALL && connection.route !== cheap) busy(BUSY_MICROSECONDS);
    },
  };
  return Promise.all(Array.from({ length: PAIRS }, () => bothSides(handlers, {})));
}

class Traffic {
  readonly #sent: Buffer[] = [];
  #bytes = 0;

  constructor(readonly pairs: readonly Both[]) {}

  /** One message on each connection, and waits for all of them. */
  async round(size: number): Promise<void> {
    const message = pattern(size, this.#sent.length + 1);
    this.#sent.push(message);
    this.#bytes += size;
    for (const { client } of this.pairs) client.connection.write(message);
    await Promise.all(this.pairs.map(({ server }) => server.received(this.#bytes)));
  }

  /** Milliseconds of such messages until `done` holds. */
  async until(size: number, done: () => boolean, what: string): Promise<number> {
    const start = performance.now();
    while (!done()) {
      if (performance.now() - start > FOLLOW_MS_MAX) {
        throw new Error(`not ${what}:\n${formatExplanation(Loop.current().explain())}`);
      }
      for (let i = 0; i < 4; i++) await this.round(size);
    }
    return performance.now() - start;
  }

  expectEveryByte(): void {
    const sent = Buffer.concat(this.#sent);
    for (const { server } of this.pairs) {
      expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
    }
  }
}

/** Settled on the route, and all connections there. */
const on = (route: RouteName, pairs: readonly Both[]) => () => {
  const { preferred, exploring } = receive();
  if (preferred !== route || exploring) return false;
  return pairs.every(({ server }) => server.connection.route === route);
};

describe('adaptive routing', () => {
  it('finds the cheaper route, follows the size of messages, stays while idle', async (context) => {
    context.skip(!receive().adaptive, 'there is no ring');
    const pairs = await pairsOf('completion');
    const traffic = new Traffic(pairs);
    await traffic.until(SMALL, on('completion', pairs), 'on completion');
    expect(receive().why).toBe('completion measured cheaper');
    const large = () => receive().preferred !== 'completion';
    await traffic.until(LARGE, large, 'away from completion');
    for (let i = 0; i < 20; i++) await traffic.round(LARGE);
    expect(pairs.every(({ server }) => server.connection.route !== 'completion')).toBe(true);
    const { changes } = receive();
    for (let i = 0; i < 200; i++) await setImmediate();
    expect(receive().changes - changes).toBeLessThanOrEqual(1); // an attempt may have ended
    await traffic.until(SMALL, on('completion', pairs), 'on completion again');
    traffic.expectEveryByte();
    expect(receive().routes.completion.migrations).toBeGreaterThanOrEqual(2 * PAIRS);
  });

  it('leaves connections with a hint where they are', async (context) => {
    context.skip(!receive().adaptive, 'there is no ring');
    const pairs = await pairsOf('completion');
    const [{ server: hinted }] = pairs as [Both];
    hinted.connection.setRoute('readiness');
    const traffic = new Traffic(pairs);
    const others = pairs.slice(1);
    const apart = () => hinted.connection.route === 'readiness' && on('completion', others)();
    await traffic.until(SMALL, apart, 'apart');
    for (let i = 0; i < 20; i++) await traffic.round(SMALL);
    expect(hinted.connection.route).toBe('readiness');
    traffic.expectEveryByte();
  });

  it('begins with figures that were calibrated once', () => {
    const { adaptive, calibration, routes } = receive();
    if (!adaptive) {
      expect(calibration.rounds).toBe(0);
      expect(calibration.state).toMatch(/^not needed/);
      return;
    }
    expect(calibration.state).toMatch(/^measured by/);
    // On a machine that is too busy the clock ends it before its first round.
    if (calibration.rounds === 0) expect(calibration.milliseconds).toBeGreaterThan(1);
    else expect(routes.readiness.costs[0]!.calibrated).toBeGreaterThan(0);
  });
});
