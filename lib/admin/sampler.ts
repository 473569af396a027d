// One report for the live page and for `ringpoll top`: rates since the report before, and levels.
import { Histogram, type HistogramSummary } from '../histogram.js';
import { type Explanation, Loop } from '../index.js';
import type { WatchdogReport } from '../loop/watchdog.js';
import type { TurnSums } from '../runtime/turn_meter.js';
import { VERSION } from '../runtime/version.js';
import type { Alarm, AlarmName } from './alarms.js';
import { type Census, census } from './connections.js';
import { nameOf, type Observer } from './observer.js';
import type { Pause } from './pauses.js';
import type { Pieces } from './pieces.js';
import { type RoundTripReport, RoundTrips } from './round_trips.js';
import { type ThreadMetrics, type ThreadReport, threadReports } from './threads.js';

/** Routes of a report: the busiest ones. */
const ROUTES_MAX = 20;
/** Alarms of a report: the last ones. */
const ALARMS_MAX = 10;
const NS_PER_MS = 1e6;
const US_PER_S = 1e6;

export interface RouteReport {
  server: string;
  route: string;
  /** Requests a second. */
  rate: number;
  /** Of these, with a status of 500 or more. */
  failedRate: number;
  p50: number;
  p99: number;
}

/** Times are milliseconds, rates are a second. */
export interface Report {
  /** Since 1970, and since the process began. */
  at: number;
  uptime: number;
  /** From the report before to this one. */
  span: number;
  info: { version: string; node: string; engine: string; pid: number; platform: string };
  servers: { name: string; connections: number }[];
  requests: {
    rate: number;
    total: number;
    waiting: number;
    aborted: number;
    /** By the first digit of the status. */
    classes: Record<string, number>;
    latency: HistogramSummary;
  };
  routes: RouteReport[];
  /** By code, since measuring began. */
  errors: Record<string, number>;
  connections: Census;
  /** Operations a second by engine or route. */
  ways: { operation: string; way: string; rate: number }[];
  loop: {
    turnRate: number;
    eventRate: number;
    busy: HistogramSummary;
    delay: HistogramSummary;
    /** Shares of the time, 0 to 1. */
    phases: Record<'waiting' | 'receiving' | 'javascript' | 'sending' | 'host', number>;
  };
  buffers: { outstanding: number; peak: number; slabs: number; leaseRate: number };
  collections: { ago: number; ms: number; kind: Pause['kind'] }[];
  /** Cores. */
  cpu: { user: number; system: number };
  /** Bytes. */
  memory: { rss: number; heapUsed: number; external: number };
  roundTrips: RoundTripReport[];
  /** How often each was told, and the last ones, latest first. undefined: there are none. */
  alarms: { counts: Record<AlarmName, number>; last: Alarm[] } | undefined;
  /** Of the Watchdog that admin() was given; undefined: none. */
  watchdog: WatchdogReport | undefined;
  /** Of the process, a second: what the kernel did to it. */
  kernel: { majorFaults: number; minorFaults: number; switches: number; preemptions: number };
  /** Of the group; empty without one. */
  threads: ThreadReport[];
  /** undefined without one. */
  scheduler:
    | {
        states: Record<string, number>;
        classes: Record<string, { ready: number; weight: number; turnRate: number; p99: number }>;
        overruns: number;
      }
    | undefined;
}

interface RouteBase {
  server: string;
  route: string;
  durations: Histogram;
  count: number;
  failed: number;
}

interface Base {
  at: number;
  requests: number;
  aborted: number;
  classes: Map<string, number>;
  latency: Histogram;
  routes: Map<string, RouteBase>;
  sums: TurnSums;
  busy: Histogram;
  delay: Histogram;
  ways: Map<string, number>;
  leases: number;
  usage: NodeJS.ResourceUsage;
  cpu: NodeJS.CpuUsage;
  classTurns: Map<string, number>;
  threads: readonly ThreadMetrics[];
}

function waysOf({ receive, send, open, file }: Explanation): [string, string, number][] {
  const routes = Object.entries(receive.routes).map(([route, { receives }]) => {
    return ['receive', route, receives] as [string, string, number];
  });
  const others = Object.entries({ send, open, file }).flatMap(([operation, { ways }]) =>
    Object.entries(ways).map(([way, count]): [string, string, number] => [operation, way, count]),
  );
  return [...routes, ...others];
}

