// A handler that asks a router which handler answers.
import { HttpRequestError } from './errors.js';
import type { Handler } from './handler.js';
import { type Found, parameters, Router, type Routes } from './router.js';

/** `otherwise` answers paths that no route has; without it they get 404. */
export function routed(routes: Routes<Handler>, otherwise: Handler | undefined): Handler {
  const router = new Router(routes);
  return (request, response) => {
    const found = router.find(request.method, request.path);
    if (found === undefined) {
      if (otherwise !== undefined) return otherwise(request, response);
      response.status(404).header('Content-Type', 'text/plain').end('Not Found\n');
      return undefined;
    }
    request._route = found.path;
    if (found.handler === undefined) {
      response.status(405).header('Allow', found.allow).header('Content-Type', 'text/plain');
      response.end('Method Not Allowed\n');
      return undefined;
    }
    if (found.names.length > 0) request.params = decoded(found);
    return found.handler(request, response);
  };
}

/** @throws HttpRequestError with status 400 */
export function decoded(found: Found<unknown>): Record<string, string> {
  try {
    return parameters(found);
  } catch (cause) {
    const message = 'The path is not percent-encoded UTF-8';
    throw new HttpRequestError('ERR_RINGPOLL_HTTP_PATH_INVALID', 400, message, { cause });
  }
}
