// The HTTP server: from events of the loop to handlers, and from failures to answers.
import { asError } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import { Event } from '../runtime/protocol.js';
import { onRejection } from '../runtime/rejection.js';
import type { Runtime } from '../runtime/runtime.js';
import { ticks, uncaught } from '../runtime/ticks.js';
import type { AccessOptions } from '../tcp/access.js';
import type { Connection } from '../tcp/connection.js';
import { HandlerContext } from '../tcp/handler_context.js';
import type { ListenerMetrics, StopOptions } from '../tcp/listen_options.js';
import type { Listener } from '../tcp/listener.js';
import { connectionAt } from '../tcp/tables.js';
import type { SecureContext, SecureContextOptions } from '../tls/index.js';
import { publishAs } from '../websocket/backplane.js';
import type { Sendable, SendOptions } from '../websocket/socket.js';
import { subscriberCount } from '../websocket/topics.js';
import { isAbort } from './aborts.js';
import type { AccessLog, AccessLogMetrics } from './access_log.js';
import { isObserved, runObserved, tellError } from './diagnostics.js';
import { HttpRequestError, requestError } from './errors.js';
import type { ErrorListener, Handler } from './handler.js';
import type { Hooks } from './hooks.js';
import { Http2Sessions } from './http2/sessions.js';
import { Measuring, observe, observedServers } from './observed.js';
import type { CheckedHttpOptions } from './options.js';
import { type HttpRequest, keepLasting } from './request.js';
import { RequestMeter, type RequestMetrics } from './request_meter.js';
import type { HttpResponse } from './response.js';
import { sendReturned } from './returned.js';
import { remoteOf, Session, unanswered } from './session.js';
import { afterHttpEvents } from './sink.js';
import { Templates } from './templates.js';
import { httpOf } from './web/request.js';
import type { WebSocketEntrances } from './websocket_entrances.js';
import type { UpgradeDecision } from './websocket_upgrade.js';

/** By slot, all servers of this thread together. */
const sessions: (Session | undefined)[] = [];

// What has not been answered when the turn is over outlasts it as copies. Microtasks first: most
// asynchronous handlers are done after them.
function keepUnanswered(): void {
  if (unanswered.length > 0) {
    ticks();
    for (const response of unanswered) {
      if (!response.ended || !response._first) response._request._keep();
    }
    unanswered.length = 0;
  }
  keepLasting();
}

afterHttpEvents(keepUnanswered);

/** What a server has seen of connections, of TLS, and of requests. */
export interface HttpServerMetrics extends ListenerMetrics {
  /** undefined: nobody measures, neither the option `metrics` nor admin(). */
  requests: RequestMetrics | undefined;
  /** undefined without the option `accessLog`. */
  accessLog: AccessLogMetrics | undefined;
}

// A Protocol without saying so: members that are internal are not in the types of the package.
export class HttpServer {
  readonly #runtime: Runtime;
  readonly #context = new HandlerContext();
  readonly #handler: Handler;
  readonly #onError: ErrorListener | undefined;
  readonly #entrances: WebSocketEntrances | undefined;
  readonly #compress: boolean | undefined;
  readonly #http2: Http2Sessions | undefined;
  #listener: Listener | undefined;
  /** @internal */
  _endpointId = -1;
  /** @internal */
  readonly _templates: Templates;
  /** @internal */
  readonly _holdsUpgrades: boolean;
  /** @internal */
  readonly _allowHalfOpen: boolean;
  /** @internal Some connections begin with a PROXY header. */
  readonly _proxied: boolean;
  /** @internal */
  readonly _secure: boolean;
  /** @internal */
  _stopping = false;
  /** @internal undefined: nobody measures. */
  _meter: RequestMeter | undefined = undefined;
  /** @internal undefined: there are none. */
  _hooks: Hooks | undefined = undefined;
  readonly #measuring = new Measuring();
  readonly #accessLog: AccessLog | undefined;
  readonly #serverTiming: boolean;

  /** @internal */
  constructor(
    of: Runtime,
    handler: Handler,
    onError: ErrorListener | undefined,
    checked: CheckedHttpOptions,
    entrances?: WebSocketEntrances,
  ) {
    this.#runtime = of;
    this.#handler = this.#context.bind(handler);
    this.#onError = onError === undefined ? undefined : this.#context.bind(onError);
    this._templates = new Templates(of, checked);
    this._holdsUpgrades = checked.profile.holdUpgrades;
    this._allowHalfOpen = checked.allowHalfOpen;
    this._proxied = checked.profile.proxies.length > 0;
    this.#entrances = entrances;
    this.#compress = entrances?.compress;
    this._secure = checked.secure;
    this.#accessLog = checked.accessLog;
    this.#serverTiming = checked.serverTiming;
    const { metrics, accessLog, serverTiming } = checked;
    if (metrics || serverTiming || accessLog !== undefined) this._measure();
    this.#http2 = checked.http2 && new Http2Sessions(this, checked.http2, checked.serverLine);
  }

