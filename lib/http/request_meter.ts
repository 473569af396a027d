// Counts what a server answers, by route, method and status, and how long that takes. It exists
// only while somebody measures.
//
// A request that is answered in the turn in which it came costs two additions: all of these took as
// long as the turn, from the end of the wait until all was handed to the kernel. One that outlasts
// its turn is timed by itself, until its answer is handed over.
import { Histogram, type HistogramSummary } from '../histogram.js';
import { Control, Head } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { type TurnCounter, type TurnMeter, turnMeter } from '../runtime/turn_meter.js';
import type { AccessLog } from './access_log.js';
import { Exemplars } from './exemplars.js';
import type { Body, ResponseMeter } from './response_outlet.js';
import { ResponseFlag, type ResponseState } from './response_state.js';
import { METHODS } from './tables.js';

/** Combinations of route, method and status of a server; all further ones are counted as one. */
export const SERIES_MAX = 4096;
/** Kinds of errors that are told apart. */
export const ERROR_KINDS_MAX = 64;
const OTHER = '(other)';
const METHOD_BITS = 8;
const US_PER_NS = 1e-3;
const NS_PER_MS = 1e6;

/** How many requests had the same answer. */
export interface RequestCount {
  /** The pattern of the route; '' for requests that no route has matched. */
  route: string;
  /** 'OTHER' for one that the parser does not know. */
  method: string;
  status: number;
  count: number;
}

export interface RequestMetrics {
  /** Answered requests. Static routes, which native code answers, are not among them. */
  total: number;
  /** Requests that wait for their answers, and have outlasted the turn in which they came. */
  waiting: number;
  /** Requests whose peers went away before they were answered. */
  aborted: number;
  counts: RequestCount[];
  /** Of handlers, and requests that the parser refused: how many, by code, or by name. */
  errors: Record<string, number>;
  /** Microseconds from the bytes to the answer; see docs/observability.md. */
  microseconds: HistogramSummary;
  /** The same by route. */
  routes: Record<string, HistogramSummary>;
}

/** What is known of the requests of one route. */
export interface MeasuredRoute {
  readonly route: string;
  /** Nanoseconds. */
  readonly durations: Histogram;
  readonly counts: Iterable<Readonly<RequestCount>>;
  /** undefined: nothing is traced. */
  readonly exemplars: Exemplars | undefined;
}

/** Requests of one route. */
class RouteCounter implements MeasuredRoute {
  readonly durations = new Histogram();
  readonly series = new Map<number, Series>();
  exemplars: Exemplars | undefined = undefined;

  constructor(readonly route: string) {}

  get counts(): Iterable<Series> {
    return this.series.values();
  }
}

/** Of these, the ones with the same method and status. */
class Series implements TurnCounter, RequestCount {
  /** All of them. */
  count = 0;
  /** Those that were not answered in the turn in which they came, and those that are settled. */
  settled = 0;
  /** The turn in which it is waited for the end of the turn. */
  turn = -1;

  constructor(
    readonly of: RouteCounter,
    readonly route: string,
    readonly methodIndex: number,
    readonly status: number,
  ) {}

  get method(): string {
    return this.of.route === OTHER ? OTHER : METHODS[this.methodIndex] || 'OTHER';
  }

  settle(ns: number | undefined): void {
    if (ns !== undefined) this.of.durations.add(ns, this.count - this.settled);
    this.settled = this.count;
    this.turn = -1;
  }
}

/** `since` is undefined for a request that came in this turn. */
export type RequestWatcher = (
  route: string,
  method: string,
  status: number,
  since: number | undefined,
) => void;

export class RequestMeter implements ResponseMeter<ResponseState> {
  readonly #turns: TurnMeter = turnMeter();
  readonly #control = runtime().control;
  readonly #routes = new Map<string, RouteCounter>();
  readonly #errors = new Map<string, number>();
  /** The last one that was counted: most requests are like the one before. */
  #last: Series;
  #size = 1;
  #waiting = 0;
  #aborted = 0;
  readonly #rest: Series;
  #measures = true;
  /** Told of each answered request while it is traced: times are nanoseconds. */
  watcher: RequestWatcher | undefined = undefined;
  readonly log: AccessLog | undefined;

  /** Only for servers that want it: others do not even call it. */
  readonly heading: ((response: ResponseState) => void) | undefined;

