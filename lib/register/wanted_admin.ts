// Where admin() is to listen: the variables RINGPOLL_ADMIN and RINGPOLL_ADMIN_TOKEN.
import { invalidArgValue } from '../errors.js';
import { ADMIN_TOKEN, ADMIN_TOKEN_FORM } from '../token.js';

const PORT_MAX = 65_535;
const FORM = 'a port, or an address (or localhost) and a port, such as 6060 or [::1]:6060';

/** Options of admin(). */
export interface WantedAdmin {
  host: string | undefined;
  port: number;
  token: string | undefined;
}

/**
 * undefined: it is not wanted.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE
 */
export function wantedAdmin({
  RINGPOLL_ADMIN: where = '',
  RINGPOLL_ADMIN_TOKEN: token = '',
}: NodeJS.ProcessEnv): WantedAdmin | undefined {
  if (where === '') return undefined;
  const [, inBrackets, name, digits] =
    /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(where) ?? [];
  const port = Number(digits);
  const { isIPv4, isIPv6 } = process.getBuiltinModule('node:net');
  const isHost =
    inBrackets === undefined
      ? name === undefined || name === 'localhost' || isIPv4(name)
      : isIPv6(inBrackets);
  if (digits === undefined || port > PORT_MAX || !isHost) {
    throw invalidArgValue('RINGPOLL_ADMIN', FORM, where);
  }
  if (token !== '' && !ADMIN_TOKEN.test(token)) {
    // Not with its value: messages are logged.
    const given = `${token.length} characters`;
    throw invalidArgValue('RINGPOLL_ADMIN_TOKEN', ADMIN_TOKEN_FORM, given);
  }
  return { host: inBrackets ?? name, port, token: token || undefined };
}
