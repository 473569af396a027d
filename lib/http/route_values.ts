// What stands in `routes`: handlers, and Responses that are sent again and again.
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { Handler } from './handler.js';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
import type { Routes } from './router.js';
import { type AnyResponse, fieldsOf, isResponse } from './web/fetch_handler.js';
import type { LightResponse } from './web/response.js';

/** A handler, or a Response whose body is read once, when the server is made. */
export type RouteValue<Handler> = Handler | Response | LightResponse;

/** A value for every method (a Response: for GET and HEAD), or one for each. */
export type RouteValues<Handler> = Record<
  string,
  RouteValue<Handler> | { [method: string]: RouteValue<Handler> }
>;

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
      const entries = Object.entries(route as Record<string, unknown>);
      made[path] = Object.fromEntries(
        entries.map(([method, value]) => [method, one(value, `${name}.${method}`)]),
      );
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
