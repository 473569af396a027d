// What the connections of one listener, or of one connect call, have in common.
import { AsyncResource } from 'node:async_hooks';
import type { Chunk } from './chunk.js';
import type { Connection } from './connection.js';
import type { Handlers } from './handlers.js';

type Result = unknown;

// From Node 24 on a context is a frame, and entering one is cheap; before, it hangs on a resource.
const HAS_FRAMES = Number(process.versions.node.split('.')[0]) >= 24;

/** What stands between received bytes and the user: for connections that are not raw. */
export interface Protocol {
  /** An event of the protocol's own, at `at` in the event ring. */
  event(kind: number, at: number): void;
  /** The connection is over, before its handlers hear of it. */
  closed(connection: Connection, error: Error | undefined): void;
  /** The peer's FIN; true: it came in the middle of something. */
  ended(connection: Connection, torn: boolean): void;
}

export class Group<Data = unknown> {
  readonly open: ((connection: Connection<Data>) => Result) | undefined;
  readonly data: ((connection: Connection<Data>, chunk: Chunk) => Result) | undefined;
  readonly drain: ((connection: Connection<Data>) => Result) | undefined;
  readonly end: ((connection: Connection<Data>) => Result) | undefined;
  readonly timeout: ((connection: Connection<Data>) => Result) | undefined;
  readonly error: ((connection: Connection<Data>, error: Error) => Result) | undefined;
  readonly close: ((connection: Connection<Data>, error?: Error) => Result) | undefined;
  readonly allowHalfOpen: boolean;
  readonly highWaterMark: number;
  /** Native code's number; set when the listener or the connection is there. */
  owner = -1;
  /** Open connections, those included whose close waits for resume(). */
  connections = 0;
  /** Of these, and of those that are connecting: what native code has. */
  natives = 0;
  /** Connections whose close waits for resume(): native code has forgotten them. */
  closeHeld: Set<Connection> | undefined;
  /** The listener's group, when the connection has been taken over from HTTP. */
  listening: Group | undefined;
  protocol: Protocol | undefined;
  /** Called when native code has nothing of this group any more. */
  onListenerClosed: (() => void) | undefined;
  onConnectionClosed: (() => void) | undefined;
  onAcceptError: ((errno: number) => void) | undefined;

  constructor(handlers: Handlers<Data>, allowHalfOpen: boolean, highWaterMark: number) {
    const context = currentContext();
    this.open = bind(handlers.open, context);
    this.data = bind(handlers.data, context);
    this.drain = bind(handlers.drain, context);
    this.end = bind(handlers.end, context);
    this.timeout = bind(handlers.timeout, context);
    this.error = bind(handlers.error, context);
    this.close = bind(handlers.close, context);
    this.allowHalfOpen = allowHalfOpen;
    this.highWaterMark = highWaterMark;
  }
}

// Handlers run in the asynchronous context of listen() or connect(), as with node:net. Entering a
// context costs more than the rest of the dispatch, so it is done only when there is one: a new
// AsyncResource carries the values of the AsyncLocalStorages that are in use.
function currentContext(): AsyncResource | undefined {
  const resource = new AsyncResource('RINGPOLL');
  if (HAS_FRAMES) return resource;
  const ordinary = new Set(['async_id_symbol', 'trigger_async_id_symbol', 'destroyed']);
  for (const key of Object.getOwnPropertySymbols(resource)) {
    if (ordinary.has(key.description ?? '')) continue;
    if ((resource as unknown as Record<symbol, unknown>)[key] !== undefined) return resource;
  }
  return undefined;
}

function bind<Args extends unknown[]>(
  handler: ((...args: Args) => Result) | undefined,
  context: AsyncResource | undefined,
): ((...args: Args) => Result) | undefined {
  if (handler === undefined || context === undefined) return handler;
  if (HAS_FRAMES) return (...args) => context.runInAsyncScope(handler, undefined, ...args);
  // A resource of its own for each call: it inherits the stores, and keeps what is entered.
  const call = (...args: Args) =>
    new AsyncResource('RINGPOLL').runInAsyncScope(handler, undefined, ...args);
  return (...args) => context.runInAsyncScope(call, undefined, ...args);
}

/** The handler, in the asynchronous context of whoever calls this. */
export function bindToContext<Args extends unknown[]>(
  handler: (...args: Args) => Result,
): (...args: Args) => Result {
  return bind(handler, currentContext()) as (...args: Args) => Result;
}
