// The options of serve(), their defaults and their checks.
import { boolean, integer, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { NamesOf } from '../option_names.js';
import { type NativeHttpProfile, native } from '../runtime/native.js';
import { type AccessLog, type AccessLogOptions, checkAccessLog } from './access_log.js';
import { checkHttp2, type Http2Limits, type Http2Options } from './http2/options.js';

/** Times are in milliseconds, and 0 means no limit. */
export interface HttpOptions {
  /** Request line and headers, in bytes: 431 beyond. 1 KB to 65,535. Default: 16 KB. */
  maxHeadBytes?: number;
  /** The request target, in bytes: 414 beyond. Default: 15 KB, or what maxHeadBytes leaves. */
  maxUrlBytes?: number;
  /** Header lines: 431 beyond. 1 to 1,000, which is the default. */
  maxHeaders?: number;
  /** A body, in bytes without its framing: 413 beyond. Default: 128 MB. */
  maxBodyBytes?: number;
  /** Trailer section, in bytes: 431 beyond. 64 to 65,535. Default: 8 KB. */
  maxTrailerBytes?: number;
  /** Trailer lines: 431 beyond. 0 to 1,000. Default: 32. */
  maxTrailers?: number;
  /** Chunk extensions of one body, in bytes: 413 beyond. 0 to 1 MB. Default: 4 KB. */
  maxChunkExtensionBytes?: number;
  /** Requests on one connection; the last one's answer says `Connection: close`. Default: none. */
  maxRequestsPerConnection?: number;
  /**
   * Without a request on a connection that has had an answer. Peers are told in whole seconds
   * (`Keep-Alive: timeout=5`), and if so it is closed a second later, so that no request of the
   * last moment meets the closing. Default: 5,000.
   */
  keepAliveTimeout?: number;
  /**
   * From a request's first byte to the end of its headers: 408. As long may a new connection say
   * nothing: it is closed then. Default: 60,000.
   */
  headersTimeout?: number;
  /** From a request's first byte to its last: 408. Default: 300,000. */
  requestTimeout?: number;
  /** Between two bytes of a request: 408. Not while its reader is behind. Default: 0. */
  readTimeout?: number;
  /** Without a byte arriving at the peer of what waits for it: it is given up. Default: 0. */
  writeTimeout?: number;
  /**
   * Bytes a second of a request's body, on average over rateWindow: 408 below. Not while its reader
   * is behind, or the peer waits for 100 Continue. 0 to 2^32-1, 0 is no limit. Default: 256.
   */
  minReceiveRate?: number;
  /**
   * Bytes a second that arrive at the peer while bytes wait for it, on average over rateWindow: it
   * is given up below. 0 to 2^32-1, 0 is no limit. Default: 256.
   */
  minSendRate?: number;
  /** The time over which the two rates are averaged. 1 to 2^31-1. Default: 60,000. */
  rateWindow?: number;
  /** After the last answer, until the peer ends its side too. Default: 5,000. */
  lingerTimeout?: number;
  /** Bytes that are read and dropped meanwhile. Default: 16 MB. */
  maxLingerBytes?: number;
  /** The Server header, 1 to 1,024 characters, or false for none. Default: 'ringpoll'. */
  serverHeader?: string | false;
  /** A peer that has ended its side does not abort request.signal. Default: false. */
  allowHalfOpen?: boolean;
  /** Methods that the parser does not know reach the handler instead of 501. Default: false. */
  unknownMethods?: boolean;
  /** POST, PUT and PATCH without a length get 411. Default: false. */
  lengthRequired?: boolean;
  /**
   * Takes malformed requests that are known to smuggle others past a proxy. A risk: see
   * docs/http-parser.md. Default: false.
   */
  lenient?: boolean;
  /** Handlers may take connections over with response.upgrade(). Default: false. */
  upgrade?: boolean;
  /**
   * Proxies whose connections must begin with a PROXY protocol header (version 1 or 2): addresses
   * ('192.0.2.1'), networks ('2001:db8::/32'), or 'unix' for all peers of a Unix socket. What it
   * says is request.remoteAddress. Default: none.
   */
  proxyProtocol?: readonly string[];
  /**
   * HTTP/2 for clients that choose it, beside HTTP/1.1 and through node:http2; only with `tls`. It
   * has the same handlers, and costs more a request: see docs/http.md. Default: false.
   */
  http2?: boolean | Http2Options;
  /**
   * Counts requests by route, method and status, and measures how long they take: see `requests` of
   * metrics(). admin() of ringpoll/admin turns it on by itself. Default: false.
   */
  metrics?: boolean;
  /**
   * One line for each answered request; true is the combined format on standard output. It measures
   * requests, as `metrics` does. Default: false.
   */
  accessLog?: boolean | AccessLogOptions;
  /**
   * Answers say how long they took until their heads were sent, in Server-Timing, for developer
   * tools. Every peer learns it. It measures requests, as `metrics` does. Default: false.
   */
  serverTiming?: boolean;
}

/** Their names; serve() has further ones. */
export const HTTP: NamesOf<HttpOptions> = {
  maxHeadBytes: true,
  maxUrlBytes: true,
  maxHeaders: true,
  maxBodyBytes: true,
  maxTrailerBytes: true,
  maxTrailers: true,
  maxChunkExtensionBytes: true,
  maxRequestsPerConnection: true,
  keepAliveTimeout: true,
  headersTimeout: true,
  requestTimeout: true,
  readTimeout: true,
  minReceiveRate: true,
  minSendRate: true,
  rateWindow: true,
  writeTimeout: true,
  lingerTimeout: true,
  maxLingerBytes: true,
  serverHeader: true,
  allowHalfOpen: true,
  unknownMethods: true,
  lengthRequired: true,
  lenient: true,
  upgrade: true,
  proxyProtocol: true,
  http2: true,
  metrics: true,
  accessLog: true,
  serverTiming: true,
};

const SERVER_LENGTH_MAX = 1024;
const LENIENT_ALL = (1 << 7) - 1;
const UINT32_MAX = 2 ** 32 - 1;
const INT32_MAX = 2 ** 31 - 1;
/** The hint has whole seconds. */
const HINTED_MS_MIN = 1000;
/** A connection that peers think they may use is closed so much later than they were told. */
const CLOSED_LATER_MS = 1000;

export interface CheckedHttpOptions {
  /** All but what the listener adds. */
  profile: Omit<NativeHttpProfile, 'unsentMax'>;
  allowHalfOpen: boolean;
  /** undefined: HTTP/2 is not spoken. */
  http2: Http2Limits | undefined;
  /** Over TLS. */
  secure: boolean;
  /** 'Server: ringpoll\r\n' or ''. */
  serverLine: string;
  /** What a head says of a connection that stays. */
  keepAliveLines: string;
  /** Requests are measured from the beginning. */
  metrics: boolean;
  /** undefined: there is none. */
  accessLog: AccessLog | undefined;
  serverTiming: boolean;
}

export function checkHttpOptions(options: HttpOptions, secure: boolean): CheckedHttpOptions {
  const whole = (name: keyof HttpOptions, min: number, max: number, otherwise: number) =>
    integer(`options.${name}`, options[name], min, max, otherwise);
  const time = (name: keyof HttpOptions, otherwise: number) =>
    milliseconds(`options.${name}`, options[name], otherwise);
  const flag = (name: keyof HttpOptions) => boolean(`options.${name}`, options[name], false);
  const headBytesMax = whole('maxHeadBytes', 1024, 65535, 16 * 1024);
  const keepAlive = time('keepAliveTimeout', 5000);
  const streamsMax = checkHttp2(options.http2, secure);
  const profile: CheckedHttpOptions['profile'] = {
    headBytesMax,
    targetBytesMax: whole(
      'maxUrlBytes',
      1,
      headBytesMax - 1,
      Math.min(15 * 1024, headBytesMax - 1),
    ),
    headersMax: whole('maxHeaders', 1, 1000, 1000),
    bodyBytesMax: whole('maxBodyBytes', 0, Number.MAX_SAFE_INTEGER, 128 * 1024 * 1024),
    trailerBytesMax: whole('maxTrailerBytes', 64, 65535, 8 * 1024),
    trailersMax: whole('maxTrailers', 0, 1000, 32),
    chunkExtensionBytesMax: whole('maxChunkExtensionBytes', 0, 1024 * 1024, 4 * 1024),
    lenient: flag('lenient') ? LENIENT_ALL : 0,
    unknownMethods: flag('unknownMethods'),
    lengthRequired: flag('lengthRequired'),
    keepAliveMs: keepAlive < HINTED_MS_MIN ? keepAlive : keepAlive + CLOSED_LATER_MS,
    headersMs: time('headersTimeout', 60_000),
    requestMs: time('requestTimeout', 300_000),
    readMs: time('readTimeout', 0),
    writeMs: time('writeTimeout', 0),
    receiveRateMin: whole('minReceiveRate', 0, UINT32_MAX, 256),
    sendRateMin: whole('minSendRate', 0, UINT32_MAX, 256),
    rateWindowMs: whole('rateWindow', 1, INT32_MAX, 60_000),
    lingerMs: time('lingerTimeout', 5000),
    lingerBytesMax: whole('maxLingerBytes', 0, Number.MAX_SAFE_INTEGER, 16 * 1024 * 1024),
    requestsMax: requestsMax(options.maxRequestsPerConnection),
    holdUpgrades: flag('upgrade'),
    tellsFirstByte: false,
    answersSilence: false,
    proxies: proxies(options.proxyProtocol),
    routes: [],
  };
  return {
    profile,
    allowHalfOpen: flag('allowHalfOpen'),
    http2: streamsMax === 0 ? undefined : { ...profile, streamsMax },
    secure,
    serverLine: serverLine(options.serverHeader),
    keepAliveLines: keepAliveLines(keepAlive),
    metrics: flag('metrics'),
    accessLog: checkAccessLog(options.accessLog),
    serverTiming: flag('serverTiming'),
  };
}

/** As node:http says it: RFC 9110 section 7.6.1 wants Keep-Alive to be named by Connection. */
function keepAliveLines(milliseconds: number): string {
  if (milliseconds < HINTED_MS_MIN) return '';
  const seconds = Math.floor(milliseconds / 1000);
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`;
}

function requestsMax(value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return UINT32_MAX;
  return integer('options.maxRequestsPerConnection', value, 1, UINT32_MAX, UINT32_MAX);
}

function proxies(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidArgType('options.proxyProtocol', 'an array', value);
  for (const rule of value) {
    if (typeof rule !== 'string' || !native().httpAddressRule(rule)) {
      const expected = "made of addresses, networks in CIDR form, or 'unix'";
      throw invalidArgValue('options.proxyProtocol', expected, rule);
    }
  }
  return [...value];
}

function serverLine(value: unknown): string {
  if (value === false) return '';
  if (value === undefined) return 'Server: ringpoll\r\n';
  if (typeof value !== 'string') {
    throw invalidArgType('options.serverHeader', 'a string or false', value);
  }
  if (!/^[\x20-\x7e]+$/.test(value) || value.length > SERVER_LENGTH_MAX) {
    throw invalidArgValue('options.serverHeader', '1 to 1,024 characters of visible ASCII', value);
  }
  return `Server: ${value}\r\n`;
}
