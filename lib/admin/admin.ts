// admin(): an endpoint beside the servers of a thread, on the same loop.
import { type HttpRequest, type HttpResponse, type HttpServer, serve } from '../http/index.js';
import { type Connection, formatExplanation, Loop } from '../index.js';
import { listConnections } from './connections.js';
import { Metrics } from './families.js';
import { Guard, type Refusal } from './guard.js';
import { layers } from './layers.js';
import { Live } from './live.js';
import { Observer } from './observer.js';
import { type AdminOptions, checkAdminOptions } from './options.js';
import { page } from './page.js';
import { cpuProfile, sendHeap } from './profile.js';
import { RoundTrips } from './round_trips.js';
import { LIMIT_MS, LIMIT_MS_MAX, SECONDS_MAX, slowTurns } from './slow_turns.js';
import { trace } from './trace.js';

type Answer = (request: HttpRequest, response: HttpResponse) => unknown;

const PROFILE_SECONDS = 30;
const TRACE_SECONDS = 10;
const LIST_MAX = 1000;
const LIST_DEFAULT = 100;
/** Connections of the endpoint itself. */
const CONNECTIONS_MAX = 64;
const HEAD_BYTES_MAX = 8 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const OPEN_METRICS = 'application/openmetrics-text';
const DOWNLOADS = 'attachment; filename=';

/** An error that becomes an answer. */
class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

/** What admin() has made. */
export class Admin {
  readonly #server: HttpServer;
  readonly #guard: Guard;
  readonly #observer: Observer;
  readonly #live: Live;
  readonly #metrics: Metrics;
  readonly #roundTrips = new RoundTrips();
  readonly #token: string | undefined;
  readonly #ready: (() => boolean) | undefined;
  /** Recordings that are under way: at most one of each kind. */
  readonly #busy = new Set<string>();
  readonly #ending = new AbortController();
  #keepsAlive = true;

