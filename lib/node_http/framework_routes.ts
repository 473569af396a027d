// The pattern of the route that a framework has matched. Express leaves it on the request; Fastify
// tells it on a diagnostics channel, while somebody listens.
import diagnostics from 'node:diagnostics_channel';

const FASTIFY = 'tracing:fastify.request.handler:start';

/** By requests, of Fastify's. */
const told = new WeakMap<object, string>();
let users = 0;

function note(message: unknown): void {
  const { request, route } = message as { request?: { raw?: unknown }; route?: { url?: unknown } };
  const raw = request?.raw;
  if (typeof raw !== 'object' || raw === null || typeof route?.url !== 'string') return;
  told.set(raw, route.url);
}

/** Fastify tells of routes until as many have left as have joined. */
export function joinRoutes(): void {
  if (users++ === 0) diagnostics.subscribe(FASTIFY, note);
}

export function leaveRoutes(): void {
  if (--users === 0) diagnostics.unsubscribe(FASTIFY, note);
}

/** '' where no framework has said. */
export function routeOf(request: { route?: { path?: unknown }; baseUrl?: unknown }): string {
  const path = request.route?.path;
  if (typeof path !== 'string') return told.get(request) ?? '';
  const base = typeof request.baseUrl === 'string' ? request.baseUrl : '';
  return base !== '' && path === '/' ? base : base + path;
}
