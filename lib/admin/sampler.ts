// One report for the live page and for `ringpoll top`: rates since the report before, and levels.
import type { Histogram, HistogramSummary } from '../histogram.js';
import { Loop } from '../index.js';
import type { WatchdogReport } from '../loop/watchdog.js';
import type { TurnSums } from '../runtime/turn_meter.js';
import { VERSION } from '../runtime/version.js';
import { ownMigrations } from '../thread_usage.js';
import type { Alarm, AlarmName } from './alarms.js';
import { type Census, census } from './connections.js';
import { lockWaits } from './lock_waits.js';
import { nameOf, type Observer } from './observer.js';
import type { Pause } from './pauses.js';
import type { Pieces } from './pieces.js';
import { type RoundTripReport, RoundTrips } from './round_trips.js';
import { type RequestSample, RouteSamples } from './route_samples.js';
import { type ThreadMetrics, type ThreadReport, threadReports } from './threads.js';
import { type WayRate, WayRates } from './way_rates.js';

/** Routes of a report: the busiest ones. */
const ROUTES_MAX = 20;
/** Alarms of a report: the last ones. */
const ALARMS_MAX = 10;
/** Connections whose round trips a report looks at, of each server. The next report looks on. */
const ROUND_TRIPS_MAX = 64;
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
  /** Operations a second by engine or route, asked for every 4.5 seconds at most. */
  ways: WayRate[];
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
  kernel: {
    majorFaults: number;
    minorFaults: number;
    switches: number;
    preemptions: number;
    /** Of this thread: moves to another processor. undefined: the kernel does not tell. */
    migrations: number | undefined;
    /** Waits for a mutex that threads of the process share. */
    lockWaits: number;
  };
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

interface Base {
  at: number;
  requests: RequestSample;
  sums: TurnSums;
  busy: Histogram;
  delay: Histogram;
  leases: number;
  usage: NodeJS.ResourceUsage;
  migrations: number | undefined;
  lockWaits: number;
  cpu: NodeJS.CpuUsage;
  classTurns: Map<string, number>;
  threads: readonly ThreadMetrics[];
}

const inMs = ({ count, ...values }: HistogramSummary): HistogramSummary => ({
  count,
  ...(Object.fromEntries(
    Object.entries(values).map(([name, ns]) => [name, ns / NS_PER_MS]),
  ) as Omit<HistogramSummary, 'count'>),
});

export class Sampler {
  readonly #observer: Observer;
  readonly #roundTrips = new RoundTrips(ROUND_TRIPS_MAX);
  readonly #routes = new RouteSamples();
  readonly #ways = new WayRates();
  #last: Base;

  constructor(observer: Observer) {
    this.#observer = observer;
    this.#last = this.#base();
  }

  #base(): Base {
    const { turns, scheduler } = this.#observer;
    const classTurns = new Map<string, number>();
    const classes = Object.entries(scheduler?.metrics().classes ?? {});
    for (const [name, { turns: count }] of classes) classTurns.set(name, count);
    return {
      at: performance.now(),
      requests: this.#routes.look(this.#observer.servers()),
      sums: turns.sums(),
      busy: turns.busy(),
      delay: turns.delays(),
      leases: 0,
      usage: process.resourceUsage(),
      migrations: ownMigrations(),
      lockWaits: lockWaits().reduce((sum, { count }) => sum + count, 0),
      cpu: process.cpuUsage(),
      classTurns,
      threads: this.#observer.threads.latest,
    };
  }

  /** What has happened since the last call. One call at a time. */
  async report(pieces: Pieces): Promise<Report> {
    const connections = await census(pieces);
    const before = this.#last;
    const now = this.#base();
    this.#last = now;
    // Answered until the next report.
    void this.#observer.threads.ask();
    const loop = Loop.current();
    const metrics = loop.metrics();
    const span = Math.max(1, now.at - before.at);
    const rate = (count: number) => (count / span) * 1000;
    this.#ways.look(now.at);
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
        rate: rate(now.requests.count - before.requests.count),
        total: now.requests.count,
        waiting,
        aborted: now.requests.aborted,
        classes: classRates(now.requests, before.requests, rate),
        latency: inMs(now.requests.newDurations.summary()),
      },
      routes: busiest(now.requests, rate),
      errors,
      connections,
      ways: this.#ways.rates,
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
      kernel: kernelOf(now, before, rate),
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

  #schedulerSince(before: Base, rate: Rate): Report['scheduler'] {
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

type Rate = (count: number) => number;

/** By the first digit of the status, of those that there have been. */
function classRates(now: RequestSample, before: RequestSample, rate: Rate): Record<string, number> {
  const rates: Record<string, number> = {};
  now.classes.forEach((count, kind) => {
    if (count > 0) rates[`${kind}xx`] = rate(count - before.classes[kind]);
  });
  return rates;
}

function busiest({ routes }: RequestSample, rate: Rate): RouteReport[] {
  const sorted = [...routes].sort((a, b) => b.newCount - a.newCount).slice(0, ROUTES_MAX);
  return sorted.map(({ server, route, newCount, newFailed, newDurations }) => ({
    server,
    route,
    rate: rate(newCount),
    failedRate: rate(newFailed),
    p50: (newDurations?.quantile(0.5) ?? 0) / NS_PER_MS,
    p99: (newDurations?.quantile(0.99) ?? 0) / NS_PER_MS,
  }));
}

function kernelOf(now: Base, before: Base, rate: Rate): Report['kernel'] {
  const of = (name: keyof NodeJS.ResourceUsage) => rate(now.usage[name] - before.usage[name]);
  const { migrations } = now;
  return {
    majorFaults: of('majorPageFault'),
    minorFaults: of('minorPageFault'),
    switches: of('voluntaryContextSwitches'),
    preemptions: of('involuntaryContextSwitches'),
    migrations: migrations === undefined ? undefined : rate(migrations - (before.migrations ?? 0)),
    lockWaits: rate(now.lockWaits - before.lockWaits),
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
