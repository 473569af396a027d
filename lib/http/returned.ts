// What a handler of the fast face returns instead of writing it: it is sent.
import { isUint8Array } from 'node:util/types';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
import { isResponse, sendResponse } from './web/fetch_handler.js';

/**
 * Sends text, bytes or a Response, unless the response has begun. Anything else is what an arrow
 * function happens to return, and means nothing.
 */
export function sendReturned(
  value: unknown,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (response.headersSent) return undefined;
  if (typeof value === 'string') {
    if (response._type === '') response.header('Content-Type', 'text/plain; charset=utf-8');
    response.end(value);
  } else if (isUint8Array(value)) {
    response.end(value);
  } else if (isResponse(value)) {
    return sendResponse(value, request, response);
  }
  return undefined;
}
