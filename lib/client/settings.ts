// Options of a client, checked, and as native code takes them.
import { boolean, INT32_MAX, integer, milliseconds } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import type { ConnectOptions } from '../tcp/connect.js';
import type { ClientTlsOptions, SecureContext } from '../tls/index.js';
import { checkForwardProxy, type ForwardProxy, type ForwardProxyOptions } from './forward_proxy.js';

/** Limits of one response. Each is an error with code ERR_RINGPOLL_RESPONSE_LIMIT. */
export interface ResponseLimits {
  /** Bytes of status line and headers, 256 to 65,535. Default: 16,384. */
  maxHeadBytes?: number;
  /** Header lines, 1 to 1,000. Default: 100. */
  maxHeaders?: number;
  /** Bytes of a body, as they are sent. Default: no limit. */
  maxBodyBytes?: number;
  /** Bytes of a trailer section, up to 65,535. Default: 8,192. */
  maxTrailerBytes?: number;
  /** Trailer lines, up to 1,000. Default: 32. */
  maxTrailers?: number;
  /** Bytes of all chunk extensions together. Default: 4,096. */
  maxChunkExtensionBytes?: number;
  /** Responses 1xx before the final one, up to 1,000. Default: 32. */
  maxInformational?: number;
}

/** Milliseconds; 0 is no limit. */
export interface RequestTimeouts {
  /** From the end of the request to the head of its response. Default: 30,000. */
  headTimeout?: number;
  /** Between two pieces of the body, while somebody reads. Default: 10,000. */
  bodyTimeout?: number;
  /** For all of it: the wait for a connection, retries, and the body too. Default: 0. */
  timeout?: number;
}

export interface ClientOptions extends ResponseLimits, RequestTimeouts {
  /** Connections to one origin, open or being opened, 1 to 65,535. Default: 256. */
  maxConnections?: number;
  /** Connections to one origin that are kept without a request, up to 65,535. Default: 100. */
  maxIdle?: number;
  /** Requests that wait for a connection to one origin. Default: 65,536. */
  maxPending?: number;
  /**
   * Requests on one connection before it is closed. From 10 on it may be up to a tenth fewer, and a
   * busy connection is replaced before it ends. Default: no limit.
   */
  maxRequestsPerConnection?: number;
  /**
   * Requests on one connection that wait for their responses, 1 to 64. More than 1: when
   * maxConnections are open, GET, HEAD and OPTIONS without a body are sent behind others. Default:
   * 1.
   */
  pipelining?: number;
  /** Milliseconds that a connection is kept without a request, 0: forever. Default: 30,000. */
  keepAliveTimeout?: number;
  /** Milliseconds without progress while a request is being sent, 0: forever. Default: 10,000. */
  writeTimeout?: number;
  /** Milliseconds for each address that is tried, 0: the system's. Default: 5,000. */
  connectTimeout?: number;
  /** A Unix socket that all requests go to, whatever host their URLs name. */
  socketPath?: string;
  /**
   * An HTTP proxy that all requests go through: its URL of the scheme http, with the user and the
   * password if it wants those. To https: URLs it opens tunnels (CONNECT).
   */
  proxy?: string | URL | ForwardProxyOptions;
  /** TLS of https: URLs, as connect() takes it. ALPN asks for http/1.1 unless it says else. */
  tls?: true | ClientTlsOptions | SecureContext;
  /** The address to connect from. */
  localAddress?: string;
  /** Whether a request is repeated that a kept connection has lost, when that is safe. */
  retry?: boolean;
  /** Which engine the connections use: see connect(). */
  engine?: ConnectOptions['engine'];
}

