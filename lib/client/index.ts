// ringpoll/client: HTTP/1.1 requests over connections that are kept.

export { Client, type RequestOptions, request } from './client.js';
export type { ClientRequestEvent } from './diagnostics.js';
export { ClientError, type TimeoutPhase } from './errors.js';
export { type FetchInit, fetch } from './fetch.js';
export type { ForwardProxyOptions } from './forward_proxy.js';
export type { PoolCounts } from './pool.js';
export type { RequestBody } from './request_body.js';
export type { HeaderValue, RequestHeaders } from './request_head.js';
export { ClientResponse } from './response.js';
export type { ClientOptions, RequestTimeouts, ResponseLimits } from './settings.js';
