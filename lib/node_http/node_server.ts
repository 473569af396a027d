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
