// Routes that native code answers by itself: no JavaScript runs for them.
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { NativeHttpProfile } from '../loop/native.js';

/** A fixed answer to GET and HEAD. */
export interface StaticResponse {
  /** Default: 200. */
  status?: number;
  headers?: Record<string, string>;
  /** Strings are sent as UTF-8. */
  body: string | Uint8Array;
}

export interface StaticRoute {
  path: string;
  response: Required<StaticResponse>;
}

const STATIC_BYTES_MAX = 48 * 1024;

export function checkStaticRoutes(routes: Record<string, StaticResponse>): StaticRoute[] {
  if (typeof routes !== 'object' || routes === null) {
    throw invalidArgType('options.static', 'an object', routes);
  }
  return Object.entries(routes).map(([path, response]) => {
    if (!path.startsWith('/') || path.includes('?')) {
      throw invalidArgValue('options.static', "keyed by paths that begin with '/'", path);
    }
    const { status = 200, headers = {}, body } = response;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw invalidArgType(`options.static['${path}'].body`, 'a string or a Uint8Array', body);
    }
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    if (Buffer.byteLength(body) > STATIC_BYTES_MAX) {
      throw invalidArgValue(`options.static['${path}'].body`, 'at most 48 KB', path);
    }
    return { path, response: { status, headers, body } };
  });
}

export function toNative(
  routes: readonly StaticRoute[],
  serverLine: string,
): NativeHttpProfile['routes'] {
  return routes.map(({ path, response: { status, headers, body } }) => {
    const bytes = Buffer.from(body as string);
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const before = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${serverLine}Date: `;
    const after = `\r\n${fields.join('')}Content-Length: ${bytes.length}\r\n\r\n`;
    return {
      path,
      beforeDate: Buffer.from(before, 'latin1'),
      afterDate: Buffer.concat([Buffer.from(after, 'latin1'), bytes]),
      bodyBytes: bytes.length,
    };
  });
}
