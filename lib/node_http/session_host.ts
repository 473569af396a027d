// The server of a connection that is served natively.
import type { RequestMeter } from '../http/request_meter.js';
import type { Runtime } from '../runtime/runtime.js';
import type { NodeServer } from './node_server.js';

/** What a session knows of its server. */
export interface SessionHost<Session> {
  readonly server: NodeServer;
  readonly unique: unknown;
  readonly runtime: Runtime;
  /** Of a request: its target, and names and values of its headers. */
  readonly headBytesMax: number;
  /** undefined: nobody measures. */
  readonly _meter: RequestMeter | undefined;
  /** What programs change while it listens is told to native code. */
  followTimeouts(): void;
  forget(session: Session): void;
  /** The connection is over, and does not count any more. */
  gone(): void;
}
