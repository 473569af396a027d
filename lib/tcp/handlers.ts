// The handlers and options that listen() and connect() share.
import type { Chunk } from './chunk.js';
import type { SocketOptions } from './socket_options.js';

/**
 * What happens to a connection. Order: open, data in the order of arrival, end (the peer's FIN),
 * and close exactly once, last. A handler may be async; if it throws or rejects, the `error`
 * handler gets that error, once, and the connection is reset; what `close` throws reaches it after
 * the close. Without an `error` handler, and from `error` itself, it is an uncaught exception, as
 * in Node. The microtasks and next ticks of a handler run before the next handler.
 */
export interface HandlersOf<Connection> {
  /** The connection is there. */
  open?(connection: Connection): unknown;
  /** Bytes have come. Without this handler the connection is paused until it is iterated. */
  data?(connection: Connection, chunk: Chunk): unknown;
  /** After a write answered false: at most half of highWaterMark is still waiting. */
  drain?(connection: Connection): unknown;
  /** The peer's FIN: no more data. Without allowHalfOpen our end() follows. */
  end?(connection: Connection): unknown;
  /**
   * Nothing was sent or received for the time-out; what follows is the handler's choice. Without it
   * the connection is closed, and `close` gets ERR_RINGPOLL_IDLE_TIMEOUT.
   */
  timeout?(connection: Connection): unknown;
  /** The network's error, or one that a handler threw. close follows. */
  error?(connection: Connection, error: Error): unknown;
  /** It is over; `error` is why, when that was not in order. */
  close?(connection: Connection, error?: Error): unknown;
}

export interface ConnectionOptions extends SocketOptions {
  /** Go on writing after the peer's FIN, until end() is called. Default: false. */
  allowHalfOpen?: boolean;
  /** Bytes that may wait before write() answers false, 1 to 2^31-1. Default: 65,536. */
  highWaterMark?: number;
  /** Send small writes at once (TCP_NODELAY). Default: true. A Unix socket does so anyway. */
  noDelay?: boolean;
  /**
   * Probe silent peers (SO_KEEPALIVE); a number is the milliseconds before the first probe, 0 to
   * 32,767,000, in whole seconds and at least one; 0 leaves them to the system. Default: false. A
   * Unix socket has no probes.
   */
  keepAlive?: boolean | number;
  /**
   * Milliseconds without a byte before the timeout handler, or before the connection is closed when
   * there is no such handler; 0 is none, the default.
   */
  idleTimeout?: number;
  /** Which engine serves it, when the loop has both. Default: 'auto'. */
  engine?: 'auto' | 'uring' | 'poll';
  /** Aborting destroys what was opened. */
  signal?: AbortSignal;
}
