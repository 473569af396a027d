// The options of serve(), their defaults and their checks.
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { NativeHttpProfile } from '../loop/native.js';
import { boolean, integer, milliseconds } from '../tcp/options.js';

export interface HttpOptions {
  /** Request line and headers, in bytes: 431 beyond. 1 KB to 65,535. Default: 16 KB. */
  maxHeadBytes?: number;
  /** The request target, in bytes: 414 beyond. Default: 8 KB. */
  maxUrlBytes?: number;
  /** Header lines: 431 beyond. 1 to 1,000. Default: 100. */
  maxHeaders?: number;
  /** A body, in bytes without its framing: 413 beyond. Default: 128 MB. */
  maxBodyBytes?: number;
  /** Requests on one connection; the last one's answer says `Connection: close`. Default: none. */
  maxRequestsPerConnection?: number;
  /** Milliseconds without a request before an idle connection is closed. Default: 5,000. */
  keepAliveTimeout?: number;
  /** Milliseconds from a request's first byte to the end of its headers: 408. Default: 60,000. */
  headersTimeout?: number;
  /** Milliseconds from a request's first byte to its last: 408. Default: 300,000. */
  requestTimeout?: number;
  /** The Server header, or false for none. Default: 'ringpoll'. */
  serverHeader?: string | false;
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
}

const LENIENT_ALL = (1 << 7) - 1;
const TRAILER_BYTES_MAX = 8 * 1024;
const TRAILERS_MAX = 32;
const CHUNK_EXTENSION_BYTES_MAX = 4 * 1024;

export interface CheckedHttpOptions {
  profile: NativeHttpProfile;
  maxRequests: number;
  /** 'Server: ringpoll\r\n' or ''. */
  serverLine: string;
}

export function checkHttpOptions(options: HttpOptions): CheckedHttpOptions {
  const headBytesMax = integer('options.maxHeadBytes', options.maxHeadBytes, 1024, 65535, 16384);
  const { maxUrlBytes } = options;
  const urlDefault = Math.min(8192, headBytesMax - 1);
  const profile: NativeHttpProfile = {
    headBytesMax,
    targetBytesMax: integer('options.maxUrlBytes', maxUrlBytes, 1, headBytesMax - 1, urlDefault),
    headersMax: integer('options.maxHeaders', options.maxHeaders, 1, 1000, 100),
    bodyBytesMax: integer(
      'options.maxBodyBytes',
      options.maxBodyBytes,
      0,
      Number.MAX_SAFE_INTEGER,
      128 * 1024 * 1024,
    ),
    trailerBytesMax: TRAILER_BYTES_MAX,
    trailersMax: TRAILERS_MAX,
    chunkExtensionBytesMax: CHUNK_EXTENSION_BYTES_MAX,
    lenient: boolean('options.lenient', options.lenient, false) ? LENIENT_ALL : 0,
    unknownMethods: boolean('options.unknownMethods', options.unknownMethods, false),
    lengthRequired: boolean('options.lengthRequired', options.lengthRequired, false),
    keepAliveMs: atLeastOne(
      milliseconds('options.keepAliveTimeout', options.keepAliveTimeout, 5000),
    ),
    headersMs: atLeastOne(milliseconds('options.headersTimeout', options.headersTimeout, 60_000)),
    requestMs: atLeastOne(milliseconds('options.requestTimeout', options.requestTimeout, 300_000)),
    holdUpgrades: boolean('options.upgrade', options.upgrade, false),
    routes: [],
  };
  const { maxRequestsPerConnection: max } = options;
  const maxRequests =
    max === undefined || max === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : integer('options.maxRequestsPerConnection', max, 1, Number.MAX_SAFE_INTEGER, 1);
  return { profile, maxRequests, serverLine: serverLine(options.serverHeader) };
}

function atLeastOne(value: number): number {
  return Math.max(1, value);
}

function serverLine(value: unknown): string {
  if (value === false) return '';
  if (value === undefined) return 'Server: ringpoll\r\n';
  if (typeof value !== 'string') {
    throw invalidArgType('options.serverHeader', 'a string or false', value);
  }
  if (!/^[\x20-\x7e]+$/.test(value)) {
    throw invalidArgValue('options.serverHeader', 'visible ASCII', value);
  }
  return `Server: ${value}\r\n`;
}