  /** @internal */
  _listensOn(listener: Listener): void {
    this.#listener = listener;
    this._endpointId = listener._endpointId;
    listener._stopInOrder = () => this.stop();
    this._templates.endpointId = listener._endpointId;
    this.#entrances?.start(listener._endpointId);
    observe(this);
  }

  get #on(): Listener {
    return this.#listener as Listener;
  }

  /** Where it listens, or listened. */
  get address(): Listener['address'] {
    return this.#on.address;
  }
  get port(): number | undefined {
    return this.#on.port;
  }
  /** The number of its descriptor that listens; undefined once it has stopped accepting. */
  get fd(): number | undefined {
    return this.#on.fd;
  }
  /** Open connections. */
  get connections(): number {
    return this.#on.connections;
  }

  /** @internal Lets the process end although it listens. */
  _unref(): void {
    this.#on.unref();
  }

  /**
   * Stops accepting, after those that wait to be accepted. Every request that has come is answered,
   * the last one of a connection with `Connection: close`. A connection closes when it has been
   * idle for 100 ms, or for 1,000 ms since its accept if it has not sent a request; connections
   * that were taken over are ended, WebSockets with close code 1001. Resolves when all are gone;
   * at the deadline the rest is reset.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   */
  stop(options: StopOptions = {}): Promise<void> {
    const stopped = this.#on._drain(options);
    this._stopping = true;
    if (!this.#on._over) this.#runtime.native.httpStop(this._endpointId);
    // A WebSocket ends by its own handshake.
    const away = this.#entrances?.goAway();
    const http2 = this.#http2?.goAway();
    this.#on._endOpen(
      (connection) =>
        connection._endpoint.protocol !== this && !away?.has(connection) && !http2?.has(connection),
    );
    const log = this.#accessLog;
    return log === undefined ? stopped : stopped.then(() => log.flushed());
  }

  /**
   * Within a fetch handler, or before its promise resolves: makes a WebSocket of the request. What
   * the handler returns then is not looked at. For servers without websocket.upgrade().
   * @returns false when the request is no handshake of WebSocket, or has been answered
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _UNKNOWN_OPTION
   */
  upgrade(request: Request, decision: Omit<UpgradeDecision, 'status' | 'body'> = {}): boolean {
    const http = httpOf(request);
    if (http === undefined) return false;
    return this.#entrances?.accept(http, decision) ?? false;
  }

  /**
   * Sends a message to all WebSockets that have subscribed to a topic: a string as text, all else
   * as binary. It is encoded, and compressed, once for all of them, and leaves with the turn.
   * @returns how many it was queued for, in this process
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
   */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    const relays = this.#entrances?.relays ?? [];
    return publishAs(this._endpointId, this.#compress, relays, topic, data, options);
  }

  /** How many WebSockets have subscribed to a topic; filters that match it are counted too. */
  subscriberCount(topic: string): number {
    return subscriberCount(this._endpointId, topic);
  }

  /** What it has seen; readable when the server is over, too. */
  metrics(): HttpServerMetrics {
    const requests = this._meter?.metrics();
    return { ...this.#on.metrics(), requests, accessLog: this.#accessLog?.metrics() };
  }

  /** What was counted by a server that is over stays readable. */
  #stopMeasuring(): void {
    this._meter?.stop();
    if (observedServers.has(this)) this._meter = undefined;
  }

  /** @internal Measures until the function that it returns was called. */
  _measure(): () => void {
    this._meter ??= new RequestMeter(this.#accessLog, this.#serverTiming);
    return this.#measuring.join(() => this.#stopMeasuring());
  }

  /**
   * New connections are served with this from now on; those that are open keep what they have.
   * @throws as secureContext(), and RingpollError ERR_RINGPOLL_TLS_NO_CERTIFICATE, and _UNAVAILABLE
   *   for a server without `tls`
   */
  setSecureContext(context: SecureContext | SecureContextOptions): void {
    this.#on.setSecureContext(context);
  }

  /**
   * From the next connection on, this says who may connect. Connections that are open stay, and so
   * do bans.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  setAccess(access: AccessOptions): void {
    this.#on.setAccess(access);
  }

  /**
   * Refuses connections of an address for `time` milliseconds. Those that are open stay.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE
   */
  ban(address: string, time: number): void {
    this.#on.ban(address, time);
  }

  /**
   * Takes a ban back, also one by rate.
   * @returns whether the address was banned
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE
   */
  unban(address: string): boolean {
    return this.#on.unban(address);
  }

  /**
   * stop() without a limit of time, under the name that node:http has for it.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE for a callback: await what it returns
   */
  close(callback?: undefined): Promise<void> {
    if (callback !== undefined) throw extraArgument('close', callback);
    return this.stop();
  }

  /** Stops accepting and closes every connection at once: answers under way are cut off. */
  destroy(): void {
    this._stopping = true;
    this.#on.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The session of a connection, made when its first event comes. */
  #meet(slot: number, generation: number, endpointId: number): Session | undefined {
    const connection = connectionAt(slot, generation, endpointId);
    if (connection === undefined || connection._endpoint.protocol !== this) return undefined;
    const session = new Session(this, this.#runtime, connection);
    while (sessions.length <= slot) sessions.push(undefined);
    sessions[slot] = session;
    return session;
  }

  /** @internal */
  event(kind: number, at: number): void {
    const { events } = this.#runtime;
    const slot = events[at + 1];
    let session = sessions[slot];
    if (session === undefined || session.generation !== events[at + 2]) {
      session = this.#meet(slot, events[at + 2], events[at + 7]);
      if (session === undefined) return;
    }
    switch (kind) {
      case Event.request:
        session.request(at);
        break;
      case Event.body:
        session.bodyPiece(at);
        break;
      case Event.bodyFilled:
        session.bodyFilled(at);
        break;
      case Event.trailers:
        session.trailers(at);
        break;
      case Event.bodyEnd:
        session.bodyEnd();
        break;
      case Event.headBegun:
        this._hooks?.begun(session.connection);
        break;
      case Event.httpError:
        session.failed(requestError(events[at + 3]));
        break;
    }
  }

  /** @internal */
  http2(connection: Connection): void {
    this.#http2?.take(connection, remoteOf(this.#runtime, connection, this._proxied));
  }

  /** @internal */
  ended(connection: Connection, truncated: boolean): void {
    const session = this.#sessionOf(connection);
    if (session === undefined) connection.end();
    else session.ended(truncated);
  }

  /** @internal */
  closed(connection: Connection): void {
    const session = this.#sessionOf(connection);
    if (session === undefined) return;
    sessions[connection._slot] = undefined;
    session.closed();
  }

  /** @internal */
  over(): void {
    this.#entrances?.over();
    this.#context.over();
    observedServers.delete(this);
    this._meter?.stop();
  }

  #sessionOf(connection: Connection): Session | undefined {
    const session = sessions[connection._slot];
    return session?.connection === connection ? session : undefined;
  }

  /** @internal The connection speaks something else from now on. */
  _forget(connection: Connection): void {
    sessions[connection._slot] = undefined;
  }

  /** @internal */
  _handle(request: HttpRequest, response: HttpResponse): void {
    if (isObserved()) {
      runObserved(this, request, response, () => this.#timed(request, response));
    } else {
      this.#timed(request, response);
    }
  }

  #timed(request: HttpRequest, response: HttpResponse): void {
    const meter = this._meter;
    if (meter?.timesHandlers !== true) {
      this.#run(request, response);
      return;
    }
    const from = performance.now();
    this.#run(request, response);
    meter.handlerTook(performance.now() - from);
  }

  #run(request: HttpRequest, response: HttpResponse): void {
    try {
      const result = this.#handler(request, response);
      if (result !== undefined) this.#returned(result, request, response);
    } catch (error) {
      this.#failed(error, request, response);
    }
  }

  /** What is not undefined: a promise, or an answer. */
  #returned(result: unknown, request: HttpRequest, response: HttpResponse): void {
    const failed = (error: unknown) => this.#failed(error, request, response);
    if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
      const send = (value: unknown) =>
        value === undefined ? undefined : sendReturned(value, request, response);
      Promise.resolve(result).then(send).then(undefined, failed);
    } else {
      sendReturned(result, request, response)?.then(undefined, failed);
    }
  }

  #failed(thrown: unknown, request: HttpRequest, response: HttpResponse): void {
    const error = asError(thrown);
    const faultOfPeer = error instanceof HttpRequestError;
    const ended = response.ended;
    if (faultOfPeer) {
      // What the parser found has been answered and reported already.
      if (ended) return;
      tellError(this, error, request);
      this.#answer(response, error.status, error.message, error.status === 413);
    } else if (isAbort(error, request, response)) {
      this.#answer(response, 400, 'Bad Request', true);
      return;
    } else {
      tellError(this, error, request);
      this.#answer(response, 500, 'Internal Server Error', false);
    }
    this.#report(error, request);
  }

  #answer(response: HttpResponse, status: number, message: string, close: boolean): void {
    if (response.ended || response._replace(status, message, close)) return;
    response._outlet.breakOff(response);
  }

  /** @internal */
  _report(error: Error, request?: HttpRequest): void {
    tellError(this, error, request);
    this.#report(error, request);
  }

  #report(error: Error, request: HttpRequest | undefined): void {
    this._meter?.failed(error);
    if (this.#onError === undefined) {
      // What strangers send is not worth a warning.
      if (!(error instanceof HttpRequestError)) process.emitWarning(error);
      return;
    }
    try {
      onRejection(this.#onError(error, request), uncaught);
    } catch (second) {
      uncaught(second);
    }
  }
}
