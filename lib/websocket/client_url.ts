// Where a WebSocket client connects to, and what it asks for there.
import { invalidArgType, invalidArgValue } from '../errors.js';

export interface Goal {
  /** As it was asked for, in the form of the URL standard. */
  href: string;
  /** Over TLS. */
  secure: boolean;
  host: string;
  port: number;
  /** What the request line names: path and query. */
  target: string;
  /** What the Host header says. */
  authority: string;
  /** "user:password" of the URL, decoded; undefined without. */
  credentials: string | undefined;
}

const SECURE: Readonly<Record<string, boolean>> = {
  'ws:': false,
  'http:': false,
  'wss:': true,
  'https:': true,
};

/**
 * Takes a URL apart. `http:` means `ws:`, and `https:` `wss:`, as the WebSocket standard has it.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE
 */
export function goalOf(url: unknown): Goal {
  if (typeof url !== 'string' && !(url instanceof URL)) {
    throw invalidArgType('url', 'a string or a URL', url);
  }
  const text = String(url);
  if (!URL.canParse(text)) throw invalidArgValue('url', 'an absolute URL', text);
  const parsed = new URL(text);
  const secure = SECURE[parsed.protocol];
  if (secure === undefined) throw invalidArgValue('url', 'of the scheme ws or wss', text);
  if (parsed.hash !== '' || parsed.href.endsWith('#')) {
    throw invalidArgValue('url', 'without a fragment', text);
  }
  // The setter of URL refuses no change between these: all of them are special.
  parsed.protocol = secure ? 'wss:' : 'ws:';
  const { username, password } = parsed;
  const named = username !== '' || password !== '';
  return {
    href: parsed.href,
    secure,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port),
    target: `${parsed.pathname}${parsed.search}`,
    authority: parsed.host,
    credentials: named
      ? `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
      : undefined,
  };
}
