// What both stand-ins for entries of the package share: listeners over TLS behind a relay.
import { relayToTls } from './relay.js';

interface Listening {
  readonly port: number | undefined;
  readonly address: object;
  stop(...args: never[]): unknown;
  close(...args: never[]): unknown;
  destroy(): unknown;
}

/** Where the relays of this thread lead: a client of ours needs none. */
export const behind = new Map<number, number>();

/** The same listener, which says that it listens where its relay does. */
export function behindRelay<Of extends Listening>(listener: Of): Of {
  const port = listener.port as number;
  const relay = relayToTls(port);
  behind.set(relay.port, port);
  const { address } = listener;
  Object.defineProperty(listener, 'port', { value: relay.port });
  Object.defineProperty(listener, 'address', { value: { ...address, port: relay.port } });
  for (const name of ['stop', 'close', 'destroy'] as const) {
    const really = listener[name].bind(listener) as (...args: unknown[]) => unknown;
    const first = (...args: unknown[]) => {
      relay.close();
      return really(...args);
    };
    Object.defineProperty(listener, name, { value: first });
  }
  return listener;
}

/** Unix sockets, descriptors, and listeners with TLS of their own are left as they are. */
export function isPlainTcp(options: unknown): options is { port?: number } {
  if (typeof options !== 'object' || options === null) return false;
  const { path, fd, tls } = options as Record<string, unknown>;
  return path === undefined && fd === undefined && tls === undefined;
}
