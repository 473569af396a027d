// Node's Socket and Server over handles of ours: what their prototypes do from then on. Sockets and
// servers that were not chosen stay as they are.
import net from 'node:net';
import { runtime } from '../runtime/runtime.js';
import { Converter } from './converting.js';
import { UV } from './errno.js';
import { ListeningHandle, type Place } from './listening_handle.js';
import { guardSending, guardTls } from './native_users.js';
import { findSeams, type NodeServer, type NodeSocket, type Seams } from './seams.js';
import { StreamHandle } from './stream_handle.js';
import { useSymbols } from './symbols.js';

const ANY6 = '::';
const ANY4 = '0.0.0.0';
const IPV6_ONLY = 1;

export class Face {
  /** Every socket and server of the process, not only those of ringpoll/net. */
  everywhere = false;
  readonly #seams: Seams;
  readonly #chosen = new WeakSet<object>();
  readonly #converter: Converter;
  #guarded = false;

  constructor() {
    this.#seams = findSeams();
    this.#converter = new Converter(this.#seams);
    // Where there is no loop of ours, that is found out now.
    runtime();
    useSymbols(this.#seams.symbols);
    this.#patch();
  }

  /** It will be served by a handle of ours. */
  choose<T extends object>(of: T): T {
    this.#chosen.add(of);
    return of;
  }

  #serves(of: object): boolean {
    return this.everywhere || this.#chosen.has(of);
  }

  /** What looks behind handles must not meet one of ours. It costs some milliseconds, once. */
  #guard(): void {
    if (this.#guarded) return;
    this.#guarded = true;
    guardTls(this.#converter);
    guardSending(this.#converter);
  }

  #patch(): void {
    const face = this;
    const { symbols, connect, writeGeneric, reinitialize, listen2 } = this.#seams;
    const sockets = net.Socket.prototype as NodeSocket;
    sockets._writeGeneric = function _writeGeneric(writev, data, encoding, done) {
      const { _handle: handle } = this;
      if (!(handle instanceof StreamHandle) || this.connecting) {
        return writeGeneric.call(this, writev, data, encoding, done);
      }
      this._pendingData = null;
      this._pendingEncoding = '';
      this._unrefTimer();
      return handle._writing.write(this, writev, data, encoding, done);
    };
    sockets.connect = function (this: NodeSocket, ...given: unknown[]) {
      if (face.#serves(this)) face.#prepare(this, given);
      return Reflect.apply(connect, this, given);
    } as never;
    // Another address of a name is tried: Node brings a handle of its own.
    sockets[symbols.reinitialize] = function (this: NodeSocket, handle: { close?(): void }) {
      const isOurs = this._handle instanceof StreamHandle;
      if (!isOurs || handle instanceof StreamHandle || !this.connecting) {
        reinitialize.call(this, handle);
        return;
      }
      handle.close?.();
      reinitialize.call(this, new StreamHandle(false));
    };
    const { resetAndDestroy } = sockets;
    sockets.resetAndDestroy = function (this: NodeSocket) {
      const { _handle: handle } = this;
      const isTcp = handle instanceof StreamHandle && handle.getpeername !== undefined;
      if (!isTcp) return resetAndDestroy.call(this);
      if (this.connecting) this.once('connect', () => resetNow(this));
      else resetNow(this);
      return this;
    };
    const servers = net.Server.prototype as NodeServer;
    servers._listen2 = function (...given) {
      if (this._handle !== null || !face.#serves(this) || isNodes(this)) {
        listen2.apply(this, given);
        return;
      }
      const [address, port, type, backlog, fd, flags = 0] = given;
      if (typeof fd === 'number') {
        listen2.apply(this, given);
        return;
      }
      face.#guard();
      const handle = listeningHandle(address, port, type, backlog, flags);
      this._handle = handle;
      const { address: bound, port: on } = handle.place;
      const family = on < 0 ? type : bound.includes(':') ? 6 : 4;
      listen2.call(this, bound, port, family, backlog, fd, flags);
    };
  }

  /** A socket that is to connect, and has no handle yet, gets one of ours. */
  #prepare(socket: NodeSocket, given: unknown[]): void {
    const first = Array.isArray(given[0]) ? (given[0] as unknown[])[0] : given[0];
    if ((socket._handle && !socket.destroyed) || 'encrypted' in socket) return;
    const path = pathOf(first);
    const isGoal = path !== undefined || hasPort(first, given);
    if (!isGoal) return; // connect() throws
    this.#guard();
    if (socket.destroyed) {
      socket._handle = null;
      socket._peername = null;
      socket._sockname = null;
    }
    this.#seams.reinitialize.call(socket, new StreamHandle(path !== undefined));
  }
}

function pathOf(first: unknown): string | undefined {
  if (typeof first === 'object' && first !== null) {
    const { path } = first as { path?: unknown };
    return typeof path === 'string' && path !== '' ? path : undefined;
  }
  return typeof first === 'string' && !(Number(first) >= 0) ? first : undefined;
}

function hasPort(first: unknown, given: unknown[]): boolean {
  if (typeof first === 'object' && first !== null)
    return (first as { port?: unknown }).port != null;
  return given.length > 0 && typeof first !== 'function';
}

function resetNow(socket: NodeSocket): void {
  (socket as NodeSocket & { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}

/** TLS reads behind the handle; and the primary process of a cluster gives it away. */
function isNodes(server: NodeServer): boolean {
  if ('addContext' in server && 'setSecureContext' in server) return true;
  return server.listeners('connection').some(({ name }) => name === 'fail');
}

/** Without an address, both families where there is IPv6. */
function listeningHandle(
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