  /** @internal */
  constructor(options: AdminOptions) {
    const checked = checkAdminOptions(options);
    this.#guard = new Guard(checked);
    this.#token = checked.token;
    this.#ready = checked.ready;
    this.#server = serve({
      host: checked.host,
      port: checked.port,
      maxConnections: CONNECTIONS_MAX,
      maxHeadBytes: HEAD_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxBodyBytes: 0,
      serverHeader: false,
      handler: (request, response) => this.#handle(request, response),
      hooks: {
        onAccept: (connection) => {
          if (!this.#keepsAlive) (connection as Connection).unref();
        },
      },
    });
    this.#guard.listensOn(this.#server.port ?? 0);
    this.#observer = new Observer(checked, this.#server);
    this.#metrics = new Metrics(this.#observer);
    this.#live = new Live(this.#observer, checked.interval);
  }

  get address(): HttpServer['address'] {
    return this.#server.address;
  }

  get port(): number {
    return this.#server.port as number;
  }

  /** What clients have to show; undefined: nothing. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Of the live page, with the token in it: a browser that opens it may come back without. */
  get url(): string {
    const { address } = this;
    const host = 'address' in address ? address.address : 'localhost';
    const name = host.includes(':') ? `[${host}]` : host;
    const query = this.#token === undefined ? '' : `?token=${encodeURIComponent(this.#token)}`;
    return `http://${name}:${this.port}/${query}`;
  }

  /** Watchers of the live page and of `ringpoll top`. */
  get watchers(): number {
    return this.#live.watchers;
  }

  /** Lets the process end although it listens, and although somebody comes to watch from now on. */
  unref(): this {
    this.#keepsAlive = false;
    this.#server._unref();
    return this;
  }

  /** Stops at once: streams end, recordings are cut short, and nothing is measured any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#live.stop();
    this.#observer.stop();
    await this.#server.stop({ timeout: 1000 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #handle(request: HttpRequest, response: HttpResponse): Promise<void> {
    response.header('X-Content-Type-Options', 'nosniff').header('Referrer-Policy', 'no-referrer');
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refuse(response, error.refusal);
    }
  }

  async #answer(request: HttpRequest, response: HttpResponse): Promise<void> {
    const { path } = request;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.header('Allow', 'GET, HEAD');
      throw new Refused({ status: 405, message: 'Only GET and HEAD are answered' });
    }
    const open = this.#open[path];
    const refusal = open === undefined ? undefined : this.#guard.checkOrigin(request);
    if (refusal !== undefined) throw new Refused(refusal);
    if (open !== undefined) return void (await open(request, response));
    const origin = this.#guard.checkOrigin(request);
    if (origin === undefined && path === '/' && this.#guard.welcomes(request, response)) return;
    const denied = this.#guard.check(request);
    if (denied !== undefined) throw new Refused(denied);
    const answer = this.#closed[path];
    if (answer === undefined) throw new Refused({ status: 404, message: 'Not Found' });
    await answer(request, response);
  }

  /** For probes: these need no token, and say nothing but that. */
  readonly #open: Record<string, Answer> = Object.assign(Object.create(null), {
    '/health': (_: HttpRequest, response: HttpResponse) => text(response, 'ok\n'),
    '/ready': (_: HttpRequest, response: HttpResponse) => {
      if (this.#isReady()) text(response, 'ready\n');
      else text(response.status(503), 'not ready\n');
    },
  });

  readonly #closed: Record<string, Answer> = Object.assign(Object.create(null), {
    '/': (_: HttpRequest, response: HttpResponse) => {
      const { html, policy } = page();
      response.header('Content-Type', 'text/html; charset=utf-8');
      response.header('Content-Security-Policy', policy).header('Cache-Control', 'no-store');
      response.end(html);
    },
    '/metrics': async (request: HttpRequest, response: HttpResponse) => {
      const isOpen = request.header('accept')?.includes(OPEN_METRICS) ?? false;
      const text = await this.#metrics.scrape(isOpen);
      const form = isOpen ? `${OPEN_METRICS}; version=1.0.0` : 'text/plain; version=0.0.4';
      response.header('Content-Type', `${form}; charset=utf-8`).header('Vary', 'Accept');
      response.end(text);
    },
    '/debug/live': (request: HttpRequest, response: HttpResponse) => {
      if (this.#live.isFull) {
        throw new Refused({ status: 503, message: 'Too many watch already' });
      }
      return this.#live.serve(request, response);
    },
    '/debug/profile': (request: HttpRequest, response: HttpResponse) =>
      this.#alone('profile', async () => {
        const seconds = secondsOf(request, PROFILE_SECONDS);
        const profile = await cpuProfile(seconds, this.#signalOf(request));
        response.header('Content-Disposition', `${DOWNLOADS}"ringpoll.cpuprofile"`);
        response.header('Content-Type', 'application/json').end(profile);
      }),
    '/debug/trace': (request: HttpRequest, response: HttpResponse) =>
      this.#alone('trace', async () => {
        const seconds = secondsOf(request, TRACE_SECONDS);
        const recorded = await trace(this.#observer, seconds, this.#signalOf(request));
        response.header('Content-Disposition', `${DOWNLOADS}"ringpoll-trace.json"`);
        response.header('Content-Type', 'application/json').end(recorded);
      }),
    // There is one ring of turns, so not beside a trace.
    '/debug/correlate': (request: HttpRequest, response: HttpResponse) =>
      this.#alone('trace', async () => {
        const seconds = secondsOf(request, TRACE_SECONDS);
        const limit = numberOf(request, 'limit', 1, LIMIT_MS_MAX, LIMIT_MS);
        const { turns, pauses } = this.#observer;
        const signal = this.#signalOf(request);
        json(response, await slowTurns(turns, pauses, { seconds, limit, signal }));
      }),
    '/debug/heap': (_: HttpRequest, response: HttpResponse) => {
      if (!this.#guard.hasToken) {
        const message = 'A heap holds secrets: it is given only where a token is asked for';
        throw new Refused({ status: 403, message });
      }
      return this.#alone('heap', () => {
        response.header('Content-Disposition', `${DOWNLOADS}"ringpoll.heapsnapshot"`);
        response.header('Content-Type', 'application/json');
        return sendHeap(response);
      });
    },
    '/debug/tasks': (_: HttpRequest, response: HttpResponse) => {
      const { scheduler } = this.#observer;
      json(response, {
        tasks: (scheduler?.tasks() ?? []).map(({ key, ...task }) => ({ ...task, key: `${key}` })),
        stalls: scheduler?.stalls() ?? [],
        deadlocks: scheduler?.deadlocks() ?? [],
      });
    },
    '/debug/connections': (request: HttpRequest, response: HttpResponse) => {
      const from = numberOf(request, 'from', 0, 2 ** 32 - 1, 0);
      const most = numberOf(request, 'limit', 1, LIST_MAX, LIST_DEFAULT);
      const connections = listConnections(from, most);
      const last = connections.at(-1);
      const next = connections.length < most ? undefined : last && last.slot + 1;
      json(response, { connections, next });
    },
    '/debug/layers': (_: HttpRequest, response: HttpResponse) => json(response, layers()),
    '/debug/alarms': (_: HttpRequest, response: HttpResponse) => {
      const { alarms } = this.#observer;
      json(response, { counts: alarms?.counts ?? {}, last: alarms?.last ?? [] });
    },
    '/debug/rtt': (_: HttpRequest, response: HttpResponse) => {
      const servers = this.#observer.servers();
      json(response, { servers: servers.map((server) => this.#roundTrips.look(server)) });
    },
    '/debug/explain': (request: HttpRequest, response: HttpResponse) => {
      const explanation = Loop.current().explain();
      const wanted = new URLSearchParams(request.query).get('format');
      if (wanted === 'json') json(response, explanation);
      else text(response, `${formatExplanation(explanation)}\n`);
    },
  });

  #isReady(): boolean {
    if (this.#ready !== undefined) return this.#ready();
    return this.#observer.servers().every(({ _stopping: stopping }) => !stopping);
  }

  async #alone(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(what)) {
      throw new Refused({ status: 409, message: `A ${what} is under way already` });
    }
    this.#busy.add(what);
    try {
      await work();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_RINGPOLL_RECORDER_RUNNING') throw error;
      throw new Refused({ status: 409, message: (error as Error).message });
    } finally {
      this.#busy.delete(what);
    }
  }

  /** Aborts when the client goes, or all of this stops. */
  #signalOf(request: HttpRequest): AbortSignal {
    return AbortSignal.any([request.signal, this.#ending.signal]);
  }
}

