// An http.Server, with what Node keeps on it beside what its types say.
import type http from 'node:http';

export interface NodeServer extends http.Server {
  emit(event: string | symbol, ...args: unknown[]): boolean;
  _handle: unknown;
  _connections: number;
  _unref: boolean;
  _emitCloseIfDrained(): void;
  requireHostHeader: boolean;
  httpAllowHalfOpen: boolean;
  rejectNonStandardBodyWrites: boolean;
  joinDuplicateHeaders: boolean | undefined;
  insecureHTTPParser: boolean | undefined;
  maxHeaderSize: number | undefined;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  pauseOnConnect: boolean;
  highWaterMark: number;
  /** From Node 24 on. */
  shouldUpgradeCallback?(request: unknown): boolean;
  keepAliveTimeoutBuffer?: number;
}

/** node:http closes a kept connection so much later than it has said. */
const CLOSED_LATER_MS = 1000;

/** Milliseconds after which a connection that nobody asks anything of is closed; 0: never. */
export function idleTimeout(server: NodeServer): number {
  const { keepAliveTimeout, keepAliveTimeoutBuffer = CLOSED_LATER_MS } = server;
  return keepAliveTimeout > 0 ? keepAliveTimeout + keepAliveTimeoutBuffer : 0;
}
