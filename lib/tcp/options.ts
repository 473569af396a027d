// Checks of what users pass to listen() and connect(). Nothing wrong gets past here.
import { net } from '../builtins.js';
import { boolean, INT32_MAX, integer, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import type { ConnectionOptions, HandlersOf } from './handlers.js';
import { checkSocketOptions, SOCKET } from './socket_options.js';

type Handlers = HandlersOf<never>;

export const HIGH_WATER_MARK_DEFAULT = 64 * 1024;
export const BACKLOG_DEFAULT = 511;
export const CONNECT_TIMEOUT_DEFAULT_MS = 5000;
/** TCP_KEEPIDLE: Linux takes 32,767 seconds at most, and what every system takes is right here. */
const KEEP_ALIVE_MS_MAX = 32_767_000;
const ZONE_MAX = 2 ** 32 - 1;
const HINTS = ['auto', 'uring', 'poll'] as const;

/** What listen(), connect() and upgrade() have in common. */
export const HANDLERS: NamesOf<Handlers> = {
  open: true,
  data: true,
  drain: true,
  end: true,
  timeout: true,
  error: true,
  close: true,
};
/** What listen() and connect() have in common. */
export const CONNECTION: NamesOf<ConnectionOptions> = {
  allowHalfOpen: true,
  highWaterMark: true,
  noDelay: true,
  keepAlive: true,
  idleTimeout: true,
  engine: true,
  signal: true,
  ...SOCKET,
};
/** What listen() and serve() have in common. */
export const LISTENING = {
  host: true,
  port: true,
  path: true,
  fd: true,
  backlog: true,
  reusePort: true,
  ipv6Only: true,
  maxConnections: true,
  access: true,
} as const;
const IN_TLS = 'it belongs into tls: { key, cert, ... }';
/** What node:net, node:tls, Bun and Deno call what is meant here. */
export const PEERS = {
  hostname: 'host',
  address: 'host',
  unix: 'path',
  socketPath: 'path',
  handle: 'fd',
  keepAliveInitialDelay: 'keepAlive',
  setNoDelay: 'noDelay',
  writableHighWaterMark: 'highWaterMark',
  pauseOnConnect: 'leave the data handler out: then it is paused until it is iterated',
  https: 'tls',
  cert: IN_TLS,
  key: IN_TLS,
  ca: IN_TLS,
  secureContext: IN_TLS,
};
/** For raw sockets: what others name their handlers. */
export const RAW_PEERS = {
  ...PEERS,
  socket: 'the handlers are options themselves, beside host and port',
  connection: 'open',
  connect: 'open',
  message: 'data',
};
const UPGRADE = optionNames<Handlers>('upgrade()', HANDLERS, {
  ...RAW_PEERS,
  highWaterMark: 'the connection keeps what serve() was given',
});
const SUN_PATH_MAX = process.platform === 'linux' ? 108 : 104;

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) throw invalidArgType(name, 'an object', value);
}

export interface CheckedConnectionOptions {
  allowHalfOpen: boolean;
  highWaterMark: number;
  noDelay: boolean;
  /** Milliseconds before the first probe, -1: off. */
  keepAliveMs: number;
  idleTimeoutMs: number;
  /** Native code's number of the engine hint. */
  hint: number;
  signal: AbortSignal | undefined;
  socketOptions: Int32Array | undefined;
}

/** The functions that the argument `handlers` may have, and no others. */
export function checkHandlers(handlers: unknown): void {
  checkOptions(UPGRADE, handlers, 'handlers');
  checkFunctions('handlers', handlers, Object.keys(HANDLERS));
}

/** What `handlers` has under these names must be functions. */
export function checkFunctions(path: string, handlers: object, names: readonly string[]): void {
  for (const name of names) {
    const handler = (handlers as Record<string, unknown>)[name];
    if (handler !== undefined && typeof handler !== 'function') {
      throw invalidArgType(`${path}.${name}`, 'a function', handler);
    }
  }
}

