// The URL of a request: absolute, and exactly what the URL standard's serialiser gives for it.
import { HeadFlag } from '../../runtime/protocol.js';
import { HttpRequestError } from '../errors.js';
import { flagsOf, hostOf } from '../head.js';
import { encodedBytes, isOdd } from '../paths.js';
import type { HttpRequest } from '../request.js';

/** Of requests without a Host, which are of HTTP/1.0. */
const NO_HOST = 'http://localhost';
/** What would make something else of it than a host and a port. */
const NOT_IN_HOST = /[\0- \x7f-\xff/\\?#@]/;
const ORIGINS_KEPT_MAX = 256;
const HOST_KEPT_LENGTH_MAX = 300;

const origins = new Map<string, string>();
let lastHost = '';
let lastOrigin = '';

/**
 * Scheme, host and port by the Host header.
 * @throws HttpRequestError ERR_RINGPOLL_HTTP_HOST_INVALID: empty, or nothing that a URL can have
 */
export function originOf(http: HttpRequest): string {
  const host = hostOf(http);
  if (host === undefined) return NO_HOST;
  if (host === lastHost && host !== '') return lastOrigin;
  const origin = origins.get(host) ?? newOrigin(host);
  lastHost = host;
  lastOrigin = origin;
  return origin;
}

function newOrigin(host: string): string {
  if (host === '' || NOT_IN_HOST.test(host)) throw unfit('HOST_INVALID');
  const { origin } = parsed(`http://${host}`, 'HOST_INVALID');
  if (host.length > HOST_KEPT_LENGTH_MAX) return origin;
  // Strangers choose them: what they fill must be bounded, and useful again afterwards.
  if (origins.size >= ORIGINS_KEPT_MAX) origins.clear();
  origins.set(host, origin);
  return origin;
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
