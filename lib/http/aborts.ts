// Telling a handler that failed because its peer has left from one that failed by itself.
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';

const CAUSES_MAX = 8;
/** Of the peer's going, in the words of those through whose hands it went. */
const CODES = new Set([
  'ERR_RINGPOLL_HTTP_ABORTED',
  'ERR_RINGPOLL_CONNECTION_CLOSED',
  'ECONNRESET',
  'EPIPE',
  'ABORT_ERR',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
]);

function saysSo(error: Error, reason: unknown): boolean {
  if (error === reason || error.name === 'AbortError') return true;
  return 'code' in error && CODES.has(error.code as string);
}

/** The handler gave up because the peer did: an ordinary thing, and nobody's fault here. */
export function isAbort(error: Error, request: HttpRequest, response: HttpResponse): boolean {
  if ('code' in error && error.code === 'ERR_RINGPOLL_HTTP_ABORTED') return true;
  const signal = request._abort?.signal;
  if (signal?.aborted !== true && !response._outlet.peerIsGone) return false;
  let cause: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (saysSo(cause, signal?.reason)) return true;
    cause = cause.cause;
  }
  return false;
}