export function checkConnectionOptions(
  options: ConnectionOptions & Handlers,
): CheckedConnectionOptions {
  checkFunctions('options', options, Object.keys(HANDLERS));
  return {
    allowHalfOpen: boolean('options.allowHalfOpen', options.allowHalfOpen, false),
    highWaterMark: integer(
      'options.highWaterMark',
      options.highWaterMark,
      1,
      INT32_MAX,
      HIGH_WATER_MARK_DEFAULT,
    ),
    noDelay: boolean('options.noDelay', options.noDelay, true),
    keepAliveMs: checkKeepAlive('options.keepAlive', options.keepAlive),
    idleTimeoutMs: milliseconds('options.idleTimeout', options.idleTimeout, 0),
    hint: checkEngine(options.engine),
    signal: checkSignal(options.signal),
    socketOptions: checkSocketOptions(options),
  };
}

/** Milliseconds before the first probe; -1: none, 0: the system's choice. */
export function checkKeepAlive(name: string, value: unknown): number {
  if (value === undefined || value === false) return -1;
  if (value === true) return 0;
  if (typeof value !== 'number') throw invalidArgType(name, 'a boolean or a number', value);
  if (!(value >= 0 && value <= KEEP_ALIVE_MS_MAX)) {
    throw outOfRange(name, `from 0 to ${KEEP_ALIVE_MS_MAX}`, value);
  }
  return Math.ceil(value);
}

export function checkEngine(value: unknown): number {
  if (value === undefined) return 0;
  const index = HINTS.indexOf(value as (typeof HINTS)[number]);
  if (index < 0) throw invalidArgValue('options.engine', `one of ${HINTS.join(', ')}`, value);
  return index;
}

function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw invalidArgType('options.signal', 'an AbortSignal', value);
}

export function checkPort(name: string, value: unknown, otherwise?: number): number {
  if (value === undefined && otherwise === undefined) throw invalidArgType(name, 'a number', value);
  return integer(name, value, 0, 65535, otherwise ?? 0);
}

/** A Unix socket's path; a leading NUL makes it an abstract name. */
export function checkPath(value: unknown): string {
  if (typeof value !== 'string') throw invalidArgType('options.path', 'a string', value);
  const bytes = Buffer.byteLength(value);
  const terminator = value.startsWith('\0') ? 0 : 1;
  if (bytes === 0 || bytes + terminator > SUN_PATH_MAX) {
    throw outOfRange('options.path', `1 to ${SUN_PATH_MAX - 1} bytes long`, value);
  }
  if (value.indexOf('\0', 1) >= 0) {
    throw invalidArgValue('options.path', 'without NUL bytes after the first', value);
  }
  return value;
}

/** An IP address, or 'localhost', which means 127.0.0.1. */
export function checkIp(name: string, value: unknown, otherwise: string): string {
  if (value === undefined) return otherwise;
  if (typeof value !== 'string') throw invalidArgType(name, 'a string', value);
  if (value === 'localhost') return '127.0.0.1';
  if (net().isIP(value) === 0) throw invalidArgValue(name, "an IP address or 'localhost'", value);
  checkZone(name, value);
  return value;
}

/** A zone is an interface's name, or its number, which has 32 bits. */
function checkZone(name: string, address: string): void {
  const number = /%(\d+)$/.exec(address)?.[1];
  if (number === undefined) return;
  if (Number(number) >= 1 && Number(number) <= ZONE_MAX) return;
  throw invalidArgValue(name, `an address with a zone number from 1 to ${ZONE_MAX}`, address);
}

export function checkHostName(value: unknown): string {
  if (value === undefined) return 'localhost';
  if (typeof value !== 'string') throw invalidArgType('options.host', 'a string', value);
  if (value === '' || value.includes('\0')) {
    throw invalidArgValue('options.host', 'an IP address or a host name', value);
  }
  if (net().isIPv6(value)) checkZone('options.host', value);
  return value;
}
