// What is wrong with a request, and the status that says so.
import { brand } from '../brand.js';
import { invalidArgType, outOfRange, RingpollError, type RingpollErrorCode } from '../errors.js';
import { ERRORS } from './tables.js';

const STATUS_MIN = 400;
const STATUS_MAX = 599;

/**
 * A request that cannot be served, through a fault of the peer's. A handler that fails with one
 * answers with its status: `throw new HttpRequestError(409, 'There is one already')`.
 */
export class HttpRequestError extends RingpollError {
  /** The status that is sent: 400 to 599. */
  readonly status: number;

  /**
   * With code ERR_RINGPOLL_HTTP_REQUEST. The answer's body is the message: keep secrets out of it.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
   */
  constructor(status: number, message: string, options?: ErrorOptions);
  /** With one of this package's own codes. @throws as above */
  constructor(code: RingpollErrorCode, status: number, message: string, options?: ErrorOptions);
  constructor(...given: [RingpollErrorCode | number, ...unknown[]]) {
    const args = typeof given[0] === 'string' ? given : ['ERR_RINGPOLL_HTTP_REQUEST', ...given];
    const [code, status, message, options] = args as [RingpollErrorCode, number, string, object?];
    if (typeof status !== 'number') throw invalidArgType('status', 'a number', status);
    if (!Number.isInteger(status) || status < STATUS_MIN || status > STATUS_MAX) {
      throw outOfRange('status', `an integer from ${STATUS_MIN} to ${STATUS_MAX}`, status);
    }
    if (typeof message !== 'string') throw invalidArgType('message', 'a string', message);
    super(code, message, options);
    this.name = 'HttpRequestError';
    this.status = status;
  }
}

brand('http.RequestError', HttpRequestError);

/** The error that native code knows by this number. */
export function requestError(number: number): HttpRequestError {
  const { code, status, message } = ERRORS[number];
  return new HttpRequestError(code, status, message);
}

/** The same, by its code. */
export function refusalOf(code: `ERR_RINGPOLL_HTTP_${string}`): HttpRequestError {
  return requestError(ERRORS.findIndex((error) => error.code === code));
}

/** The peer went away. */
export function aborted(cause?: unknown): RingpollError {
  const options = cause === undefined ? undefined : { cause };
  return new RingpollError('ERR_RINGPOLL_HTTP_ABORTED', 'The peer went away', options);
}
