// The handlers of WebSockets: servers and clients have the same.
import type { NamesOf } from '../option_names.js';
import type { Chunk } from '../tcp/chunk.js';
import type { HandlerContext } from '../tcp/handler_context.js';

/** Text is a string. Bytes are a lease: valid until the handler returns, or until release(). */
export type Message = string | Chunk;

/**
 * What happens to a WebSocket. Order: open, messages in the order of arrival, and close exactly
 * once, last. A handler may be async; if it throws or rejects, the `error` handler gets that error,
 * and the connection is ended without a closing handshake. Without an `error` handler it is an
 * uncaught exception.
 */
export interface WebSocketHandlersOf<Socket> {
  /** The handshake is over. */
  open?(socket: Socket): unknown;
  message?(socket: Socket, message: Message): unknown;
  /** After a send() that answered false: at most half of highWaterMark waits. */
  drain?(socket: Socket): unknown;
  /** A ping came; it has been answered. The payload is a copy. */
  ping?(socket: Socket, payload: Buffer): unknown;
  /** A pong came. The payload is a copy. */
  pong?(socket: Socket, payload: Buffer): unknown;
  /** The network's error, or one that a handler threw. close follows. */
  error?(socket: Socket, error: Error): unknown;
  /**
   * It is over. `code` is that of the peer's close frame, 1005 when that had none, or 1006 when
   * there was no close frame. The reason is the peer's.
   */
  close?(socket: Socket, code: number, reason: string): unknown;
}

/** What happens to those that have lost each other. Only servers have these. */
export interface SessionHandlersOf<Socket> {
  /** Nothing has come from the peer for as long as `deadAfter` allows. close follows, with 1006. */
  dead?(socket: Socket): unknown;
  /**
   * A client has come back: upgrade() gave the `session` of a connection that was lost. After open.
   */
  recovered?(socket: Socket, lost: LostSession): unknown;
}

/** What is known of the connection that a client had before. */
export interface LostSession {
  /** The `data` of its socket. */
  data: unknown;
  /** Its close code: 1006, unless the peer had begun to close. */
  code: number;
  /** Milliseconds for which the client was away; 0 when the old connection was still open. */
  away: number;
}

type Handlers = WebSocketHandlersOf<never> & SessionHandlersOf<never>;

/** What servers and clients have. */
export const HANDLERS: NamesOf<WebSocketHandlersOf<never>> = {
  open: true,
  message: true,
  drain: true,
  ping: true,
  pong: true,
  error: true,
  close: true,
};
/** What servers have. */
export const SERVER_HANDLERS: NamesOf<Handlers> = { ...HANDLERS, dead: true, recovered: true };
const NAMES = Object.keys(SERVER_HANDLERS) as (keyof Handlers)[];

/** The handlers alone, in the asynchronous context of who has given them. */
export function boundHandlers(given: Handlers, context: HandlerContext): Handlers {
  const handlers: Record<string, unknown> = {};
  for (const name of NAMES) {
    const handler = given[name] as ((...all: unknown[]) => unknown) | undefined;
    handlers[name] = handler === undefined ? undefined : context.bind(handler);
  }
  return handlers as Handlers;
}
