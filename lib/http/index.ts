// ringpoll/http: an HTTP/1.1 server.
export type { HttpOptions } from './options.js';
export { Request } from './request.js';
export { type Body, Response, type UpgradeHandlers } from './response.js';
export { type ServeOptions, serve } from './serve.js';
export { type ErrorListener, type Handler, type HttpRequestError, HttpServer } from './server.js';
export type { StaticResponse } from './static_routes.js';
