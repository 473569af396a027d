// What sockets and servers need once one connects or listens: most of the package. It is loaded
// then, so that a program which does neither does not wait for it.
import { runtime } from '../runtime/runtime.js';
import { Converter } from './converting.js';
import { UV } from './errno.js';
import { ListeningHandle, type Place } from './listening_handle.js';
import { guardSending, guardTls } from './native_users.js';
import type { Seams } from './seams.js';
import { useSymbols } from './symbols.js';

export { ListeningHandle } from './listening_handle.js';
export { StreamHandle } from './stream_handle.js';

const ANY6 = '::';
const ANY4 = '0.0.0.0';
const IPV6_ONLY = 1;

/**
 * Starts the loop.
 * @throws what the addon or the loop throws where they cannot be
 */
export function begin(seams: Seams): void {
  runtime();
  useSymbols(seams.symbols);
}

/** What looks behind handles must not meet one of ours. It costs some milliseconds, once. */
export function guard(seams: Seams): void {
  const converter = new Converter(seams);
  guardTls(converter);
  guardSending(converter);
}

/** Without an address, both families where there is IPv6. */
export function listeningHandle(
  address: string | null,
  port: number | null,
  type: number | null,
  backlog: number,
  flags: number,
): ListeningHandle {
  const isPath = port === -1 && type === -1;
  const on = (host: string): Place => ({
    address: host,
    port: isPath ? -1 : (port ?? 0),
    ipv6Only: (flags & IPV6_ONLY) !== 0,
  });
  if (address) return new ListeningHandle(on(address), backlog);
  const both = new ListeningHandle(on(ANY6), backlog);
  const { refused } = both;
  const isFinal = refused === 0 || refused === UV.EADDRINUSE || refused === UV.EACCES;
  return isFinal ? both : new ListeningHandle(on(ANY4), backlog);
}
