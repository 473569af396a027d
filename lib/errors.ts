// The catalogue of errors. Everything this package throws by itself carries one of these codes;
// errors of the system keep the shape that Node gives them (code, errno, syscall).

import { brand } from './brand.js';

/** Why the parser, or the server before a handler was called, refused a request. */
export type HttpRefusalCode =
  | 'ERR_RINGPOLL_HTTP_BODY_TOO_LARGE'
  | 'ERR_RINGPOLL_HTTP_CHUNK_END'
  | 'ERR_RINGPOLL_HTTP_CHUNK_EXTENSION'
  | 'ERR_RINGPOLL_HTTP_CHUNK_EXTENSIONS_TOO_LARGE'
  | 'ERR_RINGPOLL_HTTP_CHUNK_SIZE'
  | 'ERR_RINGPOLL_HTTP_CONNECT_BODY'
  | 'ERR_RINGPOLL_HTTP_CONNECT_REFUSED'
  | 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH_INVALID'
  | 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH_REPEATED'
  | 'ERR_RINGPOLL_HTTP_EXPECTATION'
  | 'ERR_RINGPOLL_HTTP_HEADERS_TIMEOUT'
  | 'ERR_RINGPOLL_HTTP_HEADERS_TOO_MANY'
  | 'ERR_RINGPOLL_HTTP_HEADER_NAME'
  | 'ERR_RINGPOLL_HTTP_HEADER_NAME_SPACE'
  | 'ERR_RINGPOLL_HTTP_HEADER_VALUE'
  | 'ERR_RINGPOLL_HTTP_HEAD_TOO_LARGE'
  | 'ERR_RINGPOLL_HTTP_HOST_INVALID'
  | 'ERR_RINGPOLL_HTTP_HOST_MISMATCH'
  | 'ERR_RINGPOLL_HTTP_HOST_MISSING'
  | 'ERR_RINGPOLL_HTTP_HOST_REPEATED'
  | 'ERR_RINGPOLL_HTTP_HTTP2'
  | 'ERR_RINGPOLL_HTTP_LENGTH_AND_TRANSFER_ENCODING'
  | 'ERR_RINGPOLL_HTTP_LENGTH_REQUIRED'
  | 'ERR_RINGPOLL_HTTP_LINE_END'
  | 'ERR_RINGPOLL_HTTP_LINE_FOLDING'
  | 'ERR_RINGPOLL_HTTP_METHOD_INVALID'
  | 'ERR_RINGPOLL_HTTP_METHOD_UNKNOWN'
  | 'ERR_RINGPOLL_HTTP_PROXY_HEADER'
  | 'ERR_RINGPOLL_HTTP_REQUEST_TIMEOUT'
  | 'ERR_RINGPOLL_HTTP_TARGET_FORM'
  | 'ERR_RINGPOLL_HTTP_TARGET_INVALID'
  | 'ERR_RINGPOLL_HTTP_TARGET_TOO_LONG'
  | 'ERR_RINGPOLL_HTTP_TLS'
  | 'ERR_RINGPOLL_HTTP_TRAILERS_TOO_LARGE'
  | 'ERR_RINGPOLL_HTTP_TRAILERS_TOO_MANY'
  | 'ERR_RINGPOLL_HTTP_TRAILER_FORBIDDEN'
  | 'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_INVALID'
  | 'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_UNSUPPORTED'
  | 'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_VERSION'
  | 'ERR_RINGPOLL_HTTP_UNEXPECTED_END'
  | 'ERR_RINGPOLL_HTTP_VERSION_INVALID'
  | 'ERR_RINGPOLL_HTTP_VERSION_MISSING'
  | 'ERR_RINGPOLL_HTTP_VERSION_UNSUPPORTED';

