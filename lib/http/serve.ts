// serve(): an HTTP/1.1 server.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import type { ConnectionOptions } from '../tcp/handlers.js';
import type { ListenOptions } from '../tcp/listen_options.js';
import { listenWith } from '../tcp/listener.js';
import { LISTENING, PEERS } from '../tcp/options.js';
import { SOCKET, type SocketOptions } from '../tcp/socket_options.js';
import type { ErrorListener, Handler } from './handler.js';
import { checkHooks, type ServerHooks } from './hooks.js';
import { checkHttpOptions, HTTP, type HttpOptions } from './options.js';
import { facesOf, handlersOf, type RouteValues } from './route_values.js';
import { routed } from './routing.js';
import { HttpServer } from './server.js';
import {
  checkStaticRoutes,
  type StaticResponse,
  staticHandler,
  toNative,
} from './static_routes.js';
import { type FetchHandler, fetching } from './web/fetch_handler.js';
import { WebSocketEntrances } from './websocket_entrances.js';
import { WebSocketFace, type WebSocketServerOptions } from './websocket_upgrade.js';

type Where = Pick<
  ListenOptions,
  | 'host'
  | 'port'
  | 'path'
  | 'fd'
  | 'backlog'
  | 'reusePort'
  | 'ipv6Only'
  | 'maxConnections'
  | 'access'
>;

type Socket = Pick<
  ConnectionOptions,
  'noDelay' | 'keepAlive' | 'highWaterMark' | 'engine' | 'signal' | keyof SocketOptions
>;

type Tls = Pick<ListenOptions, 'tls' | 'tlsError' | 'acceptError'>;

interface CommonOptions extends HttpOptions, Where, Socket, Tls {
  /** Fixed answers by path, given by native code without running JavaScript. */
  static?: Record<string, StaticResponse>;
  /**
   * Errors of handlers, which were answered by 500, and requests that were refused. Without it,
   * errors of handlers become process warnings.
   */
  error?: ErrorListener;
  /** Functions that are called at the steps of each connection and each request. */
  hooks?: ServerHooks;
  /** WebSockets on the same port: their handlers and limits, and who may have one. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of data is that of its own handlers
  websocket?: WebSocketServerOptions<any>;
}

/** The fast face: a request that is read, and a response that is written. */
export interface HandlerOptions extends CommonOptions {
  /** Answers a request, now or later: until response.end() both stay valid. */
  handler?: Handler;
  /**
   * Handlers or Responses by path and method, and WebSockets; `handler` answers the rest, and
   * without it 404 does.
   */
  routes?: RouteValues<Handler>;
  fetch?: undefined;
}

/** The face of the Fetch standard: a Request in, a Response out. */
export interface FetchOptions extends CommonOptions {
  fetch: FetchHandler;
  /** Fetch handlers or Responses by path and method, and WebSockets; `fetch` answers the rest. */
  routes?: RouteValues<FetchHandler>;
  handler?: undefined;
}

export type ServeOptions = HandlerOptions | FetchOptions;

const OPTIONS = optionNames<ServeOptions>(
  'serve()',
  {
    ...HTTP,
    ...LISTENING,
    noDelay: true,
    keepAlive: true,
    highWaterMark: true,
    engine: true,
    signal: true,
    ...SOCKET,
    tls: true,
    tlsError: true,
    acceptError: true,
    static: true,
    error: true,
    hooks: true,
    websocket: true,
    handler: true,
    routes: true,
    fetch: true,
  },
  {
    ...PEERS,
    allowHTTP1: 'HTTP/1.1 is always spoken; http2 is an option beside it',
    requestListener: 'handler',
    request: 'handler',
    listener: 'handler',
    maxRequestBodySize: 'maxBodyBytes',
    bodyLimit: 'maxBodyBytes',
    maxHeaderSize: 'maxHeadBytes',
    maxHeadersCount: 'maxHeaders',
    maxRequestsPerSocket: 'maxRequestsPerConnection',
    idleTimeout: 'keepAliveTimeout',
    connectionTimeout: 'keepAliveTimeout',
    onListen: 'it is listening when serve() returns',
    development: 'errors of handlers go to the error option, never to the peer',
    insecureHTTPParser: 'lenient',
  },
);

/** The one handler that all the options make. */
function handlerOf(options: ServeOptions): Handler {
  const { handler, fetch, routes } = options;
  for (const [name, value] of Object.entries({ handler, fetch })) {
    if (value !== undefined && typeof value !== 'function') {
      throw invalidArgType(`options.${name}`, 'a function', value);
    }
  }
  if (handler !== undefined && fetch !== undefined) {
    throw invalidArgValue('options', 'given only one of handler and fetch', options);
  }
  if (fetch !== undefined) {
    if (routes === undefined) return fetching(fetch);
    return routed(handlersOf(routes as RouteValues<FetchHandler>, fetching), fetching(fetch));
  }
  if (routes !== undefined) {
    return routed(
      handlersOf(routes as RouteValues<Handler>, (one) => one),
      handler,
    );
  }
  if (handler === undefined) throw invalidArgType('options.handler', 'a function', handler);
  return handler;
}

/**
 * Serves HTTP/1.1, over TLS with `tls`, and HTTP/2 beside it with `http2`. It is listening when
 * this returns.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_..., by what is wrong with `tls`
 * @throws the system's error (EADDRINUSE, EACCES, ...), in Node's shape
 */
export function serve(options: ServeOptions): HttpServer {
  checkOptions(OPTIONS, options);
  const { error } = options;
  const handler = handlerOf(options);
  if (error !== undefined && typeof error !== 'function') {
    throw invalidArgType('options.error', 'a function', error);
  }
  const checked = checkHttpOptions(options, options.tls !== undefined);
  // Nobody could take them: fetch handlers have no response.upgrade().
  if (options.fetch !== undefined) checked.profile.holdUpgrades = false;
  const { websocket } = options;
  const entrances = new WebSocketEntrances(
    facesOf(options.routes as RouteValues<never> | undefined),
    websocket && new WebSocketFace(websocket as WebSocketServerOptions<never>),
  );
  const upgrades = entrances.any ? entrances : undefined;
  if (upgrades !== undefined) checked.profile.holdUpgrades = true;
  const statics = options.static === undefined ? [] : checkStaticRoutes(options.static);
  checked.profile.routes = toNative(statics, checked);
  const answer = statics.length > 0 ? staticHandler(statics, handler) : handler;
  const upgrading = upgrades?.before(answer, options.fetch !== undefined) ?? answer;
  const hooks = checkHooks(options.hooks, (thrown, request) => server._report(thrown, request));
  const hooked = hooks?.around(upgrading) ?? upgrading;
  checked.profile.tellsFirstByte = hooks?.wantsFirstByte ?? false;
  const server: HttpServer = new HttpServer(runtime(), hooked, error, checked, upgrades);
  server._hooks = hooks;
  const { host, port, path, fd, backlog, reusePort, ipv6Only, maxConnections } = options;
  const { access, noDelay, keepAlive, highWaterMark, engine, signal } = options;
  const { tls, tlsError, acceptError } = options;
  const where = { host, port, path, fd, backlog, reusePort, ipv6Only, maxConnections, access };
  const alpn = checked.http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'];
  const listener = listenWith(
    {
      ...where,
      ...{ noDelay, keepAlive, highWaterMark, engine, signal, tls, tlsError, acceptError },
      allowHalfOpen: true,
      open: hooks?.open,
      data() {},
    },
    { profile: checked.profile, protocol: server, alpn },
  );
  server._listensOn(listener);
  return server;
}
