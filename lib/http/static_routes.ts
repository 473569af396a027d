// Routes that native code answers by itself: no JavaScript runs for them.
import { isUint8Array } from 'node:util/types';
import { http } from '../builtins.js';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { NativeHttpProfile } from '../runtime/native.js';
import { checkObject } from '../tcp/options.js';
import type { Handler } from './handler.js';
import { normalKey } from './paths.js';
import { type HeadLines, headText } from './templates.js';

/** A fixed answer to GET and HEAD. */
export interface StaticResponse {
  /** 200 to 599. Default: 200. */
  status?: number;
  headers?: Record<string, string>;
  /** At most 48 KB. Strings are sent as UTF-8. */
  body: string | Uint8Array;
}

const MEMBERS = optionNames<StaticResponse>('a static route', {
  status: true,
  headers: true,
  body: true,
});

export interface StaticRoute {
  path: string;
  response: Required<StaticResponse>;
}

const STATIC_BYTES_MAX = 48 * 1024;
const OURS = ['connection', 'content-length', 'transfer-encoding', 'date'];

export function checkStaticRoutes(routes: Record<string, StaticResponse>): StaticRoute[] {
  if (typeof routes !== 'object' || routes === null) {
    throw invalidArgType('options.static', 'an object', routes);
  }
  return Object.entries(routes).map(([path, response]) => {
    if (!path.startsWith('/') || path.includes('?') || path.includes('#')) {
      throw invalidArgValue('options.static', "keyed by paths that begin with '/'", path);
    }
    checkOptions(MEMBERS, response, `options.static['${path}']`);
    const { status = 200, headers = {}, body } = response;
    checkObject(`options.static['${path}'].headers`, headers);
    if (typeof body !== 'string' && !isUint8Array(body)) {
      throw invalidArgType(`options.static['${path}'].body`, 'a string or a Uint8Array', body);
    }
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw outOfRange(`options.static['${path}'].status`, 'an integer from 200 to 599', status);
    }
    for (const [name, value] of Object.entries(headers)) {
      http().validateHeaderName(name);
      http().validateHeaderValue(name, value);
      if (OURS.includes(name.toLowerCase())) {
        throw invalidArgValue(`options.static['${path}'].headers`, `without ${name}`, name);
      }
    }
    if (Buffer.byteLength(body) > STATIC_BYTES_MAX) {
      throw invalidArgValue(`options.static['${path}'].body`, 'at most 48 KB', path);
    }
    const bytes = typeof body === 'string' ? body : Uint8Array.from(body);
    return { path: normalKey(path), response: { status, headers: { ...headers }, body: bytes } };
  });
}

export function toNative(
  routes: readonly StaticRoute[],
  lines: HeadLines,
): NativeHttpProfile['routes'] {
  return routes.map(({ path, response: { status, headers, body } }) => {
    const bytes = Buffer.from(body as string);
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const start = headText(status, lines, '', 0);
    const rest = `${fields.join('')}Content-Length: ${bytes.length}\r\n\r\n`;
    return {
      path,
      head: Buffer.concat([start.bytes, Buffer.from(rest, 'latin1')]),
      dateOffset: start.dateOffset,
      body: bytes,
    };
  });
}

/**
 * Native code leaves some requests to JavaScript: those behind an unanswered one, the last of a
 * connection, and HTTP/1.0.
 */
export function staticHandler(routes: readonly StaticRoute[], otherwise: Handler): Handler {
  const byPath = new Map(routes.map((route) => [route.path, route.response]));
  return (request, response) => {
    const found = byPath.get(request.path);
    const { method } = request;
    if (found === undefined || (method !== 'GET' && method !== 'HEAD')) {
      return otherwise(request, response);
    }
    request._route = request.path;
    response.status(found.status);
    for (const [name, value] of Object.entries(found.headers)) response.appendHeader(name, value);
    response.end(found.body);
    return undefined;
  };
}
