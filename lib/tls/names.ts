// Names of servers, in the form in which clients send them.
import { net, url } from '../builtins.js';
import { invalidArgType, invalidArgValue } from '../errors.js';

const NAME_LENGTH_MAX = 253;
const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** A key of `sni`: a name, or `*.` and a name. Other letters than ASCII's are put as in the DNS. */
export function checkServerName(path: string, name: string): string {
  const isWildcard = name.startsWith('*.');
  const rest = isWildcard ? name.slice(2) : name;
  const ascii = asciiName(rest);
  if (ascii === undefined) {
    throw invalidArgValue(path, "named by a host name, or by '*.' and a host name", name);
  }
  return isWildcard ? `*.${ascii}` : ascii;
}

/** undefined: it is no host name, but an address perhaps. */
export function asciiName(name: string): string | undefined {
  const ascii = url().domainToASCII(name.replace(/\.$/, '')).toLowerCase();
  if (ascii.length > NAME_LENGTH_MAX || !NAME.test(ascii)) return undefined;
  return net().isIP(ascii) === 0 ? ascii : undefined;
}

/**
 * What a client sends as the server's name; empty: nothing. RFC 6066, section 3: never an address.
 */
export function checkClientName(path: string, value: unknown, host: string): string {
  if (value !== undefined && typeof value !== 'string') {
    throw invalidArgType(path, 'a string', value);
  }
  if (value === '') return '';
  const given = value ?? host;
  if (net().isIP(given) !== 0) {
    if (value === undefined) return '';
    throw invalidArgValue(path, 'a host name, and no IP address', value);
  }
  const ascii = asciiName(given);
  if (ascii !== undefined) return ascii;
  if (value === undefined) return '';
  throw invalidArgValue(path, 'a host name', value);
}
