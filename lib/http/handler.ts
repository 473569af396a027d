// The functions that a server is given.
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';

/**
 * Answers a request, now or later. Text, bytes or a Response that it returns, or that its promise
 * gives, is sent when it has written nothing itself.
 */
export type Handler = (request: HttpRequest, response: HttpResponse) => unknown;

/**
 * What went wrong and was answered for: a handler's error, or a request that was refused, which is
 * an HttpRequestError.
 */
export type ErrorListener = (error: Error, request?: HttpRequest) => unknown;
