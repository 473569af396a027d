// Why a request has no response, or only a part of one.
import { brand } from '../brand.js';
import { RingpollError, type RingpollErrorCode } from '../errors.js';
import { ERRORS } from '../http/tables.js';

/** What took too long. */
export type TimeoutPhase = 'head' | 'body' | 'write' | 'whole';

export interface ClientErrorDetails {
  /** What the server broke, by the code of the parser. */
  reason?: string | undefined;
  /** The option whose limit the response is over. */
  limit?: string | undefined;
  /** The timeout that has passed. */
  phase?: TimeoutPhase | undefined;
  /** What the proxy has answered. */
  status?: number | undefined;
  cause?: unknown;
}

/**
 * A request that has failed. `code` says why: see the table in docs/client.md.
 */
export class ClientError extends RingpollError {
  /** With ERR_RINGPOLL_RESPONSE_INVALID: what the server broke, by the code of the parser. */
  readonly reason: string | undefined;
  /** With ERR_RINGPOLL_RESPONSE_LIMIT: the option whose limit the response is over. */
  readonly limit: string | undefined;
  /** With ERR_RINGPOLL_RESPONSE_TIMEOUT: what took too long. */
  readonly phase: TimeoutPhase | undefined;
  /** With ERR_RINGPOLL_PROXY_REFUSED: what the proxy has answered to CONNECT. */
  readonly status: number | undefined;

  /** @internal */
  constructor(code: RingpollErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ClientError';
    this.reason = details.reason;
    this.limit = details.limit;
    this.phase = details.phase;
    this.status = details.status;
  }
}
brand('client.Error', ClientError);

/** native/core/http/parser/response_errors.h; the numbers below are those of lib/http's ERRORS. */
export const enum Fault {
  statusLine = 128,
  informationalTooMany = 129,
  unsolicited = 130,
  upgradeUnasked = 131,
  truncated = 132,
  noResponse = 133,
  stale = 134,
  headTimeout = 135,
  bodyTimeout = 136,
  writeTimeout = 137,
  noMemory = 138,
}

/** Limits that the parser of heads and bodies knows, and the options that set them. */
const LIMITS: Record<string, string> = {
  ERR_RINGPOLL_HTTP_HEAD_TOO_LARGE: 'maxHeadBytes',
  ERR_RINGPOLL_HTTP_HEADERS_TOO_MANY: 'maxHeaders',
  ERR_RINGPOLL_HTTP_BODY_TOO_LARGE: 'maxBodyBytes',
  ERR_RINGPOLL_HTTP_CHUNK_EXTENSIONS_TOO_LARGE: 'maxChunkExtensionBytes',
  ERR_RINGPOLL_HTTP_TRAILERS_TOO_LARGE: 'maxTrailerBytes',
  ERR_RINGPOLL_HTTP_TRAILERS_TOO_MANY: 'maxTrailers',
};

/** The error of a kResponseFault event. */
export function faultError(fault: number): ClientError {
  if (fault < Fault.statusLine) {
    const { code, message } = ERRORS[fault];
    return Object.hasOwn(LIMITS, code) ? overLimit(LIMITS[code]) : invalid(message, code);
  }
  switch (fault) {
    case Fault.statusLine:
      return invalid('The status line is malformed', 'ERR_RINGPOLL_HTTP_STATUS_LINE');
    case Fault.informationalTooMany:
      return overLimit('maxInformational');
    case Fault.unsolicited:
      return invalid('No request has asked for these bytes', 'ERR_RINGPOLL_HTTP_UNSOLICITED');
    case Fault.upgradeUnasked:
      return invalid('101, and no upgrade was asked for', 'ERR_RINGPOLL_HTTP_UPGRADE_UNASKED');
    case Fault.truncated:
      return truncated();
    case Fault.headTimeout:
      return timedOut('head');
    case Fault.bodyTimeout:
      return timedOut('body');
    case Fault.writeTimeout:
      return timedOut('write');
    default:
      return lost();
  }
}

function invalid(message: string, reason: string): ClientError {
  const text = `The server's response is no valid HTTP: ${message}`;
  return new ClientError('ERR_RINGPOLL_RESPONSE_INVALID', text, { reason });
}

export function overLimit(limit: string): ClientError {
  const message = `The response is over the limit ${limit}`;
  return new ClientError('ERR_RINGPOLL_RESPONSE_LIMIT', message, { limit });
}

export function truncated(cause?: unknown): ClientError {
  const message = 'The connection ended within the response';
  return new ClientError('ERR_RINGPOLL_RESPONSE_TRUNCATED', message, { cause });
}

export function lost(cause?: unknown): ClientError {
  const message = 'The connection ended before the response';
  return new ClientError('ERR_RINGPOLL_NO_RESPONSE', message, { cause });
}

export function timedOut(phase: TimeoutPhase): ClientError {
  const message = `The request took longer than its ${phase} timeout`;
  return new ClientError('ERR_RINGPOLL_RESPONSE_TIMEOUT', message, { phase });
}

export function proxyRefused(status: number): ClientError {
  const message = `The proxy opens no tunnel: it answers ${status} to CONNECT`;
  return new ClientError('ERR_RINGPOLL_PROXY_REFUSED', message, { status });
}

export function clientClosed(): ClientError {
  return new ClientError('ERR_RINGPOLL_CLIENT_CLOSED', 'The client was closed');
}

export function tooManyPending(limit: number): ClientError {
  const message = `${limit} requests wait for a connection already`;
  return new ClientError('ERR_RINGPOLL_CLIENT_BUSY', message, { limit: 'maxPending' });
}
