// Where a request goes: an origin, and a path on it.
import { invalidArgType, invalidArgValue } from '../errors.js';

export interface Origin {
  /** Origins with the same key share connections. */
  readonly key: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** As in Host: without the scheme's own port. */
  readonly authority: string;
}

export interface RequestTarget {
  readonly origin: Origin;
  /** Path and query, as they are sent. */
  readonly path: string;
}

const KEPT_MAX = 512;
const kept = new Map<string, RequestTarget>();

/**
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE
 */
export function targetOf(url: string | URL): RequestTarget {
  if (typeof url !== 'string') {
    if (!(url instanceof URL)) throw invalidArgType('url', 'a string or a URL', url);
    return parsed(url);
  }
  const known = kept.get(url);
  if (known !== undefined) return known;
  let made: URL;
  try {
    made = new URL(url);
  } catch {
    throw invalidArgValue('url', 'an absolute URL', url);
  }
  const target = parsed(made);
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value as string);
  kept.set(url, target);
  return target;
}

function parsed(url: URL): RequestTarget {
  return { origin: originOf(url), path: url.pathname + url.search };
}

export function originOf(url: URL): Origin {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') {
    throw invalidArgValue('url', 'of the scheme http or https', url.href);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidArgValue('url', 'without a user and a password: set authorization', url.host);
  }
  const { hostname, host } = url;
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { key: `${url.protocol}//${host}`, secure, host: bare, port, authority: host };
}