const inMs = ({ count, ...values }: HistogramSummary): HistogramSummary => ({
  count,
  ...(Object.fromEntries(
    Object.entries(values).map(([name, ns]) => [name, ns / NS_PER_MS]),
  ) as Omit<HistogramSummary, 'count'>),
});

export class Sampler {
  readonly #observer: Observer;
  readonly #roundTrips = new RoundTrips();
  #last: Base;

  constructor(observer: Observer) {
    this.#observer = observer;
    this.#last = this.#base();
  }

  #base(before?: Base): Base {
    const { turns, scheduler } = this.#observer;
    const base: Base = {
      at: performance.now(),
      requests: 0,
      aborted: 0,
      classes: new Map(),
      latency: new Histogram(),
      routes: new Map(),
      sums: turns.sums(),
      busy: turns.busy(),
      delay: turns.delays(),
      ways: new Map(),
      leases: 0,
      usage: process.resourceUsage(),
      cpu: process.cpuUsage(),
      classTurns: new Map(),
      threads: this.#observer.threads.latest,
    };
    for (const server of this.#observer.servers()) {
      const meter = server._meter;
      if (meter === undefined) continue;
      const name = nameOf(server);
      base.aborted += meter.aborted;
      for (const { route, durations, counts } of meter.routes()) {
        let count = 0;
        let failed = 0;
        for (const each of counts) {
          const kind = `${Math.floor(each.status / 100)}xx`;
          base.classes.set(kind, (base.classes.get(kind) ?? 0) + each.count);
          count += each.count;
          if (each.status >= 500) failed += each.count;
        }
        base.requests += count;
        base.latency.merge(durations);
        const key = `${name} ${route}`;
        const known = before?.routes.get(key);
        // Most routes of many have nothing new.
        const isAsBefore = known?.durations.count === durations.count;
        const copy = isAsBefore ? known.durations : durations.copy();
        base.routes.set(key, { server: name, route, durations: copy, count, failed });
      }
    }
    const classes = Object.entries(scheduler?.metrics().classes ?? {});
    for (const [name, { turns: count }] of classes) base.classTurns.set(name, count);
    return base;
  }

  /** What has happened since the last call. One call at a time. */
  async report(pieces: Pieces): Promise<Report> {
    const connections = await census(pieces);
    const before = this.#last;
    const now = this.#base(before);
    this.#last = now;
    // Answered until the next report.
    void this.#observer.threads.ask();
    const loop = Loop.current();
    const metrics = loop.metrics();
    const span = Math.max(1, now.at - before.at);
    const rate = (count: number) => (count / span) * 1000;
    const since = (to: Map<string, number>, from: Map<string, number>) =>
      Object.fromEntries(
        Array.from(to, ([name, count]) => [name, rate(count - (from.get(name) ?? 0))]),
      );
    const ways = waysOf(loop.explain()).map(([operation, way, count]) => {
      const key = `${operation} ${way}`;
      now.ways.set(key, count);
      return { operation, way, rate: rate(count - (before.ways.get(key) ?? count)) };
    });
    now.leases = metrics.arenaLeases;
    const { servers, waiting, errors } = this.#servers();
    const { rss, heapUsed, external } = process.memoryUsage();
    const cpu = (kind: 'user' | 'system') =>
      (now.cpu[kind] - before.cpu[kind]) / US_PER_S / (span / 1000);
    return {
      at: Date.now(),
      uptime: process.uptime() * 1000,
      span,
      info: {
        version: VERSION,
        node: process.version,
        engine: loop.engine,
        pid: process.pid,
        platform: `${process.platform} ${process.arch}`,
      },
      servers,
      requests: {
        rate: rate(now.requests - before.requests),
        total: now.requests,
        waiting,
        aborted: now.aborted,
        classes: since(now.classes, before.classes),
        latency: inMs(now.latency.since(before.latency).summary()),
      },
      routes: routesOf(now, before, rate),
      errors,
      connections,
      ways: ways.filter(({ way, operation }) => (now.ways.get(`${operation} ${way}`) ?? 0) > 0),
      loop: {
        turnRate: rate(now.sums.turns - before.sums.turns),
        eventRate: rate(now.sums.events - before.sums.events),
        busy: inMs(now.busy.since(before.busy).summary()),
        delay: inMs(now.delay.since(before.delay).summary()),
        phases: phasesOf(now.sums, before.sums),
      },
      buffers: {
        outstanding: metrics.arenaOutstanding,
        peak: metrics.arenaPeak,
        slabs: metrics.arenaSlabs,
        leaseRate: before.leases === 0 ? 0 : rate(metrics.arenaLeases - before.leases),
      },
      collections: this.#observer.pauses
        .from(before.at)
        .slice(-100)
        .map(({ start, ms, kind }) => ({ ago: now.at - start, ms, kind })),
      cpu: { user: cpu('user'), system: cpu('system') },
      memory: { rss, heapUsed, external },
      roundTrips: this.#observer.servers().map((server) => this.#roundTrips.look(server)),
      alarms: this.#alarms(),
      watchdog: this.#observer.watchdog?.report(),
      kernel: kernelOf(now.usage, before.usage, rate),
      threads: threadReports(now.threads, before.threads, rate),
      scheduler: this.#schedulerSince(before, rate),
    };
  }

  #alarms(): Report['alarms'] {
    const { alarms } = this.#observer;
    if (alarms === undefined) return undefined;
    return { counts: { ...alarms.counts }, last: alarms.last.slice(-ALARMS_MAX).reverse() };
  }

  #servers(): Pick<Report, 'servers' | 'errors'> & { waiting: number } {
    const errors: Record<string, number> = {};
    let waiting = 0;
    const servers = this.#observer.servers().map((server) => {
      waiting += server._meter?.waiting ?? 0;
      for (const [code, count] of server._meter?.errors ?? []) {
        errors[code] = (errors[code] ?? 0) + count;
      }
      return { name: nameOf(server), connections: server.connections };
    });
    return { servers, errors, waiting };
  }

  #schedulerSince(before: Base, rate: (count: number) => number): Report['scheduler'] {
    const metrics = this.#observer.scheduler?.metrics();
    if (metrics === undefined) return undefined;
    const classes = Object.entries(metrics.classes).map(([name, each]) => {
      const { ready, weight, turns, delayMs } = each;
      const turnRate = rate(turns - (before.classTurns.get(name) ?? turns));
      return [name, { ready, weight, turnRate, p99: delayMs.p99 }];
    });
    const { states, overruns } = metrics;
    return { states, classes: Object.fromEntries(classes), overruns };
  }
}

