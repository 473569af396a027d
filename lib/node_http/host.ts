// The native side of an http.Server: its listener, its connections, and which event is for which.

import http from 'node:http';
import net from 'node:net';
import { Measuring, observe, observedServers } from '../http/observed.js';
import { RequestMeter } from '../http/request_meter.js';
import { afterHttpEvents } from '../http/sink.js';
import { later } from '../later.js';
import { Event } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { uncaught } from '../runtime/ticks.js';
import type { Connection } from '../tcp/connection.js';
import { HandlerContext } from '../tcp/handler_context.js';
import { type Listener, listenWith } from '../tcp/listener.js';
import { HEAD_BYTES_MAX } from './fallback.js';
import { joinRoutes, leaveRoutes } from './framework_routes.js';
import { idleTimeout, type NodeServer } from './node_server.js';
import { seams } from './outgoing.js';
import { settleQuiet } from './quiet.js';
import type { Seams } from './seams.js';
import { Session } from './session.js';

const LENIENT_HOST = 1 << 1;
const LENIENT_FRAGMENT = 1 << 7;
const LENIENT_EXPECTATION = 1 << 8;
const LENIENT_HOSTS = 1 << 9;
const LENIENT_EXTENSIONS = 1 << 10;
const LENIENT_CONNECT = 1 << 11;
/** Neither lets anything through that node:http would not. */
const LENIENT_ALWAYS = LENIENT_EXPECTATION | LENIENT_EXTENSIONS;
/** What node:http takes, unless `strict` is set. */
const LENIENT_LOOSE = LENIENT_HOST | LENIENT_HOSTS | LENIENT_FRAGMENT | LENIENT_CONNECT;
const HEADERS_MAX = 1000;
const LINGER_MS = 5000;
/** The request line without its target, and four bytes for each of 1,000 headers. */
const BETWEEN_BYTES = 4096;

/** By slot, all servers of this thread together. */
const sessions: (Session | undefined)[] = [];

afterHttpEvents(settleQuiet);

export class Host {
  readonly server: NodeServer;
  readonly unique: unknown;
  readonly runtime: Runtime = runtime();
  /** That of listen(), as with node:http. */
  readonly #context = new HandlerContext();
  readonly #open = new Set<Session>();
  #listener: Listener | undefined;
  #headBytesMax = 0;
  #keepAlive = -1;
  #headers = -1;
  #request = -1;
  /** undefined: nobody measures. */
  _meter: RequestMeter | undefined = undefined;
  readonly #measuring = new Measuring();

  constructor(server: NodeServer) {
    this.server = server;
    const { uniqueHeaders } = seams as Seams;
    this.unique = (server as unknown as Record<symbol, unknown>)[uniqueHeaders];
  }

  get headBytesMax(): number {
    return this.#headBytesMax;
  }

  get listens(): boolean {
    return this.#listener !== undefined;
  }

  /** While it listens. */
  get address(): Listener['address'] {
    return (this.#listener as Listener).address;
  }

  get connections(): number {
    return this.server._connections;
  }

  get _endpointId(): number {
    return (this.#listener as Listener)._endpointId;
  }

  get _stopping(): boolean {
    return !this.server.listening;
  }

  /** Measures until the function that it returns was called. */
  _measure(): () => void {
    if (this._meter === undefined) {
      this._meter = new RequestMeter();
      joinRoutes();
    }
    return this.#measuring.join(() => this.#stopMeasuring());
  }

  #stopMeasuring(): void {
    if (this._meter === undefined) return;
    this._meter.stop();
    this._meter = undefined;
    leaveRoutes();
  }

  /** @throws the system's error */
  listen(where: object, backlog: number, strict: boolean): void {
    const { server } = this;
    const most = server.maxHeaderSize || http.maxHeaderSize;
    this.#headBytesMax = most;
    const kept = server.keepAlive ? server.keepAliveInitialDelay || true : false;
    this.#listener = listenWith(
      {
        ...where,
        backlog: Math.min(Math.max(backlog, 1), 65_535),
        noDelay: server.noDelay !== false,
        keepAlive: kept,
        allowHalfOpen: true,
        data() {},
        open: (connection: Connection) => this.#opened(connection),
      } as never,
      {
        alpn: ['http/1.1'],
        protocol: this as never,
        profile: {
          // Node counts names and values alone: what stands between them comes on top.
          headBytesMax: Math.min(most + BETWEEN_BYTES, HEAD_BYTES_MAX),
          targetBytesMax: most - 1,
          headersMax: HEADERS_MAX,
          bodyBytesMax: Number.MAX_SAFE_INTEGER,
          trailerBytesMax: most,
          trailersMax: HEADERS_MAX,
          chunkExtensionBytesMax: 16 * 1024,
          lenient: LENIENT_ALWAYS | (strict ? 0 : LENIENT_LOOSE),
          unknownMethods: false,
          lengthRequired: false,
          ...{ keepAliveMs: 0, headersMs: 0, requestMs: 0, readMs: 0, writeMs: 0 },
          ...{ receiveRateMin: 0, sendRateMin: 0, rateWindowMs: 60_000 },
          lingerMs: LINGER_MS,
          lingerBytesMax: 16 * 1024 * 1024,
          requestsMax: 2 ** 32 - 1,
          holdUpgrades: true,
          tellsFirstByte: false,
          answersSilence: true,
          proxies: [],
          routes: [],
        },
      },
    );
    observe(this);
    this.followTimeouts();
    later(() => this.followTimeouts());
  }

