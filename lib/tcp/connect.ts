// connect(): outgoing TCP and Unix connections.
import { net } from '../builtins.js';
import { boolean, INT32_MAX, integer, milliseconds } from '../checks.js';
import { renamedOption } from '../deprecation.js';
import { invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { Control } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError, type Target } from '../runtime/system_error.js';
import { checkLookup, interleaved, LOOKUP, type LookupOptions, targetsOf } from './addresses.js';
import { type Attempt, firstOf } from './attempts.js';
import { type Made, register, settle } from './connecting.js';
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import { Endpoint } from './endpoint.js';
import type { ConnectionOptions } from './handlers.js';
import {
  type CheckedConnectionOptions,
  CONNECT_TIMEOUT_DEFAULT_MS,
  CONNECTION,
  checkConnectionOptions,
  checkFunctions,
  checkHostName,
  checkIp,
  checkPath,
  checkPort,
  HANDLERS,
  RAW_PEERS,
} from './options.js';
import {
  type ClientTls,
  type ClientTlsHandlers,
  ConnectTls,
  TLS_HANDLERS,
} from './tls_endpoint.js';
import './events.js';
import './tls_events.js';

export interface ConnectOptions<Data = unknown>
  extends ConnectionOptions,
    Handlers<Data>,
    ClientTlsHandlers,
    LookupOptions {
  /** An IP address or a name. Default: 'localhost'. */
  host?: string;
  /** 1 to 65535. */
  port?: number;
  /** A Unix socket instead; a leading NUL makes it an abstract name (Linux). */
  path?: string;
  /** Milliseconds for each address that is tried; 0 leaves it to the system. Default: 5000. */
  connectTimeout?: number;
  /**
   * Of several addresses, a second one is tried while the first has not answered, and so on; the
   * families take turns, and the first that answers has won (RFC 8305). False: an address is tried
   * when the one before it has failed, in the order of the look-up. Default: true.
   */
  autoSelectFamily?: boolean;
  /** Milliseconds until the next address is tried, 10 to 2^31-1. Default: 250. */
  autoSelectFamilyAttemptTimeout?: number;
  /** The IP address to connect from; of the same family as `host`, if that is an address. */
  localAddress?: string;
  /** The port to connect from, 0 to 65535. Default: 0, the system chooses. */
  localPort?: number;
  /** What `connection.data` begins with. */
  connectionData?: Data;
  /** @deprecated Its name is `connectionData`. */
  userData?: Data;
  /**
   * Speak TLS: `open` comes behind the handshake. `true` for Node's own roots and ciphers. The
   * server's certificate must be good, and must have the name `host` or `servername`.
   */
  tls?: ClientTls;
}

const ATTEMPT_MS_MIN = 10;
const ATTEMPT_MS_DEFAULT = 250;

const OPTIONS = optionNames<ConnectOptions>(
  'connect()',
  {
    ...HANDLERS,
    ...CONNECTION,
    host: true,
    port: true,
    path: true,
    connectTimeout: true,
    ...LOOKUP,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: true,
    localAddress: true,
    localPort: true,
    connectionData: true,
    userData: true,
    tls: true,
    ...TLS_HANDLERS,
  },
  RAW_PEERS,
  { userData: 'connectionData' },
);

interface Local {
  /** Undefined: any address, of the family of what is connected to. */
  host: string | undefined;
  port: number;
}

/**
 * Connects. The open handler runs before the promise resolves, and what it throws the promise
 * rejects with; so without an `error` handler that is no uncaught exception. An abort does not wait
 * for the look-up of the name.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @returns rejects with the system's error in Node's shape (ECONNREFUSED, ENOENT, ENOTFOUND, ...),
 *   RingpollError ERR_RINGPOLL_CONNECT_TIMEOUT, the signal's reason, or the handshake's TlsError;
 *   with an AggregateError when several addresses were tried, whose code is that of the first
 */
