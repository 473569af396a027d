// What listen() takes, and what its listener tells and takes.
import { optionNames } from '../option_names.js';
import type { SystemError } from '../runtime/system_error.js';
import type { TlsMetrics } from '../tls/metrics.js';
import type { AccessMetrics, AccessOptions } from './access.js';
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import type { ConnectionOptions } from './handlers.js';
import { CONNECTION, HANDLERS, LISTENING, RAW_PEERS } from './options.js';
import type { ListenerTlsHandlers, ServerTls } from './tls_endpoint.js';

export interface ListenOptions<Data = unknown>
  extends ConnectionOptions,
    Handlers<Data>,
    ListenerTlsHandlers,
    AcceptHandlers,
    TransferHandlers<Data> {
  /**
   * An IP address, 'localhost' (127.0.0.1), or a name: the first of its addresses that this machine
   * has. A name is looked up before listen() returns, and the thread waits for that. Default: '::',
   * which takes IPv4 too (`remoteAddress` is '::ffff:127.0.0.1' then), or '0.0.0.0' where there is
   * no IPv6.
   */
  host?: string;
  /** 0 to 65535; 0 lets the system choose. */
  port?: number;
  /**
   * A Unix socket instead; a leading NUL makes it an abstract name (Linux). Its file goes with the
   * listener or its worker, unless it is another one by then; process.exit() leaves it, as Node's.
   */
  path?: string;
  /** A descriptor that listens already, inherited from the parent process. */
  fd?: number;
  /** Connections that may wait to be accepted, 1 to 65535. Default: 511; the system caps it. */
  backlog?: number;
  /** Share the port with other listeners (SO_REUSEPORT). Default: false. */
  reusePort?: boolean;
  /** With host '::', the default: leave IPv4 alone. Default: false. */
  ipv6Only?: boolean;
  /** Beyond this many, new connections are closed at once. Default: no limit. */
  maxConnections?: number;
  /**
   * Who may connect: networks, a limit by address, bans. Others are reset at accept, before TLS and
   * before any handler. Addresses are those of sockets, also with the PROXY protocol.
   */
  access?: AccessOptions;
  /**
   * What `connection.data` begins with: a value, the same for all, or a function that makes it,
   * called once for each connection before its first handler. What the function throws counts
   * like what that handler throws.
   */
  connectionData?: Data | ((connection: Connection) => Data);
  /**
   * Speak TLS: `open` comes behind the handshake, and all else is as without it. `key` and `cert`
   * are what it needs; a secure context may be shared by several listeners.
   */
  tls?: ServerTls;
}

export interface AcceptHandlers {
  /**
   * A connection could not be accepted: EMFILE or ENFILE when there are no descriptors, ENOBUFS or
   * ENOMEM. It waits in the kernel's queue, and is tried again after 50 ms, or when one of this
   * thread's connections has closed. What the handler throws is an uncaught exception.
   */
  acceptError?(error: SystemError): void;
}

export interface TransferHandlers<Data = unknown> {
  /**
   * In the place of `open`, for a connection that connection.transfer() of another thread of the
   * LoopGroup has handed over. `data` is what it was called with. What had come and was not
   * consumed there comes as data next.
   */
  transferred?(connection: Connection<Data>, data: unknown): unknown;
}

export interface ListenerMetrics {
  /** Open connections, as `listener.connections`. */
  connections: number;
  /** undefined without `tls`. */
  tls: TlsMetrics | undefined;
  /** undefined without the option `access`, setAccess() or ban(). */
  access: AccessMetrics | undefined;
}

export interface StopOptions {
  /** Milliseconds after which what is left is reset. Default: none. */
  timeout?: number;
  /** @deprecated Its name is `timeout`. */
  deadline?: number;
}

export const OWN_HANDLERS = {
  tlsError: true,
  keylog: true,
  acceptError: true,
  transferred: true,
} as const;

export const OPTIONS = optionNames<ListenOptions>(
  'listen()',
  {
    ...HANDLERS,
    ...CONNECTION,
    ...LISTENING,
    connectionData: true,
    tls: true,
    ...OWN_HANDLERS,
  },
  { ...RAW_PEERS, userData: 'connectionData' },
);
export const STOP_OPTIONS = optionNames<StopOptions>(
  'stop()',
  { timeout: true, deadline: true },
  { signal: 'a timeout is all that it takes' },
  { deadline: 'timeout' },
);