/** Their names. */
export const CLIENT_NAMES: NamesOf<ClientOptions> = {
  maxHeadBytes: true,
  maxHeaders: true,
  maxBodyBytes: true,
  maxTrailerBytes: true,
  maxTrailers: true,
  maxChunkExtensionBytes: true,
  maxInformational: true,
  headTimeout: true,
  bodyTimeout: true,
  timeout: true,
  maxConnections: true,
  maxIdle: true,
  maxPending: true,
  maxRequestsPerConnection: true,
  pipelining: true,
  keepAliveTimeout: true,
  writeTimeout: true,
  connectTimeout: true,
  socketPath: true,
  proxy: true,
  tls: true,
  localAddress: true,
  retry: true,
  engine: true,
};

const OPTIONS = optionNames<ClientOptions>('Client', CLIENT_NAMES, {
  connections: 'maxConnections',
  maxSockets: 'maxConnections',
  maxFreeSockets: 'maxIdle',
  headersTimeout: 'headTimeout',
  maxHeaderSize: 'maxHeadBytes',
  maxResponseSize: 'maxBodyBytes',
  keepAlive: 'connections are always kept; maxIdle: 0 keeps none',
});

export interface CheckedClient {
  readonly headMs: number;
  readonly bodyMs: number;
  readonly wholeMs: number;
  readonly maxConnections: number;
  readonly maxIdle: number;
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly pipelining: number;
  readonly retry: boolean;
  readonly socketPath: string | undefined;
  readonly proxy: ForwardProxy | undefined;
  /** What connect() is given. */
  readonly connecting: Readonly<Record<string, unknown>>;
  /** The words that httpClientAdopt() takes. */
  readonly words: Uint32Array;
}

const HEAD_MS = 30_000;
const BODY_MS = 10_000;
const WORDS = 10;
const REGION_MAX = 65_535;
/** native/core/http/client/connection.h, kAskedMax. */
const PIPELINING_MAX = 64;

/**
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function checkClient(options: ClientOptions): CheckedClient {
  checkOptions(OPTIONS, options);
  const count = (name: keyof ClientOptions, min: number, max: number, otherwise: number) =>
    integer(`options.${name}`, options[name], min, max, otherwise);
  const ms = (name: keyof ClientOptions, otherwise: number) =>
    milliseconds(`options.${name}`, options[name], otherwise);
  const body = count('maxBodyBytes', 0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const words = new Uint32Array(WORDS);
  words[0] = count('maxHeadBytes', 256, REGION_MAX, 16 * 1024);
  words[1] = count('maxHeaders', 1, 1000, 100);
  words[2] = count('maxTrailerBytes', 0, REGION_MAX, 8 * 1024);
  words[3] = count('maxTrailers', 0, 1000, 32);
  words[4] = count('maxChunkExtensionBytes', 0, INT32_MAX, 4 * 1024);
  words[5] = count('maxInformational', 0, 1000, 32);
  words[6] = ms('keepAliveTimeout', 30_000);
  words[7] = ms('writeTimeout', 10_000);
  words[8] = body % 2 ** 32;
  words[9] = Math.floor(body / 2 ** 32);
  const { socketPath } = options;
  if (socketPath !== undefined && typeof socketPath !== 'string') {
    throw invalidArgType('options.socketPath', 'a string', socketPath);
  }
  return {
    headMs: ms('headTimeout', HEAD_MS),
    bodyMs: ms('bodyTimeout', BODY_MS),
    wholeMs: ms('timeout', 0),
    maxConnections: count('maxConnections', 1, 65_535, 256),
    maxIdle: count('maxIdle', 0, 65_535, 100),
    maxPending: count('maxPending', 0, INT32_MAX, 65_536),
    maxRequests: count('maxRequestsPerConnection', 1, INT32_MAX, INT32_MAX),
    pipelining: count('pipelining', 1, PIPELINING_MAX, 1),
    retry: boolean('options.retry', options.retry, true),
    socketPath,
    proxy: checkForwardProxy(options.proxy, socketPath),
    connecting: {
      connectTimeout: options.connectTimeout,
      localAddress: options.localAddress,
      engine: options.engine,
    },
    words,
  };
}
