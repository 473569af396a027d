// The URL of a request: absolute, and exactly what the URL standard's serialiser gives for it.
import { HeadFlag } from '../../runtime/protocol.js';
import { HttpRequestError } from '../errors.js';
import { flagsOf, hostOf } from '../head.js';
import { encodedBytes, isOdd } from '../paths.js';
import type { HttpRequest } from '../request.js';

/** Of requests without a Host, which are of HTTP/1.0. */
const NO_HOST = 'localhost';
/** What would make something else of it than a host and a port. */
const NOT_IN_HOST = /[\0- \x7f-\xff/\\?#@]/;
const ORIGINS_KEPT_MAX = 256;
const HOST_KEPT_LENGTH_MAX = 300;

/** The origins of one scheme. */
class Origins {
  readonly #scheme: string;
  readonly #kept = new Map<string, string>();
  #lastHost = '';
  #lastOrigin = '';

  constructor(scheme: string) {
    this.#scheme = scheme;
  }

  of(host: string): string {
    if (host === this.#lastHost && host !== '') return this.#lastOrigin;
    const origin = this.#kept.get(host) ?? this.#find(host);
    this.#lastHost = host;
    this.#lastOrigin = origin;
    return origin;
  }

  #find(host: string): string {
    if (host === '' || NOT_IN_HOST.test(host)) throw unfit('HOST_INVALID');
    const { origin } = parsed(`${this.#scheme}${host}`, 'HOST_INVALID');
    if (host.length > HOST_KEPT_LENGTH_MAX) return origin;
    // Strangers choose them: what they fill must be bounded, and useful again afterwards.
    if (this.#kept.size >= ORIGINS_KEPT_MAX) this.#kept.clear();
    this.#kept.set(host, origin);
    return origin;
  }
}

const plain = new Origins('http://');
const secure = new Origins('https://');

/**
 * Scheme, host and port by the connection and the Host header.
 * @throws HttpRequestError ERR_RINGPOLL_HTTP_HOST_INVALID: empty, or nothing that a URL can have
 */
export function originOf(http: HttpRequest): string {
  return (http.secure ? secure : plain).of(hostOf(http) ?? NO_HOST);
}

/**
 * The URL of a request whose origin is known (RFC 9112 section 3.3).
 * @throws HttpRequestError ERR_RINGPOLL_HTTP_TARGET_FORM: an absolute target that is no URL
 */
export function urlOf(http: HttpRequest, origin: string): string {
  const target = http.url; // throws when the request is over
  const form = flagsOf(http) & HeadFlag.targetMask;
  if (form === 0) {
    return isOdd(target) ? new URL(origin + encodedBytes(target)).href : origin + target;
  }
  if (form !== HeadFlag.targetAbsolute) return `${origin}/`;
  const url = parsed(encodedBytes(target), 'TARGET_FORM');
  // A Request has no credentials; only `lenient` lets them come this far.
  url.username = '';
  url.password = '';
  return url.href;
}

/** True: the target names scheme and host by itself. */
export function isAbsolute(http: HttpRequest): boolean {
  return (flagsOf(http) & HeadFlag.targetMask) === HeadFlag.targetAbsolute;
}

function parsed(text: string, reason: 'HOST_INVALID' | 'TARGET_FORM'): URL {
  try {
    return new URL(text);
  } catch {
    throw unfit(reason);
  }
}

function unfit(reason: 'HOST_INVALID' | 'TARGET_FORM'): HttpRequestError {
  const message = 'The host of the request is none that a URL can have';
  return new HttpRequestError(`ERR_RINGPOLL_HTTP_${reason}`, 400, message);
}
