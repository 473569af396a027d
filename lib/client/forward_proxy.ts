// The proxy that a client's requests go through, as it is given.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { fieldLine } from '../http/header_fields.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Origin, originOf } from './target.js';

export interface ForwardProxyOptions {
  /** Its URL, of the scheme http. */
  url: string | URL;
  /** The Proxy-Authorization header, such as 'Bearer TOKEN'. Default: by the URL. */
  authorization?: string;
}

export interface ForwardProxy {
  readonly origin: Origin;
  /** The header line for it, or ''. */
  readonly authorization: string;
}

const OPTIONS = optionNames<ForwardProxyOptions>('proxy', { url: true, authorization: true });

/**
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _UNKNOWN_OPTION, and as
 *   node:http for the value of a header
 */
export function checkForwardProxy(
  value: string | URL | ForwardProxyOptions | undefined,
  socketPath: string | undefined,
): ForwardProxy | undefined {
  if (value === undefined) return undefined;
  if (socketPath !== undefined) {
    throw invalidArgValue('options.proxy', 'left out when a socketPath is given', 'both');
  }
  const isUrl = typeof value === 'string' || value instanceof URL;
  if (!isUrl) checkOptions(OPTIONS, value, 'options.proxy');
  const { url: given, authorization }: ForwardProxyOptions = isUrl ? { url: value } : value;
  const url = urlOf(given);
  const { username, password } = url;
  url.username = url.password = '';
  if (url.protocol !== 'http:') {
    throw invalidArgValue('options.proxy', 'a URL of the scheme http', url.href);
  }
  const origin = originOf(url);
  if (authorization !== undefined) {
    if (typeof authorization !== 'string') {
      throw invalidArgType('options.proxy.authorization', 'a string', authorization);
    }
    return { origin, authorization: fieldLine('proxy-authorization', authorization) };
  }
  if (username === '' && password === '') return { origin, authorization: '' };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = `Basic ${Buffer.from(user).toString('base64')}`;
  return { origin, authorization: fieldLine('proxy-authorization', basic) };
}

function urlOf(value: unknown): URL {
  if (typeof value !== 'string' && !(value instanceof URL)) {
    throw invalidArgType('options.proxy', 'a string, a URL, or an object with a url', value);
  }
  try {
    return new URL(value);
  } catch {
    throw invalidArgValue('options.proxy', 'an absolute URL', value);
  }
}
