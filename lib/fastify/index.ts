// ringpoll/fastify: the server of a Fastify app.
import type http from 'node:http';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { createServer } from '../node_http/index.js';

/** Of Fastify's options, those that its server heeds; Fastify has given them their defaults. */
export interface FastifyServerOptions {
  /** Options of http.createServer(). */
  http?: object | null;
  https?: unknown;
  http2?: unknown;
  /** Milliseconds; 0 is none. */
  connectionTimeout?: number;
  /** Milliseconds. */
  keepAliveTimeout?: number;
  /** Milliseconds; 0 is none. */
  requestTimeout?: number;
  /** 0 is no limit. */
  maxRequestsPerSocket?: number;
}

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/**
 * For Fastify's option of this name: `Fastify({ serverFactory })`. The server is that of
 * ringpoll/node-http, and has Fastify's timeouts.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE for https and
 *   http2, which it does not speak
 */
export function serverFactory(handler: Handler, options: FastifyServerOptions = {}): http.Server {
  if (typeof handler !== 'function') throw invalidArgType('handler', 'a function', handler);
  for (const name of ['https', 'http2'] as const) {
    if (!options[name]) continue;
    throw invalidArgValue(`options.${name}`, 'left out with this serverFactory', options[name]);
  }
  const server = createServer(options.http ?? {}, handler);
  const { connectionTimeout, keepAliveTimeout, requestTimeout, maxRequestsPerSocket } = options;
  if (keepAliveTimeout !== undefined) server.keepAliveTimeout = keepAliveTimeout;
  if (requestTimeout !== undefined) server.requestTimeout = requestTimeout;
  if (connectionTimeout) server.setTimeout(connectionTimeout);
  if (maxRequestsPerSocket) server.maxRequestsPerSocket = maxRequestsPerSocket;
  return server;
}