function text(response: HttpResponse, body: string): void {
  response.header('Content-Type', 'text/plain; charset=utf-8');
  response.header('Cache-Control', 'no-store').end(body);
}

function json(response: HttpResponse, value: unknown): void {
  const finite = (_: string, each: unknown) => (each === Number.POSITIVE_INFINITY ? null : each);
  response.header('Content-Type', 'application/json').header('Cache-Control', 'no-store');
  response.end(JSON.stringify(value, finite));
}

function refuse(response: HttpResponse, { status, message }: Refusal): void {
  if (response.ended || response.headersSent) return;
  response.status(status);
  if (status === 401) response.header('WWW-Authenticate', 'Bearer realm="ringpoll"');
  text(response, `${message}\n`);
}

function numberOf(
  request: HttpRequest,
  name: string,
  min: number,
  max: number,
  otherwise: number,
): number {
  const given = new URLSearchParams(request.query).get(name);
  if (given === null) return otherwise;
  const value = Number(given);
  if (given !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Refused({ status: 400, message: `${name} takes an integer from ${min} to ${max}` });
}

const secondsOf = (request: HttpRequest, otherwise: number) =>
  numberOf(request, 'seconds', 1, SECONDS_MAX, otherwise);

/**
 * Serves what this thread's servers do: a live page, metrics for Prometheus, profiles, traces and
 * lists; docs/observability.md has them all. It listens when this returns, on 127.0.0.1:6060, and
 * asks for a token: open `url`. Requests of all HTTP servers of the thread are measured from then
 * on. It keeps the process alive, as every server does, until stop().
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws the system's error (EADDRINUSE, EACCES, ...), in Node's shape
 */
export function admin(options: AdminOptions = {}): Admin {
  return new Admin(options);
}
