// Node's Socket and Server over handles of ours: what their prototypes do from then on. Sockets and
// servers that were not chosen stay as they are. The handles are loaded when the first is needed.
import net from 'node:net';
import { noteFallback } from '../faces.js';
import { SeamMissing } from '../node_seams.js';
import type * as NativeSide from './native_side.js';
import { findSeams, type NodeServer, type NodeSocket, type Seams, tryListen } from './seams.js';
import type { StreamHandle } from './stream_handle.js';

type Side = typeof NativeSide;

const ELSEWHERE = 'its socket comes from elsewhere';

/** How the handles are loaded; `now`: when there is a face, and not with the first socket. */
export const nativeSide: { load: () => Side; now: boolean } = {
  load() {
    throw new Error('nothing loads the native side');
  },
  now: false,
};

export class Face {
  /** Every socket and server of the process, not only those of ringpoll/net. */
  everywhere = false;
  readonly #seams: Seams;
  readonly #chosen = new WeakSet<object>();
  #side: Side | undefined;
  #refused: string | undefined;
  #guarded = false;
  /** Why no server can be served here; null: they can. Tried when the first listens. */
  #unlistening: string | null | undefined;

  /** @throws SeamMissing; and where it is loaded now, why it cannot be */
  constructor() {
    this.#seams = findSeams();
    if (nativeSide.now) this.#begin();
    this.#patch();
  }

  /** Why sockets are Node's all the same: what serves them could not be loaded. */
  get refused(): string | undefined {
    return this.#refused;
  }

  #begin(): Side {
    const side = nativeSide.load();
    side.begin(this.#seams);
    this.#side = side;
    return side;
  }

  /** undefined: it cannot be loaded, and all sockets are Node's. */
  #native(): Side | undefined {
    if (this.#guarded || this.#refused !== undefined) return this.#side;
    try {
      const side = this.#side ?? this.#begin();
      side.guard(this.#seams);
      this.#guarded = true;
      return side;
    } catch (error) {
      this.#refused = `ringpoll cannot be loaded: ${(error as Error).message}`;
      this.#side = undefined;
      return undefined;
    }
  }

  /** Whether a socket or a server with this handle is served here. */
  owns(handle: unknown): boolean {
    if (this.#side === undefined) return false;
    return this.#isOurs(handle) || handle instanceof this.#side.ListeningHandle;
  }

  #isOurs(handle: unknown): handle is StreamHandle {
    return this.#side !== undefined && handle instanceof this.#side.StreamHandle;
  }

  /** It will be served by a handle of ours. */
  choose<T extends object>(of: T): T {
    this.#chosen.add(of);
    return of;
  }

  #serves(of: object): boolean {
    return this.everywhere || this.#chosen.has(of);
  }

  #patch(): void {
    const face = this;
    const { symbols, connect, writeGeneric, reinitialize, listen2 } = this.#seams;
    const isOurs = (handle: unknown): handle is StreamHandle => this.#isOurs(handle);
    const sockets = net.Socket.prototype as NodeSocket;
    sockets._writeGeneric = function _writeGeneric(writev, data, encoding, done) {
      const { _handle: handle } = this;
      if (!isOurs(handle) || this.connecting) {
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
      const side = face.#side;
      if (side === undefined || !isOurs(this._handle) || isOurs(handle) || !this.connecting) {
        reinitialize.call(this, handle);
        return;
      }
      handle.close?.();
      reinitialize.call(this, new side.StreamHandle(false));
    };
    const { resetAndDestroy } = sockets;
    sockets.resetAndDestroy = function (this: NodeSocket) {
      const { _handle: handle } = this;
      const isTcp = isOurs(handle) && handle.getpeername !== undefined;
      if (!isTcp) return resetAndDestroy.call(this);
      if (this.connecting) this.once('connect', () => resetNow(this));
      else resetNow(this);
      return this;
    };
    const servers = net.Server.prototype as NodeServer;
    servers._listen2 = function (...given) {
      const [address, port, type, backlog, fd, flags = 0] = given;
      const why = this._handle !== null ? ELSEWHERE : face.#whyNot(this, fd);
      const side = why === undefined ? face.#native() : undefined;
      if (side === undefined) {
        if (face.#serves(this)) noteFallback(why ?? (face.#refused as string), this);
        listen2.apply(this, given);
        return;
      }
      const handle = side.listeningHandle(address, port, type, backlog, flags);
      this._handle = handle;
      const { address: bound, port: on } = handle.place;
      const family = on < 0 ? type : bound.includes(':') ? 6 : 4;
      listen2.call(this, bound, port, family, backlog, fd, flags);
    };
  }

  /** undefined: it is served here, unless what does cannot be loaded. */
  #whyNot(server: NodeServer, fd: number | undefined): string | undefined {
    if (!this.#serves(server) || typeof fd === 'number') return ELSEWHERE;
    if (this.#unlistening === undefined) this.#unlistening = whyUnlistening(this.#seams);
    return this.#unlistening ?? whyNodes(server);
  }

  /** A socket that is to connect, and has no handle yet, gets one of ours. */
  #prepare(socket: NodeSocket, given: unknown[]): void {
    const first = Array.isArray(given[0]) ? (given[0] as unknown[])[0] : given[0];
    if ((socket._handle && !socket.destroyed) || 'encrypted' in socket) return;
    const path = pathOf(first);
    const isGoal = path !== undefined || hasPort(first, given);
    if (!isGoal) return; // connect() throws
    const side = this.#native();
    if (side === undefined) return;
    if (socket.destroyed) {
      socket._handle = null;
      socket._peername = null;
      socket._sockname = null;
    }
    this.#seams.reinitialize.call(socket, new side.StreamHandle(path !== undefined));
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

function whyUnlistening(seams: Seams): string | null {
  try {
    tryListen(seams);
    return null;
  } catch (error) {
    if (error instanceof SeamMissing) return error.message;
    throw error;
  }
}

/** TLS reads behind the handle; and the primary process of a cluster gives it away. */
function whyNodes(server: NodeServer): string | undefined {
  if ('addContext' in server && 'setSecureContext' in server) return "its TLS is Node's";
  const isOfCluster = server.listeners('connection').some(({ name }) => name === 'fail');
  return isOfCluster ? ELSEWHERE : undefined;
}
