// http.Server: Node's own, whose listening socket and connections are ringpoll's where that is
// possible. What it needs that is not native makes it Node's altogether, when it begins to listen.
import http from 'node:http';
import net from 'node:net';
import { noteFallback, noteServed } from '../faces.js';
import { whyNotNative } from './fallback.js';
import type { Host } from './host.js';
import { SERVED } from './names.js';
import type * as NativeSide from './native_side.js';
import type { NodeServer } from './node_server.js';
import { seams } from './outgoing.js';

type Listener = (...args: unknown[]) => void;
type Bag = Record<PropertyKey, unknown>;

const StockServer = http.Server;
const stock = StockServer.prototype as unknown as Record<PropertyKey, Listener>;
/** Node's, also where node:net is replaced: it only opens what it is given. */
const openHandle = (net.Server.prototype as unknown as Record<string, Listener>)._listen2;
/** What there is now: of node:net, or of what stands in its place. */
const otherwise = (server: object, args: unknown[]): unknown =>
  Reflect.apply(
    (net.Server.prototype as unknown as Record<string, Listener>)._listen2,
    server,
    args,
  );

/** Loads what only servers that listen need: most of the package. */
export const nativeSide: { load: () => typeof NativeSide } = {
  load() {
    throw new Error('nothing loads the native side');
  },
};

/** The native side of a server, while it has one. */
export const HOST: unique symbol = Symbol('ringpoll.host');
export const STRICT: unique symbol = Symbol('ringpoll.strict');

/** Called with and without `new`, as Node's is. */
export function Server(this: unknown, options?: unknown, listener?: unknown): unknown {
  if (!(this instanceof StockServer)) {
    return new (Server as unknown as new (...args: unknown[]) => object)(options, listener);
  }
  Reflect.apply(StockServer as unknown as () => void, this, [options, listener]);
  const strict = (options as { strict?: unknown } | null | undefined)?.strict;
  if (strict === true) (this as unknown as Bag)[STRICT] = true;
  const server = this as unknown as http.Server;
  const [connected] = server.listeners('connection') as Listener[];
  server.removeListener('connection', connected);
  server.prependListener('connection', function first(this: unknown, socket: unknown) {
    // What is served natively has its parser already; all else gets Node's.
    const served = (socket as Bag | null)?.[SERVED] === true;
    if (!served) Reflect.apply(connected, this, [socket]);
  } as Listener);
  return undefined;
}
Object.setPrototypeOf(Server, StockServer);
Server.prototype = Object.create(StockServer.prototype, {
  constructor: { value: Server, writable: true, configurable: true },
});
Object.defineProperty(Server, Symbol.hasInstance, {
  value(this: unknown, value: unknown) {
    if (this === Server && value instanceof StockServer) return true;
    return Reflect.apply(Function.prototype[Symbol.hasInstance], this, [value]);
  },
});

const proto = Server.prototype as unknown as Record<PropertyKey, unknown>;

/** Or why it cannot be loaded. */
function loaded(): typeof NativeSide | string {
  try {
    return nativeSide.load();
  } catch (error) {
    return `ringpoll cannot be loaded: ${(error as Error).message}`;
  }
}

proto._listen2 = function listen2(
  this: NodeServer & Bag,
  address: string | null,
  port: number,
  addressType: number,
  backlog: number,
  fd: number | undefined,
  flags: number,
): void {
  const given = this._handle !== null && this._handle !== undefined;
  const why =
    given || typeof fd === 'number' ? 'its socket comes from elsewhere' : whyNotNative(this, seams);
  if (why !== undefined) {
    noteFallback(why, this);
    otherwise(this, [address, port, addressType, backlog, fd, flags]);
    return;
  }
  const side = loaded();
  if (typeof side === 'string') {
    noteFallback(side, this);
    otherwise(this, [address, port, addressType, backlog, fd, flags]);
    return;
  }
  const { Host, ListenHandle } = side;
  const host = new Host(this);
  this[HOST] = host;
  noteServed(this); // node:net's face would take the handle for one of somebody else
  this._handle = new ListenHandle(host, address, port, addressType, flags, this[STRICT] === true);
  const named = address ?? '::';
  Reflect.apply(openHandle, this, [named, port, addressType, backlog, fd, flags]);
};

proto.closeAllConnections = function closeAllConnections(this: NodeServer & Bag): void {
  stock.closeAllConnections.call(this);
  (this[HOST] as Host | undefined)?.closeAll();
};

proto.closeIdleConnections = function closeIdleConnections(this: NodeServer & Bag): void {
  stock.closeIdleConnections.call(this);
  (this[HOST] as Host | undefined)?.closeIdle();
};

/** As http.createServer(); `strict` refuses every Host that is none, and '#' in a target. */
export function createServer(options?: unknown, listener?: unknown): http.Server {
  return new (Server as unknown as new (...args: unknown[]) => http.Server)(options, listener);
}
