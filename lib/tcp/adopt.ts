// adopt(): a connection that somebody else has made.
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { Control } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { register, settle } from './connecting.js';
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import { Endpoint } from './endpoint.js';
import type { ConnectionOptions } from './handlers.js';
import {
  CONNECTION,
  checkConnectionOptions,
  checkFunctions,
  checkHostName,
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

export interface AdoptOptions<Data = unknown>
  extends ConnectionOptions,
    Handlers<Data>,
    ClientTlsHandlers {
  /** The descriptor of a connected TCP or Unix stream socket. */
  fd: number;
  /** What `connection.data` begins with. */
  connectionData?: Data;
  /** Speak TLS as a client, as with connect(): nothing of it may have been sent or received yet. */
  tls?: ClientTls;
  /** Whose certificate it has to be, without `servername`. Default: 'localhost'. */
  host?: string;
}

const OPTIONS = optionNames<AdoptOptions>(
  'adopt()',
  {
    ...HANDLERS,
    ...CONNECTION,
    ...TLS_HANDLERS,
    fd: true,
    connectionData: true,
    tls: true,
    host: true,
  },
  RAW_PEERS,
);

/**
 * Takes over a socket that is connected already: inherited, or made by another library. From then
 * on the descriptor is the connection's, which closes it; when it fails, it is the caller's still.
 * The open handler runs before the promise resolves, as with connect().
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_..., by what is wrong with `tls`
 * @throws the system's error: EBADF, ENOTSOCK, ENOTCONN, EINVAL for another kind of socket, EEXIST
 *   when this loop has it already
 */
export async function adopt<Data = unknown>(
  options: AdoptOptions<Data>,
): Promise<Connection<Data>> {
  return adoptNow(options);
}

/** The same. What it throws leaves the descriptor to the caller; when it rejects, it is closed. */
export function adoptNow<Data>(options: AdoptOptions<Data>): Promise<Connection<Data>> {
  checkOptions(OPTIONS, options);
  const checked = checkConnectionOptions(options as ConnectionOptions & Handlers<never>);
  if (options.fd === undefined) throw invalidArgType('options.fd', 'a number', options.fd);
  const fd = integer('options.fd', options.fd, 0, INT32_MAX, -1);
  const host = checkHostName(options.host);
  checkFunctions('options', options, Object.keys(TLS_HANDLERS));
  checked.signal?.throwIfAborted();
  const endpoint = new Endpoint<Connection<Data>>(
    options,
    checked.allowHalfOpen,
    checked.highWaterMark,
  );
  const tls =
    options.tls === undefined
      ? undefined
      : new ConnectTls(endpoint._context, options.tls, { host }, options as ClientTlsHandlers);
  endpoint.tls = tls;
  const loop = runtime();
  loop.native.adopt(fd, checked.idleTimeoutMs, checked.hint, false, tls?.settings);
  const { control } = loop;
  if (control[Control.resultError] !== 0) {
    endpoint.over();
    throw systemError(control[Control.resultError], control[Control.resultSyscall]);
  }
  const connection = register(loop, endpoint, options.connectionData);
  const opened = settle(connection, {}, checked, tls, () => {});
  const { socketOptions } = checked;
  for (const [option, value] of (socketOptions ?? []).entries()) {
    const { _slot: slot, _generation: generation } = connection;
    if (value >= 0) loop.native.setSocketOption(slot, generation, option, value);
  }
  return opened.then(
    ({ failure }) => {
      if (failure !== undefined) throw failure;
      return connection;
    },
    (error) => {
      endpoint.over();
      throw checked.signal?.aborted ? checked.signal.reason : error;
    },
  );
}
