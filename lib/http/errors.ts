// What is wrong with a request, and the status that says so.
import { brand } from '../brand.js';
import { RingpollError, type RingpollErrorCode } from '../errors.js';
import { ERRORS } from './tables.js';

/**
 * A request that cannot be served, through a fault of the peer's. A handler that fails with one
 * answers with its status.
 */
export class HttpRequestError extends RingpollError {
  /** The status that is sent: 400 to 505. */
  readonly status: number;

  constructor(code: RingpollErrorCode, status: number, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'HttpRequestError';
    this.status = status;
  }
}

brand('http.RequestError', HttpRequestError);

/** The error that native code knows by this number. */
export function requestError(number: number): HttpRequestError {
  const { code, status, message } = ERRORS[number];
  return new HttpRequestError(code as RingpollErrorCode, status, message);
}

/** The peer went away. */
export function aborted(): RingpollError {
  return new RingpollError('ERR_RINGPOLL_HTTP_ABORTED', 'The peer went away');
}
