// ringpoll/http: a server of HTTP/1.1, and of HTTP/2 beside it.
export type { AccessLogMetrics, AccessLogOptions } from './access_log.js';
export type { LogFormat } from './access_log_lines.js';
export {
  type Deadline,
  type DeadlineHandler,
  type DeadlineOptions,
  deadlineOf,
  withDeadline,
} from './deadline.js';
export type { ServerErrorEvent, ServerRequestEvent } from './diagnostics.js';
export { HttpRequestError } from './errors.js';
export type { ErrorListener, Handler } from './handler.js';
export type { HookedConnection, ServerHooks } from './hooks.js';
export type { Http2Options } from './http2/options.js';
export type { HttpOptions } from './options.js';
export { type BodyOptions, HttpRequest } from './request.js';
export type { RequestCount, RequestMetrics } from './request_meter.js';
export { HttpResponse } from './response.js';
export type { Body } from './response_outlet.js';
export type { RouteObject, RouteValue, RouteValues } from './route_values.js';
export type { Route, Routes } from './router.js';
export type { SendFileOptions } from './send_file.js';
export { type FetchOptions, type HandlerOptions, type ServeOptions, serve } from './serve.js';
export { HttpServer, type HttpServerMetrics } from './server.js';
export type { StaticResponse } from './static_routes.js';
export type { BodyInit } from './web/body.js';
export type { FetchHandler } from './web/fetch_handler.js';
export { type HeadersInit, LightHeaders as Headers } from './web/headers.js';
export { LightResponse as Response, type ResponseInit } from './web/response.js';
export type { UpgradeDecision, WebSocketServerOptions } from './websocket_upgrade.js';