export async function connect<Data = unknown>(
  options: ConnectOptions<Data>,
): Promise<Connection<Data>> {
  checkOptions(OPTIONS, options);
  const checked = checkConnectionOptions(options as ConnectionOptions & Handlers<never>);
  const { connectTimeout } = options;
  const timeoutMs = milliseconds(
    'options.connectTimeout',
    connectTimeout,
    CONNECT_TIMEOUT_DEFAULT_MS,
  );
  const goal = checkGoal(options as ConnectOptions);
  const local = checkLocal(options as ConnectOptions, goal);
  const data = renamedOption('connect()', options, 'connectionData', 'userData');
  checkFunctions('options', options, Object.keys(TLS_HANDLERS));
  checked.signal?.throwIfAborted();
  const lookup = checkLookup(options as LookupOptions);
  const delayMs = checkDelay(options as ConnectOptions);
  const prepare = () => {
    const endpoint = new Endpoint<Connection<Data>>(
      options,
      checked.allowHalfOpen,
      checked.highWaterMark,
    );
    if (options.tls === undefined) return { endpoint, tls: undefined };
    const tls = new ConnectTls(endpoint._context, options.tls, goal, options);
    endpoint.tls = tls;
    return { endpoint, tls };
  };
  // Wrong options are found before the look-up.
  let prepared: ReturnType<typeof prepare> | undefined = prepare();
  let targets: Target[];
  try {
    targets = await targetsOf(goal, lookup, checked.signal);
    checked.signal?.throwIfAborted();
  } catch (error) {
    prepared.endpoint.over();
    throw error;
  }
  const isRace = delayMs !== Number.POSITIVE_INFINITY;
  const order = isRace ? interleaved(targets) : targets;
  const made = await firstOf(order, delayMs, checked.signal, (target, won) => {
    const { endpoint, tls } = prepared ?? prepare();
    prepared = undefined;
    return connectOnce(endpoint, target, local, timeoutMs, checked, data, tls, won);
  });
  if (made.failure !== undefined) throw made.failure;
  return made.connection;
}

/** Infinity: one address after the other. */
function checkDelay(options: ConnectOptions): number {
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout: delay } = options;
  const name = 'options.autoSelectFamilyAttemptTimeout';
  const delayMs = integer(name, delay, ATTEMPT_MS_MIN, INT32_MAX, ATTEMPT_MS_DEFAULT);
  return boolean('options.autoSelectFamily', autoSelectFamily, true)
    ? delayMs
    : Number.POSITIVE_INFINITY;
}

function checkGoal(options: ConnectOptions): Target {
  if ((options.path === undefined) === (options.port === undefined)) {
    throw invalidArgValue('options', 'given exactly one of port and path', options);
  }
  if (options.path !== undefined) return { path: checkPath(options.path) };
  const port = integer('options.port', options.port, 1, 65535, 0);
  return { host: checkHostName(options.host), port };
}

function checkLocal(options: ConnectOptions, goal: Target): Local | undefined {
  const { localAddress, localPort } = options;
  if (localAddress === undefined && localPort === undefined) return undefined;
  if (goal.path !== undefined) {
    const name = localAddress === undefined ? 'localPort' : 'localAddress';
    throw invalidArgValue(`options.${name}`, 'left out when a path is given', options[name]);
  }
  const port = checkPort('options.localPort', localPort, 0);
  if (localAddress === undefined) return { host: undefined, port };
  const host = checkIp('options.localAddress', localAddress, '');
  const family = net().isIP(goal.host ?? '');
  if (family !== 0 && family !== net().isIP(host)) {
    throw invalidArgValue('options.localAddress', 'of the family of options.host', localAddress);
  }
  return { host, port };
}

/** The address to bind to before connecting to the target; '' is none. */
function localHost(local: Local | undefined, target: Target): string {
  if (local === undefined) return '';
  return local.host ?? (net().isIPv6(target.host ?? '') ? '::' : '0.0.0.0');
}

function connectOnce<Data>(
  endpoint: Endpoint<Connection<Data>>,
  target: Target,
  local: Local | undefined,
  timeoutMs: number,
  checked: CheckedConnectionOptions,
  data: Data | undefined,
  tls: ConnectTls | undefined,
  won: () => void,
): Attempt<Made<Data>> {
  const loop = runtime();
  loop.native.connect(
    target.path ?? target.host ?? '',
    target.path === undefined ? (target.port ?? 0) : -1,
    localHost(local, target),
    local?.port ?? 0,
    timeoutMs,
    checked.idleTimeoutMs,
    checked.hint,
    tls?.settings,
    checked.socketOptions,
    -1,
    false,
  );
  const { control } = loop;
  if (control[Control.resultError] !== 0) {
    const errno = control[Control.resultError];
    endpoint.over();
    const error = systemError(errno, control[Control.resultSyscall], target);
    return { made: Promise.reject(error), drop() {} };
  }
  const connection = register(loop, endpoint, data);
  const made = settle(connection, target, checked, tls, won);
  made.catch(() => endpoint.over());
  return { made, drop: () => connection.reset() };
}