  followTimeouts(): void {
    const { keepAliveTimeout, headersTimeout, requestTimeout } = this.server;
    if (
      keepAliveTimeout === this.#keepAlive &&
      headersTimeout === this.#headers &&
      requestTimeout === this.#request
    ) {
      return;
    }
    this.#keepAlive = keepAliveTimeout;
    this.#headers = headersTimeout;
    this.#request = requestTimeout;
    const listener = this.#listener;
    if (listener === undefined || listener._over) return;
    this.runtime.native.httpTimeouts(
      listener._endpointId,
      milliseconds(idleTimeout(this.server)),
      milliseconds(headersTimeout),
      milliseconds(requestTimeout),
    );
  }

  #opened(connection: Connection): void {
    const { server } = this;
    const { maxConnections } = server;
    if (maxConnections != null && server._connections >= maxConnections) {
      const { localAddress, localPort, remoteAddress, remotePort } = connection;
      const localFamily = familyOf(localAddress);
      const remoteFamily = familyOf(remoteAddress);
      const local = { localAddress, localPort, localFamily };
      const remote = { remoteAddress, remotePort, remoteFamily };
      server.emit('drop', { ...local, ...remote } as never);
      connection.destroy();
      return;
    }
    server._connections++;
    const session = new Session(this, connection);
    while (sessions.length <= connection._slot) sessions.push(undefined);
    sessions[connection._slot] = session;
    this.#open.add(session);
    this.followTimeouts();
    try {
      if (server.timeout > 0) session.socket.setTimeout(server.timeout);
      if (server.listenerCount('connection') > 1) server.emit('connection', session.socket);
    } catch (error) {
      uncaught(error);
    }
  }

  /** The connection speaks something else; it still counts. */
  forget(session: Session): void {
    this.#open.delete(session);
    if (sessions[session.slot] === session) sessions[session.slot] = undefined;
  }

  /** It is over. */
  gone(): void {
    this.server._connections--;
    this.server._emitCloseIfDrained();
  }

  readonly event = this.#context.bind((kind: number, at: number) => this.#event(kind, at)) as (
    kind: number,
    at: number,
  ) => void;

  #event(kind: number, at: number): void {
    const { events } = this.runtime;
    const session = sessions[events[at + 1]];
    if (session === undefined || session.generation !== events[at + 2]) return;
    switch (kind) {
      case Event.request:
        session.request(at);
        break;
      case Event.body:
        session.bodyPiece(at);
        break;
      case Event.trailers:
        session.trailers(at);
        break;
      case Event.bodyEnd:
        session.bodyEnd();
        break;
      case Event.httpError:
        session.failed(at);
        break;
    }
  }

  #sessionOf(connection: Connection): Session | undefined {
    const session = sessions[connection._slot];
    return session?.connection === connection ? session : undefined;
  }

  ended(connection: Connection, truncated: boolean): void {
    const session = this.#sessionOf(connection);
    if (session === undefined) connection.end();
    else session.peerEnded(truncated);
  }

  closed(connection: Connection, error: Error | undefined): void {
    const session = this.#sessionOf(connection);
    if (session === undefined) return;
    this.forget(session);
    session.closed(error);
    this.gone();
  }

  over(): void {
    this.#context.over();
    observedServers.delete(this);
    this.#stopMeasuring();
  }

  /** Whether it keeps the process alive. */
  reference(on: boolean): void {
    if (on) this.#listener?.ref();
    else this.#listener?.unref();
  }

  stopListening(): void {
    this.#listener?._drain({});
  }

  closeAll(): void {
    for (const { connection, madeSocket } of this.#open) {
      if (madeSocket === undefined) connection.destroy();
      else madeSocket.destroy();
    }
  }

  closeIdle(): void {
    for (const session of this.#open) {
      if (!session.idle) continue;
      if (session.madeSocket === undefined) session.connection.close();
      else session.madeSocket.destroy();
    }
  }
}

function familyOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return net.isIPv6(address) ? 'IPv6' : 'IPv4';
}

function milliseconds(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.ceil(value), 2 ** 31 - 1) : 0;
}
