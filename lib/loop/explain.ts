// What the router did, for people and for programs.
import { faces, fellBack, reports } from '../faces.js';
import type { Report as FileReport } from '../fs/routes.js';
import type { EngineReport, NativeCost, NativeRouting } from '../runtime/native.js';
import { type Runtime, TRIGGERS } from '../runtime/runtime.js';

export type RouteName = 'readiness' | 'completion' | 'poll';

/** What one size of messages has cost by one route. */
export interface RouteCost {
  /** Mean bytes of a receive, or bytes of a send, at most; Infinity for the last class. */
  bytesMax: number;
  /** CPU microseconds of a receive and of what its bytes caused, or of a send (running average). */
  microseconds: number;
  /** Turns or sends in which it was measured. */
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
  /** Only sizes that were seen; a turn in 61 is measured. */
  costs: RouteCost[];
}

/** Hints of one name that could not be followed. */
export interface Refusal {
  /** 'uring', 'poll', 'readiness' or 'completion'. */
  asked: string;
  count: number;
  why: string;
}

/** Where operations of one kind went. */
export interface KindReport {
  total: number;
  /** How many went each way. */
  ways: Record<string, number>;
  why: string;
}

export interface SendReport extends KindReport {
  /** By size; a send in 61 is measured. By the engine: handing over what a socket did not take. */
  costs: { now: RouteCost[]; engine: RouteCost[] };
}

export interface FileKindReport extends KindReport {
  /** Hints of files and calls that could not be followed. */
  refusals: number;
  /** Each operation that there was, as explain() of ringpoll/fs tells it. */
  operations: FileReport['operations'];
}

/** Sockets of node:net or node:dgram, once ringpoll/net or ringpoll/dgram was imported. */
export interface NetReport {
  /** False: they are Node's own. */
  active: boolean;
  /** All of the process, not only those made through the package. */
  everywhere: boolean;
  /** Why they are not served here. */
  reason?: string;
}

export interface Explanation {
  engine: string;
  /** undefined: ringpoll/net was not imported. */
  net: NetReport | undefined;
  /** undefined: ringpoll/dgram was not imported. */
  dgram: NetReport | undefined;
  receive: {
    /** Where a new connection goes without a hint. */
    preferred: RouteName;
    why: string;
    /** Hints that could not be followed. */
    refusals: number;
    refused: Refusal[];
    routes: Record<RouteName, RouteReport>;
    /** How epoll tells of connections, and how often it was told to change that for one. */
    trigger: { is: (typeof TRIGGERS)[number]; toLevel: number; toEdge: number };
  };
  /** Connections accepted and made, by the engine that did it. */
  open: KindReport;
  send: SendReport;
  file: FileKindReport;
  faces: FaceReport;
}

/** What ringpoll/register and ringpoll/node-http did. */
export interface FaceReport {
  /** By the name of a module of Node's: 'ringpoll', or why it is Node's own. */
  modules: Record<string, string>;
  /** Servers that are Node's although their module is not, and why. */
  servers: { why: string; count: number }[];
}

const SIZES = [512, 4096, 16384, Number.POSITIVE_INFINITY];

function costsOf(costs: NativeCost[]): RouteCost[] {
  return costs.flatMap(({ ns, samples }, index) =>
    samples === 0 ? [] : [{ bytesMax: SIZES[index], microseconds: ns / 1000, samples }],
  );
}

function refusedOf(engines: EngineReport[], refusals: NativeRouting['refusals']): Refusal[] {
  const asked = Object.entries(refusals).filter(([, count]) => count > 0);
  return asked.map(([name, count]) => {
    const needed = name === 'poll' ? 'poll' : 'uring';
    const engine = engines.find((each) => each.name === needed);
    const why = engine?.available
      ? 'the engine did not take the connection'
      : `no ${needed}: ${engine?.reason ?? 'unknown'}`;
    return { asked: name, count, why };
  });
}

function receiveOf(
  routing: NativeRouting,
  engines: EngineReport[],
): Omit<Explanation['receive'], 'trigger'> {
  const { preferred, reason, refusals } = routing;
  const routes = {} as Record<RouteName, RouteReport>;
  for (const { route, costs, ...counts } of routing.routes) {
    routes[route] = { ...counts, costs: costsOf(costs) };
  }
  const refused = refusedOf(engines, refusals);
  return {
    preferred,
    why: reason,
    refusals: refused.reduce((sum, { count }) => sum + count, 0),
    refused,
    routes,
  };
}

function fileOf(engine: string, report: FileReport | undefined): FileKindReport {
  const used = ({ now, ring, pool }: FileReport['operations'][number]) => now + ring + pool > 0;
  const operations = report?.operations.filter(used) ?? [];
  const sum = (key: 'now' | 'ring' | 'pool' | 'refusals') =>
    operations.reduce((total, operation) => total + operation[key], 0);
  const ways = { now: sum('now'), ring: sum('ring'), pool: sum('pool') };
  return {
    total: ways.now + ways.ring + ways.pool,
    ways,
    why:
      engine === 'poll'
        ? "what memory cannot answer at once goes to libuv's pool: there is no ring"
        : 'what memory cannot answer at once would block: the ring waits for it',
    refusals: sum('refusals'),
    operations,
  };
}

/** @internal */
export function explain({ native }: Runtime): Explanation {
  const { engine, engines } = native.describe();
  const routing = native.routing();
  const { sends, sendsByEngine, triggersToLevel, triggersToEdge } = native.metrics();
  const receive = receiveOf(routing, engines);
  const { readiness, completion, poll } = receive.routes;
  const uring = readiness.chosen + completion.chosen;
  return {
    engine,
    net: reports.get('net')?.() as NetReport | undefined,
    dgram: reports.get('dgram')?.() as NetReport | undefined,
    receive: {
      ...receive,
      trigger: { is: TRIGGERS[native.trigger()], toLevel: triggersToLevel, toEdge: triggersToEdge },
    },
    open: {
      total: uring + poll.chosen,
      ways: { uring, poll: poll.chosen },
      why: 'accepts and connects go to the engine that the hint or the loop chose',
    },
    send: {
      total: sends,
      ways: { now: sends - sendsByEngine, engine: sendsByEngine },
      why: 'a socket usually has room: only what it does not take at once goes to the engine',
      costs: { now: costsOf(routing.sentNow), engine: costsOf(routing.sentByEngine) },
    },
    file: fileOf(engine, reports.get('files')?.() as FileReport | undefined),
    faces: {
      modules: Object.fromEntries(faces),
      servers: [...fellBack].map(([why, count]) => ({ why, count })),
    },
  };
}