  constructor(log?: AccessLog, tellsTime = false) {
    this.log = log;
    this.heading = tellsTime ? (response) => this.#tellTime(response) : undefined;
    const others = new RouteCounter(OTHER);
    this.#rest = new Series(others, OTHER, 0, 0);
    others.series.set(0, this.#rest);
    this.#last = this.#rest;
    this.#turns.join();
  }

  /** What it has counted stays readable. */
  stop(): void {
    if (this.#measures) this.#turns.leave();
    this.#measures = false;
  }

  /** Whether handlers are timed in this turn. */
  get timesHandlers(): boolean {
    return this.#turns.measuresLayers;
  }

  handlerTook(ms: number): void {
    this.#turns.handlerTook(ms);
  }

  begun(response: ResponseState): void {
    this.#waiting++;
    response._since = this.#turns.turnStart;
  }

  /** It did not come in a turn of ours. */
  begunNow(response: ResponseState): void {
    this.#waiting++;
    response._since = this.#turns.now();
  }

  answered(response: ResponseState, body?: Body, status: number = response._status): void {
    const { _request: request, _since: since } = response;
    const last = this.#last;
    // Most are answered at once, and as the one before was: then this is all.
    if (
      last.turn === this.#control[Control.turn] &&
      since === undefined &&
      last.status === status &&
      last.route === request._route &&
      last.methodIndex === request._words[request._at + Head.method] &&
      (response._flags & ResponseFlag.dropped) === 0
    ) {
      last.count++;
      return;
    }
    if (response._flags & ResponseFlag.dropped) return;
    const method = request._words[request._at + Head.method];
    const series = this.#seriesOf(request._route, method, status);
    series.count++;
    this.watcher?.(series.of.route, METHODS[method], status, since);
    if (this.log !== undefined) this.#log(this.log, response, body, status);
    response._since = undefined;
    this.#time(series, since);
  }

  /** A request has come, whose response is no ResponseState: gives what ends() needs. */
  begins(): number {
    this.#waiting++;
    return this.#turns.turnStart;
  }

  /** It was answered. `method` is native code's number. */
  ends(route: string, method: number, status: number, begun: number): void {
    const isNow = this.#turns.walking && this.#turns.turnStart === begun;
    const since = isNow ? undefined : begun;
    const series = this.#seriesOf(route, method, status);
    series.count++;
    this.watcher?.(series.of.route, METHODS[method], status, since);
    if (isNow) this.#waiting--;
    this.#time(series, since);
  }

  /** Its peer was gone before that. */
  breaksOff(): void {
    this.#waiting--;
    this.#aborted++;
  }

  /** `since` is undefined for what came in this turn. */
  #time(series: Series, since: number | undefined): void {
    if (since !== undefined) {
      series.settled++;
      this.#waiting--;
      series.of.durations.add(this.#turns.now() - since);
    } else if (!this.#turns.walking) {
      series.settled++;
    } else if (series.turn !== this.#control[Control.turn]) {
      this.#turns.count(series);
      // While it is told of each, none may be counted without.
      if (this.watcher === undefined && this.log === undefined)
        series.turn = this.#control[Control.turn];
    }
  }

  #log(log: AccessLog, response: ResponseState, body: Body | undefined, status: number): void {
    const since = response._since ?? this.#turns.turnStart;
    log.add(response, status, body, (this.#turns.now() - since) / NS_PER_MS);
  }

  /** For developer tools: https://www.w3.org/TR/server-timing/ */
  #tellTime(response: ResponseState): void {
    const since = response._since ?? this.#turns.turnStart;
    const ms = (this.#turns.now() - since) / NS_PER_MS;
    response._fields += `Server-Timing: total;dur=${ms.toFixed(3)}\r\n`;
  }

  dropped(response: ResponseState): void {
    this.#aborted++;
    if (response._since === undefined) return;
    this.#waiting--;
    response._since = undefined;
  }

  failed(error: Error): void {
    const { code = error.name } = error as { code?: unknown };
    const errors = this.#errors;
    const known = errors.has(String(code)) || errors.size < ERROR_KINDS_MAX;
    const kind = known ? String(code) : OTHER;
    errors.set(kind, (errors.get(kind) ?? 0) + 1);
  }

  #seriesOf(route: string, method: number, status: number): Series {
    const last = this.#last;
    const isLike = last.status === status && last.methodIndex === method && last.route === route;
    if (isLike) return last;
    const of = this.#routeOf(route);
    if (of === undefined) return this.#rest;
    const key = (status << METHOD_BITS) | method;
    let series = of.series.get(key);
    if (series === undefined) {
      if (this.#size >= SERIES_MAX) return this.#rest;
      this.#size++;
      series = new Series(of, route, method, status);
      of.series.set(key, series);
    }
    this.#last = series;
    return series;
  }

  /** A request of the route was traced. */
  traced(route: string, traceId: string, ms: number): void {
    const of = this.#routeOf(route);
    if (of === undefined) return;
    of.exemplars ??= new Exemplars();
    of.exemplars.add(traceId, ms);
  }

  /** undefined: there are too many already. */
  #routeOf(route: string): RouteCounter | undefined {
    let of = this.#routes.get(route);
    if (of === undefined && this.#size < SERIES_MAX) {
      of = new RouteCounter(route);
      this.#routes.set(route, of);
    }
    return of;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get aborted(): number {
    return this.#aborted;
  }

  /** By code, or by name. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }

  /** Durations in nanoseconds, by route. The same objects each time. */
  *routes(): Generator<MeasuredRoute> {
    this.#turns.catchUp();
    yield* this.#routes.values();
    if (this.#rest.count > 0) yield this.#rest.of;
  }

  metrics(): RequestMetrics {
    const all = new Histogram();
    const routes: Record<string, HistogramSummary> = {};
    const counts: RequestCount[] = [];
    for (const { route, durations, counts: some } of this.routes()) {
      all.merge(durations);
      routes[route] = microseconds(durations);
      for (const { method, status, count } of some) counts.push({ route, method, status, count });
    }
    return {
      total: counts.reduce((sum, { count }) => sum + count, 0),
      waiting: this.#waiting,
      aborted: this.#aborted,
      counts,
      errors: Object.fromEntries(this.#errors),
      microseconds: microseconds(all),
      routes,
    };
  }
}

function microseconds(durations: Histogram): HistogramSummary {
  const { count, ...values } = durations.summary();
  const scaled = Object.entries(values).map(([name, ns]) => [name, ns * US_PER_NS]);
  return { count, ...(Object.fromEntries(scaled) as Omit<HistogramSummary, 'count'>) };
}