function routesOf(now: Base, before: Base, rate: (count: number) => number): RouteReport[] {
  const since = Array.from(now.routes, ([key, of]) => {
    const earlier = before.routes.get(key);
    return { of, earlier, count: of.count - (earlier?.count ?? 0) };
  });
  const busiest = since.sort((a, b) => b.count - a.count).slice(0, ROUTES_MAX);
  return busiest.map(({ of: { server, route, durations, failed }, earlier, count }) => {
    const some = earlier === undefined ? durations : durations.since(earlier.durations);
    return {
      server,
      route,
      rate: rate(count),
      failedRate: rate(failed - (earlier?.failed ?? 0)),
      p50: some.quantile(0.5) / NS_PER_MS,
      p99: some.quantile(0.99) / NS_PER_MS,
    };
  });
}

function kernelOf(
  now: NodeJS.ResourceUsage,
  before: NodeJS.ResourceUsage,
  rate: (count: number) => number,
): Report['kernel'] {
  const of = (name: keyof NodeJS.ResourceUsage) => rate(now[name] - before[name]);
  return {
    majorFaults: of('majorPageFault'),
    minorFaults: of('minorPageFault'),
    switches: of('voluntaryContextSwitches'),
    preemptions: of('involuntaryContextSwitches'),
  };
}

function phasesOf(now: TurnSums, before: TurnSums): Report['loop']['phases'] {
  const ns = {
    waiting: now.waited - before.waited,
    receiving: now.received - before.received,
    javascript: now.walked - before.walked,
    sending: now.sent - before.sent,
    host: now.host - before.host,
  };
  const all = Object.values(ns).reduce((sum, each) => sum + each, 0);
  const shares = Object.entries(ns).map(([name, each]) => [name, all === 0 ? 0 : each / all]);
  return Object.fromEntries(shares) as Report['loop']['phases'];
}