/** What went wrong, stable across versions. */
export type RingpollErrorCode =
  | HttpRefusalCode
  | 'ERR_RINGPOLL_BUFFER_DETACHED'
  | 'ERR_RINGPOLL_BUNDLED'
  | 'ERR_RINGPOLL_CANCELLED'
  | 'ERR_RINGPOLL_CHANNEL_CLOSED'
  | 'ERR_RINGPOLL_CHUNK_RELEASED'
  | 'ERR_RINGPOLL_CLIENT_BUSY'
  | 'ERR_RINGPOLL_CLIENT_CLOSED'
  | 'ERR_RINGPOLL_CONNECTION_BUSY'
  | 'ERR_RINGPOLL_CONNECTION_CLOSED'
  | 'ERR_RINGPOLL_CONNECT_TIMEOUT'
  | 'ERR_RINGPOLL_DEADLINE'
  | 'ERR_RINGPOLL_ENGINE_UNAVAILABLE'
  | 'ERR_RINGPOLL_FAULTS_RUNNING'
  | 'ERR_RINGPOLL_FILE_TRUNCATED'
  | 'ERR_RINGPOLL_HTTP_ABORTED'
  | 'ERR_RINGPOLL_HTTP_BODY_INVALID'
  | 'ERR_RINGPOLL_HTTP_BODY_USED'
  | 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH'
  | 'ERR_RINGPOLL_HTTP_ENDED'
  | 'ERR_RINGPOLL_HTTP_FORBIDDEN'
  | 'ERR_RINGPOLL_HTTP_HEADERS_SENT'
  | 'ERR_RINGPOLL_HTTP_NOT_FOUND'
  | 'ERR_RINGPOLL_HTTP_PATH_INVALID'
  | 'ERR_RINGPOLL_HTTP_REQUEST'
  | 'ERR_RINGPOLL_HTTP_REQUEST_OVER'
  | 'ERR_RINGPOLL_HTTP_SHARED_CONNECTION'
  | 'ERR_RINGPOLL_HTTP_UPGRADE'
  | 'ERR_RINGPOLL_IDLE_TIMEOUT'
  | 'ERR_RINGPOLL_MESSAGE_TOO_LONG'
  | 'ERR_RINGPOLL_MESSAGE_TRUNCATED'
  | 'ERR_RINGPOLL_NOT_PIPEABLE'
  | 'ERR_RINGPOLL_NO_RESPONSE'
  | 'ERR_RINGPOLL_OVERLOADED'
  | 'ERR_RINGPOLL_PIPED'
  | 'ERR_RINGPOLL_TRANSFER_REFUSED'
  | 'ERR_RINGPOLL_QUEUE_CLOSED'
  | 'ERR_RINGPOLL_QUEUE_FULL'
  | 'ERR_RINGPOLL_PROXY_REFUSED'
  | 'ERR_RINGPOLL_RECORDER_RUNNING'
  | 'ERR_RINGPOLL_RECORDING_INVALID'
  | 'ERR_RINGPOLL_RESPONSE_INVALID'
  | 'ERR_RINGPOLL_RESPONSE_LIMIT'
  | 'ERR_RINGPOLL_RESPONSE_TIMEOUT'
  | 'ERR_RINGPOLL_RESPONSE_TRUNCATED'
  | 'ERR_RINGPOLL_SCHEDULER_CLOSED'
  | 'ERR_RINGPOLL_SUCCESSOR'
  | 'ERR_RINGPOLL_TASK_BUSY'
  | 'ERR_RINGPOLL_TASK_DONE'
  | 'ERR_RINGPOLL_TLS_CA'
  | 'ERR_RINGPOLL_TLS_CERTIFICATE'
  | 'ERR_RINGPOLL_TLS_CIPHERS'
  | 'ERR_RINGPOLL_TLS_CRL'
  | 'ERR_RINGPOLL_TLS_CURVES'
  | 'ERR_RINGPOLL_TLS_HANDSHAKE'
  | 'ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT'
  | 'ERR_RINGPOLL_TLS_KEY'
  | 'ERR_RINGPOLL_TLS_KEY_MISMATCH'
  | 'ERR_RINGPOLL_TLS_NO_CERTIFICATE'
  | 'ERR_RINGPOLL_TLS_NOT_TLS'
  | 'ERR_RINGPOLL_TLS_OCSP'
  | 'ERR_RINGPOLL_TLS_PASSPHRASE'
  | 'ERR_RINGPOLL_TLS_PFX'
  | 'ERR_RINGPOLL_TLS_PROXY_HEADER'
  | 'ERR_RINGPOLL_TLS_RECORD'
  | 'ERR_RINGPOLL_TLS_SIGALGS'
  | 'ERR_RINGPOLL_TLS_TRUNCATED'
  | 'ERR_RINGPOLL_TLS_UNAVAILABLE'
  | 'ERR_RINGPOLL_TLS_VERIFY'
  | 'ERR_RINGPOLL_TRACING_RUNNING'
  | 'ERR_RINGPOLL_TRACING_UNAVAILABLE'
  | 'ERR_RINGPOLL_TWO_VERSIONS'
  | 'ERR_RINGPOLL_UNKNOWN_CODE'
  | 'ERR_RINGPOLL_WEBSOCKET_HANDSHAKE'
  | 'ERR_RINGPOLL_WEBSOCKET_TOPICS'
  | 'ERR_RINGPOLL_WORKER_EXITED'
  | 'ERR_RINGPOLL_WORKER_UNFIT'
  | 'ERR_RINGPOLL_WRITE_AFTER_END';

export type ArgumentErrorCode =
  | 'ERR_RINGPOLL_INVALID_ARG_TYPE'
  | 'ERR_RINGPOLL_INVALID_ARG_VALUE'
  | 'ERR_RINGPOLL_OUT_OF_RANGE'
  | 'ERR_RINGPOLL_UNKNOWN_OPTION';

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

const NAMES_SHOWN_MAX = 5;

/** A value as a sentence can hold it: short, and without running code of the value's own. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') {
    return typeof value.name === 'string' && value.name !== ''
      ? `the function ${value.name}`
      : 'a function without a name';
  }
  return typeof value === 'object' && value !== null ? shownObject(value) : String(value);
}

function shownObject(value: object): string {
  try {
    if (Array.isArray(value)) return `an array of length ${value.length}`;
    const { constructor: maker } = value;
    const ofClass = typeof maker === 'function' && maker.name;
    if (ofClass && ofClass !== 'Object') return `an instance of ${ofClass}`;
    const names = Object.keys(value);
    if (names.length === 0) return 'an empty object';
    const more = names.length > NAMES_SHOWN_MAX ? ', ...' : '';
    return `an object with ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
  } catch {
    return 'an object that cannot be looked at';
  }
}

/** The argument is of another type than `expected` (a phrase such as "a function"). */
export function invalidArgType(name: string, expected: string, value: unknown): ArgumentTypeError {
  const error = new TypeError(`${name} must be ${expected}, but is ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' as const });
}

/** The same for what must not stand in a message: of a primitive value only the type is told. */
export function invalidSecretType(
  name: string,
  expected: string,
  value: unknown,
): ArgumentTypeError {
  const isPrimitive = typeof value !== 'object' && typeof value !== 'function';
  const told = isPrimitive && value !== undefined ? `a ${typeof value}` : shown(value);
  const error = new TypeError(`${name} must be ${expected}, but is ${told}`);
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

/** `of` has no such option; `advice` (a phrase such as "did you mean host?") says what to do. */
export function unknownOption(name: string, of: string, advice: string): ArgumentTypeError {
  const error = new TypeError(`${name} is unknown to ${of}: ${advice}`);
  return Object.assign(error, { code: 'ERR_RINGPOLL_UNKNOWN_OPTION' as const });
}
