// ringpoll/http: an HTTP/1.1 server.
export { HttpRequestError } from './errors.js';
export type { HttpOptions } from './options.js';
export { type BodyOptions, HttpRequest } from './request.js';
export { HttpResponse } from './response.js';
export type { Body } from './response_parts.js';
export { type ServeOptions, serve } from './serve.js';
export { type ErrorListener, type Handler, HttpServer } from './server.js';
export type { StaticResponse } from './static_routes.js';
