// What stands in `routes`: handlers, and Responses that are sent again and again.
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { Handler } from './handler.js';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
import type { Routes } from './router.js';
import { type AnyResponse, fieldsOf, isResponse } from './web/fetch_handler.js';
import type { LightResponse } from './web/response.js';
import { WebSocketFace, type WebSocketServerOptions } from './websocket_upgrade.js';

/** A handler, or a Response whose body is read once, when the server is made. */
export type RouteValue<Handler> = Handler | Response | LightResponse;

/** Values by method, and WebSockets beside them. */
export interface RouteObject<Handler> {
  [method: Uppercase<string>]: RouteValue<Handler>;
  /** Handshakes on this path: handlers and limits of its own. Other GET requests get 426. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of data is that of its own handlers
  websocket?: WebSocketServerOptions<any>;
}

/** A value for every method (a Response: for GET and HEAD), or one for each. */
export type RouteValues<Handler> = Record<string, RouteValue<Handler> | RouteObject<Handler>>;

/** The WebSockets of the routes, by path. */
export function facesOf(routes: RouteValues<never> | undefined): Record<string, WebSocketFace> {
  const faces: Record<string, WebSocketFace> = {};
  for (const [path, route] of Object.entries(routes ?? {})) {
    if (typeof route !== 'object' || route === null || isResponse(route)) continue;
    const { websocket } = route as RouteObject<never>;
    if (websocket === undefined) continue;
    const options = websocket as WebSocketServerOptions<never>;
    faces[path] = new WebSocketFace(options, `options.routes['${path}'].websocket`);
  }
  return faces;
}

/** RFC 9110, section 15.5.22: what it wants is said by Upgrade. */
const upgradeRequired: Handler = (_, response) => {
  response.status(426).header('Upgrade', 'websocket').header('Content-Type', 'text/plain');
  response.end('WebSocket only\n');
};

/** The same routes with nothing but handlers of the fast face in them. */
export function handlersOf<From>(
  routes: RouteValues<From>,
  toHandler: (handler: From) => Handler,
): Routes<Handler> {
  if (typeof routes !== 'object' || routes === null) {
    throw invalidArgType('options.routes', 'an object', routes);
  }
  const made: Routes<Handler> = {};
  for (const [path, route] of Object.entries(routes)) {
    const name = `options.routes['${path}']`;
    const one = (value: unknown, of: string): Handler => {
      if (isResponse(value)) return fixed(of, value);
      if (typeof value === 'function') return toHandler(value as From);
      throw invalidArgType(of, 'a function or a Response', value);
    };
    if (isResponse(route)) {
      made[path] = { GET: one(route, name) };
    } else if (typeof route === 'object' && route !== null) {
      const { websocket, ...byMethod } = route as Record<string, unknown>;
      const entries = Object.entries(byMethod).map(([method, value]): [string, Handler] => [
        method,
        one(value, `${name}.${method}`),
      ]);
      const plain: Record<string, Handler> =
        websocket === undefined ? {} : { GET: upgradeRequired };
      made[path] = { ...plain, ...Object.fromEntries(entries) };
    } else {
      made[path] = one(route, name);
    }
  }
  return made;
}

// They are about one message, and each of ours has its own.
const NOT_KEPT = ['content-length', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer'];

/** Answers with the same Response every time. */
function fixed(
  name: string,
  from: AnyResponse & { arrayBuffer?: Response['arrayBuffer'] },
): Handler {
  const { status, bodyUsed } = from;
  if (bodyUsed === true || !(status >= 200 && status < 600) || from.arrayBuffer === undefined) {
    const expected = 'a Response with a status from 200 to 599 whose body nobody has read';
    throw invalidArgValue(name, expected, from);
  }
  const fields = fieldsOf(from).filter(([field]) => !NOT_KEPT.includes(field.toLowerCase()));
  let body: Buffer | undefined;
  const send = (response: HttpResponse): void => {
    response.status(status);
    for (const [field, value] of fields) response.appendHeader(field, value);
    response.end(body);
  };
  const reading = from.arrayBuffer().then((bytes) => {
    body = Buffer.from(bytes);
  });
  reading.catch(() => {}); // each request that it answers is told
  return (_: HttpRequest, response: HttpResponse) => {
    if (body === undefined) return reading.then(() => send(response));
    return send(response);
  };
}
