// serve(): an HTTP/1.1 server.
import { invalidArgType } from '../errors.js';
import { runtime } from '../loop/runtime.js';
import type { ConnectionOptions } from '../tcp/handlers.js';
import { type ListenOptions, listenWith } from '../tcp/listener.js';
import { checkObject } from '../tcp/options.js';
import { checkHttpOptions, type HttpOptions } from './options.js';
import { type ErrorListener, type Handler, HttpServer } from './server.js';
import {
  checkStaticRoutes,
  type StaticResponse,
  staticHandler,
  toNative,
} from './static_routes.js';

type Where = Pick<
  ListenOptions,
  'host' | 'port' | 'path' | 'fd' | 'backlog' | 'reusePort' | 'ipv6Only' | 'maxConnections'
>;

type Socket = Pick<
  ConnectionOptions,
  'noDelay' | 'keepAlive' | 'highWaterMark' | 'engine' | 'signal'
>;

export interface ServeOptions extends HttpOptions, Where, Socket {
  /** Answers a request, now or later: until response.end() both stay valid. */
  handler: Handler;
  /** Fixed answers by path, given by native code without running JavaScript. */
  static?: Record<string, StaticResponse>;
  /**
   * Errors of handlers, which were answered by 500, and requests that were refused. Without it,
   * errors of handlers become process warnings.
   */
  error?: ErrorListener;
}

/**
 * Serves HTTP/1.1. It is listening when this returns.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE
 * @throws the system's error (EADDRINUSE, EACCES, ...), in Node's shape
 */
export function serve(options: ServeOptions): HttpServer {
  checkObject('options', options);
  const { handler, error } = options;
  if (typeof handler !== 'function') {
    throw invalidArgType('options.handler', 'a function', handler);
  }
  if (error !== undefined && typeof error !== 'function') {
    throw invalidArgType('options.error', 'a function', error);
  }
  const checked = checkHttpOptions(options);
  const statics = options.static === undefined ? [] : checkStaticRoutes(options.static);
  checked.profile.routes = toNative(statics, checked.serverLine);
  const answer = statics.length > 0 ? staticHandler(statics, handler) : handler;
  const server = new HttpServer(runtime(), answer, error, checked);
  const { host, port, path, fd, backlog, reusePort, ipv6Only, maxConnections } = options;
  const { noDelay, keepAlive, highWaterMark, engine, signal } = options;
  const where = { host, port, path, fd, backlog, reusePort, ipv6Only, maxConnections };
  const listener = listenWith(
    {
      ...where,
      ...{ noDelay, keepAlive, highWaterMark, engine, signal },
      allowHalfOpen: true,
      data() {},
    },
    { profile: checked.profile, protocol: server },
  );
  server._listensOn(listener);
  return server;
}
