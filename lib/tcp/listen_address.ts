// Where a listener is bound: a path, a descriptor, an address, or one of the addresses of a name.
import { net } from '../builtins.js';
import { integer } from '../checks.js';
import { invalidArgValue } from '../errors.js';
import type { NativeLoop } from '../runtime/native.js';
import { Control } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import {
  lookupError,
  type SystemError,
  systemError,
  type Target,
} from '../runtime/system_error.js';
import { checkHostName, checkPath, checkPort } from './options.js';

/** What listen() may be given for it. */
interface Given {
  host?: string;
  port?: number;
  path?: string;
  fd?: number;
}

/** No host is given; no name is empty. */
const ANY = '';

/** What can be bound, and how errors name it. */
export interface Place {
  name: string;
  port: number;
  fd: number;
  described: Target | undefined;
}

/** One place, or a name that has to be looked up. */
export function checkTarget(options: Given): Place {
  const given = ['port', 'path', 'fd'].filter((name) => name in options);
  const chosen = given.filter((name) => options[name as 'port'] !== undefined);
  if (chosen.length !== 1) {
    throw invalidArgValue('options', 'given exactly one of port, path and fd', options);
  }
  if (options.path !== undefined) {
    if (options.host !== undefined) {
      throw invalidArgValue('options.host', 'left out when a path is given', options.host);
    }
    const path = checkPath(options.path);
    return { name: path, port: -1, fd: -1, described: { path } };
  }
  if (options.fd !== undefined) {
    const fd = integer('options.fd', options.fd, 0, 2 ** 31 - 1, -1);
    return { name: '', port: -1, fd, described: undefined };
  }
  return placeOf(options.host, checkPort('options.port', options.port));
}

/** The same for what has no path. */
export function placeOf(host: unknown, port: number): Place {
  const name = host === undefined ? ANY : checkHostName(host as string);
  return { name, port, fd: -1, described: { host: name, port } };
}

/** Addresses that this machine may not have: the next one is tried then. */
const NOT_HERE: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/** Binds to the first address that this machine has. `bind` answers an errno, or 0. */
export function bindToOne(loop: Runtime, target: Place, bind: (place: Place) => number): void {
  const places =
    target.port < 0
      ? [target]
      : addressesOf(loop.native, target.name).map((name) => ({
          ...target,
          name,
          described: { host: name, port: target.port },
        }));
  let refused: unknown;
  for (const place of places) {
    const errno = bind(place);
    if (errno === 0) return;
    refused = systemError(errno, loop.control[Control.resultSyscall], place.described);
    if (!NOT_HERE.includes((refused as SystemError).code)) break;
  }
  throw refused;
}

/** What to try to bind to, in this order. @throws the error of a look-up */
export function addressesOf(native: Pick<NativeLoop, 'lookUpHost'>, host: string): string[] {
  if (host === ANY) return ['::', '0.0.0.0'];
  if (host === 'localhost') return ['127.0.0.1'];
  if (net().isIP(host) !== 0) return [host];
  const found = native.lookUpHost(host);
  if (typeof found === 'string') throw lookupError(found, host);
  return found;
}
