// What the router did, for people and for programs.
import type { NativeLoop } from './native.js';

export type RouteName = 'readiness' | 'completion' | 'poll';

/** What one size of messages has cost by one route. */
export interface RouteCost {
  /** Mean bytes of a receive, at most; Infinity for the last class. */
  bytesMax: number;
  /** CPU microseconds of a receive and of what its bytes caused (a running average). */
  microseconds: number;
  /** Turns in which it was measured. */
  samples: number;
}

export interface RouteReport {
  /** Whether this loop has it. */
  available: boolean;
  /** Connections that are there now. */
  connections: number;
  /** Connections that began here, since the loop began. */
  chosen: number;
  /** Connections that came here from another route. */
  migrations: number;
  receives: number;
  bytes: number;
  /** Only sizes that were seen; a turn in 64 is measured. */
  costs: RouteCost[];
}

/** Where operations of one kind went. */
export interface KindReport {
  total: number;
  /** How many went each way. */
  ways: Record<string, number>;
  why: string;
}

export interface Explanation {
  engine: string;
  receive: {
    /** Where a new connection goes without a hint. */
    preferred: RouteName;
    why: string;
    /** Whether other routes are tried now and then (RINGPOLL_ROUTING=adaptive). */
    adaptive: boolean;
    exploring: boolean;
    /** Hints that could not be followed. */
    refusals: number;
    routes: Record<RouteName, RouteReport>;
  };
  /** Connections accepted and made, by the engine that did it. */
  open: KindReport;
  send: KindReport;
  file: KindReport;
}

const SIZES = [512, 4096, 16384, Number.POSITIVE_INFINITY];

/** @internal */
export function explain(native: NativeLoop): Explanation {
  const { engine } = native.describe();
  const routing = native.routing();
  const metrics = native.metrics();
  const routes = {} as Record<RouteName, RouteReport>;
  for (const { route, costs, ...counts } of routing.routes) {
    const seen = costs.map(({ ns, samples }, index) => {
      return { bytesMax: SIZES[index], microseconds: ns / 1000, samples };
    });
    routes[route] = { ...counts, costs: seen.filter(({ samples }) => samples > 0) };
  }
  const { preferred, reason, adaptive, exploring, refusals } = routing;
  const { fileOperations = 0 } = metrics;
  const uring = routes.readiness.chosen + routes.completion.chosen;
  const poll = routes.poll.chosen;
  return {
    engine,
    receive: { preferred, why: reason, adaptive, exploring, refusals, routes },
    open: {
      total: uring + poll,
      ways: { uring, poll },
      why: 'accepts and connects go to the engine that the hint or the loop chose',
    },
    send: {
      total: metrics.sends,
      ways: { now: metrics.sends - metrics.sendsByEngine, engine: metrics.sendsByEngine },
      why: 'a socket usually has room: only what it does not take at once goes to the engine',
    },
    file: {
      total: fileOperations,
      ways: { ring: fileOperations },
      why:
        engine === 'poll'
          ? "without a ring files are read and written by Node's thread pool"
          : 'what is not in the page cache would block: the ring waits for it',
    },
  };
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function routeLines([name, route]: [string, RouteReport]): string[] {
  if (!route.available) return [`  ${name.padEnd(12)}not available`];
  const { connections, chosen, migrations, receives, bytes } = route;
  const line =
    `  ${name.padEnd(12)}${plural(connections, 'connection')} now, ${chosen} began here, ` +
    `${migrations} came over; ${plural(receives, 'receive')}, ${plural(bytes, 'byte')}`;
  const costs = route.costs.map(({ bytesMax, microseconds, samples }) => {
    const size = bytesMax === Number.POSITIVE_INFINITY ? 'larger' : `up to ${bytesMax} B`;
    return `    ${size}: ${microseconds.toFixed(2)} µs of CPU (${plural(samples, 'sample')})`;
  });
  return [line, ...costs];
}

/** The same as text. */
export function formatExplanation(explanation: Explanation): string {
  const { engine, receive } = explanation;
  const kinds = (['open', 'send', 'file'] as const).map((kind) => {
    const { total, ways, why } = explanation[kind];
    const parts = Object.entries(ways).map(([way, count]) => `${count} ${way}`);
    return `${kind}: ${total} (${parts.join(', ')}): ${why}`;
  });
  return [
    `engine: ${engine}`,
    `receive: ${receive.preferred}: ${receive.why}` +
      `${receive.adaptive ? ', others are tried now and then' : ''}` +
      `${receive.exploring ? ' (now)' : ''}; ${plural(receive.refusals, 'hint')} refused`,
    ...Object.entries(receive.routes).flatMap(routeLines),
    ...kinds,
  ].join('\n');
}
