// What the connections of one listener, or of one connect call, have in common.
import type { Chunk } from './chunk.js';
import { HandlerContext } from './handler_context.js';
import type { HandlersOf } from './handlers.js';
import type { EndpointTls } from './tls_endpoint.js';

type Result = unknown;

/** What stands between received bytes and the user: for connections that are not raw. */
export interface Protocol<Connection> {
  /** An event of the protocol's own, at `at` in the event ring. */
  event(kind: number, at: number): void;
  /** The connection is over, before its handlers hear of it. */
  closed(connection: Connection, error: Error | undefined): void;
  /** The peer's FIN; true: it came in the middle of something. */
  ended(connection: Connection, truncated: boolean): void;
  /** TLS has agreed on HTTP/2 for this connection, whose bytes come as they are. */
  http2?(connection: Connection): void;
  /** The listener and all of its connections are over. */
  over(): void;
}

/** Where a listener of a group of threads stands: in numbers of native code's. */
export interface GroupPlace {
  readonly group: number;
  readonly threads: number;
  readonly listener: number;
}

export class Endpoint<Connection> {
  readonly open: ((connection: Connection) => Result) | undefined;
  readonly data: ((connection: Connection, chunk: Chunk) => Result) | undefined;
  readonly drain: ((connection: Connection) => Result) | undefined;
  readonly end: ((connection: Connection) => Result) | undefined;
  readonly timeout: ((connection: Connection) => Result) | undefined;
  readonly error: ((connection: Connection, error: Error) => Result) | undefined;
  readonly close: ((connection: Connection, error?: Error) => Result) | undefined;
  /** In the place of `open`, for a connection that comes from another thread. */
  transferred: ((connection: Connection, data: unknown) => Result) | undefined;
  /** Of a listener that threads of a group have in common. */
  place: GroupPlace | undefined;
  /** Makes what `connection.data` begins with. */
  makeData: ((connection: Connection) => unknown) | undefined;
  /** @internal */
  readonly _context = new HandlerContext();
  readonly allowHalfOpen: boolean;
  readonly highWaterMark: number;
  /** Native code's number; set when the listener or the connection is there. */
  id = -1;
  /** Open connections, those included whose close waits for resume(). */
  connections = 0;
  /** Of these, and of those that are connecting: what native code has. */
  natives = 0;
  /** Connections whose close waits for resume(): native code has forgotten them. */
  closeHeld: Set<Connection> | undefined;
  /** The listener's endpoint, when the connection has been taken over from HTTP. */
  listening: Endpoint<Connection> | undefined;
  protocol: Protocol<Connection> | undefined;
  /** undefined: what is spoken goes to the socket as it is. */
  tls: EndpointTls | undefined;
  /** Called when native code has nothing of this endpoint any more. */
  onListenerClosed: (() => void) | undefined;
  onConnectionClosed: (() => void) | undefined;
  /** Native code has one connection less, though its close waits for resume(). */
  onCloseHeld: (() => void) | undefined;
  onAcceptError: ((errno: number) => void) | undefined;

  constructor(handlers: HandlersOf<Connection>, allowHalfOpen: boolean, highWaterMark: number) {
    const bind = <Args extends unknown[]>(handler?: (...args: Args) => Result) =>
      handler === undefined ? undefined : this._context.bind(handler);
    this.open = bind(handlers.open);
    this.data = bind(handlers.data);
    this.drain = bind(handlers.drain);
    this.end = bind(handlers.end);
    this.timeout = bind(handlers.timeout);
    this.error = bind(handlers.error);
    this.close = bind(handlers.close);
    this.allowHalfOpen = allowHalfOpen;
    this.highWaterMark = highWaterMark;
  }

  /** `data` is what `data` of its connections begins with, or makes it. */
  beginWith(data: unknown): void {
    if (data === undefined) return;
    this.makeData =
      typeof data === 'function' ? this._context.bind(data as () => unknown) : () => data;
  }

  /** Nothing of it is open any more, nor will be. */
  over(): void {
    this._context.over();
    this.protocol?.over();
    // Another one that listens has it too.
    if (this.listening === undefined) this.tls?.over();
  }
}
