// Errors of the system, in the shape that Node gives them.
import { util } from '../builtins.js';
import { RingpollError } from '../errors.js';
import { ERROR_CONNECT_TIMEOUT, ERROR_TLS, ERROR_TLS_TRUNCATED, SYSCALLS } from './protocol.js';

export interface SystemError extends Error {
  code: string;
  errno: number;
  syscall: string;
  address?: string;
  port?: number;
}

/** Where the call was directed, for the message. */
export interface Target {
  host?: string;
  port?: number;
  path?: string;
}

/** `errno` is positive, as the kernel numbers it; `syscall` is native code's number of it. */
export function systemError(errno: number, syscall: number, target?: Target): Error {
  if (errno === ERROR_CONNECT_TIMEOUT) {
    return new RingpollError(
      'ERR_RINGPOLL_CONNECT_TIMEOUT',
      `No connection to ${describe(target)} within connectTimeout`,
    );
  }
  if (errno === ERROR_TLS_TRUNCATED) {
    return new RingpollError(
      'ERR_RINGPOLL_TLS_TRUNCATED',
      'The connection ended without the end of TLS: what came before it may not be all',
    );
  }
  if (errno === ERROR_TLS) {
    return new RingpollError('ERR_RINGPOLL_TLS_RECORD', 'TLS on this connection has failed');
  }
  const name = SYSCALLS[syscall] ?? '';
  const [code, text] = util().getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
  const where = target === undefined ? '' : ` ${describe(target)}`;
  const long = name === 'listen' ? `${code}: ${text}${where}` : `${code}${where}`;
  const error = new Error(`${name} ${long}`) as SystemError;
  error.code = code;
  error.errno = -errno;
  error.syscall = name;
  const address = target?.path ?? target?.host;
  if (address !== undefined) error.address = address;
  if (target?.path === undefined && target?.port !== undefined) error.port = target.port;
  return error;
}

const LOOKUP_ERRNOS: Readonly<Record<string, number>> = {
  ENOTFOUND: -3008,
  EAI_AGAIN: -3001,
  EAI_FAIL: -3004,
};

/** A name that has no address, as Node's look-up says it. */
export function lookupError(code: string, hostname: string): Error {
  const error = new Error(`getaddrinfo ${code} ${hostname}`);
  const errno = LOOKUP_ERRNOS[code];
  return Object.assign(error, { code, errno, syscall: 'getaddrinfo', hostname });
}

function describe(target?: Target): string {
  if (target?.path !== undefined) return target.path.replace(/^\0/, '@');
  if (target?.host === undefined) return '';
  return target.host.includes(':')
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`;
}
