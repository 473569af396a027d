// The catalogue of errors. Everything this package throws by itself carries one of these codes;
// errors of the system keep the shape that Node gives them (code, errno, syscall).

import { brand } from './brand.js';

/** What went wrong, stable across versions. */
export type RingpollErrorCode =
  | 'ERR_RINGPOLL_CANCELLED'
  | 'ERR_RINGPOLL_CHANNEL_CLOSED'
  | 'ERR_RINGPOLL_CHUNK_RELEASED'
  | 'ERR_RINGPOLL_CONNECTION_CLOSED'
  | 'ERR_RINGPOLL_CONNECT_TIMEOUT'
  | 'ERR_RINGPOLL_DEADLINE'
  | 'ERR_RINGPOLL_ENGINE_UNAVAILABLE'
  | 'ERR_RINGPOLL_FILE_TRUNCATED'
  | 'ERR_RINGPOLL_HTTP_ABORTED'
  | 'ERR_RINGPOLL_HTTP_BODY_INVALID'
  | 'ERR_RINGPOLL_HTTP_BODY_TOO_LARGE'
  | 'ERR_RINGPOLL_HTTP_BODY_USED'
  | 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH'
  | 'ERR_RINGPOLL_HTTP_ENDED'
  | 'ERR_RINGPOLL_HTTP_FORBIDDEN'
  | 'ERR_RINGPOLL_HTTP_HEADERS_SENT'
  | 'ERR_RINGPOLL_HTTP_HOST_INVALID'
  | 'ERR_RINGPOLL_HTTP_NOT_FOUND'
  | 'ERR_RINGPOLL_HTTP_PATH_INVALID'
  | 'ERR_RINGPOLL_HTTP_REQUEST_OVER'
  | 'ERR_RINGPOLL_HTTP_TARGET_FORM'
  | 'ERR_RINGPOLL_HTTP_UPGRADE'
  | 'ERR_RINGPOLL_LISTENER_CLOSED'
  | 'ERR_RINGPOLL_OVERLOADED'
  | 'ERR_RINGPOLL_SCHEDULER_CLOSED'
  | 'ERR_RINGPOLL_TASK_BUSY'
  | 'ERR_RINGPOLL_TASK_DONE'
  | 'ERR_RINGPOLL_TWO_VERSIONS'
  | 'ERR_RINGPOLL_UNKNOWN_CODE'
  | 'ERR_RINGPOLL_WORKER_EXITED'
  | 'ERR_RINGPOLL_WORKER_UNFIT'
  | 'ERR_RINGPOLL_WRITE_AFTER_END';

export type ArgumentErrorCode =
  | 'ERR_RINGPOLL_INVALID_ARG_TYPE'
  | 'ERR_RINGPOLL_INVALID_ARG_VALUE'
  | 'ERR_RINGPOLL_OUT_OF_RANGE';

/** A failure of this package's own; `code` says which. */
export class RingpollError extends Error {
  readonly code: RingpollErrorCode;

  constructor(code: RingpollErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RingpollError';
    this.code = code;
  }
}
brand('Error', RingpollError);

export type ArgumentTypeError = TypeError & { code: ArgumentErrorCode };
export type ArgumentRangeError = RangeError & { code: ArgumentErrorCode };

/** Whatever was thrown, as an Error; what is none becomes the cause of one. */
export function asError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
  } catch {
    // It cannot even be asked what it is: an object without a prototype, a proxy that throws.
    return new Error('What was thrown is no Error', { cause: thrown });
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object' && value !== null) {
    return `an instance of ${value.constructor?.name ?? 'Object'}`;
  }
  return String(value);
}

/** The argument is of another type than `expected` (a phrase such as "a function"). */
export function invalidArgType(name: string, expected: string, value: unknown): ArgumentTypeError {
  const error = new TypeError(`${name} must be ${expected}, but is ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' as const });
}

/** The argument has the right type, and a value that makes no sense here. */
export function invalidArgValue(name: string, expected: string, value: unknown): ArgumentTypeError {
  const error = new TypeError(`${name} must be ${expected}, but is ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' as const });
}

/** The number lies outside of `range` (a phrase such as "at least 1"). */
export function outOfRange(name: string, range: string, value: unknown): ArgumentRangeError {
  const error = new RangeError(`${name} must be ${range}, but is ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_RINGPOLL_OUT_OF_RANGE' as const });
}
