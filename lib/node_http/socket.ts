// The socket of a connection, as programs for node:http know it: Node's own net.Socket over a
// handle that is this connection's. While HTTP is spoken it only writes; after an upgrade it reads.
import net from 'node:net';
import type { SocketAddress } from '../runtime/native.js';
import { SERVED } from './names.js';
import { idleTimeout, type NodeServer } from './node_server.js';

/** What the socket asks of the connection. */
export interface SocketHome {
  readonly connectionBytesRead: number;
  readonly connectionBytesWritten: number;
  readonly httpMessage: unknown;
  address(remote: boolean): SocketAddress | undefined;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, milliseconds: number): void;
  /** Whether it keeps the process alive. */
  reference(on: boolean): void;
  startReading(): void;
  stopReading(): void;
  /** Queues bytes, or text in an encoding. False: `then` is called when there is room again. */
  writeRaw(data: string | Uint8Array, encoding: BufferEncoding | ''): void;
  /** Calls back when little enough waits; with an error when the connection is over. */
  whenRoom(then: (error?: Error) => void): boolean;
  /** Our side ends behind what was written. */
  endWriting(then: () => void): void;
  /** Everything ends now. */
  closeNow(reset: boolean, then: () => void): void;
}

interface Shutdown {
  oncomplete(status: number): void;
}

const describe = (from: SocketAddress | undefined, out: Record<string, unknown>): number => {
  if (from === undefined || from.address === undefined) return -107; // ENOTCONN
  out.address = from.address;
  out.port = from.port;
  out.family = from.address.includes(':') ? 'IPv6' : 'IPv4';
  return 0;
};

/** In the shape of libuv's stream handles, and of no class of Node's. */
class Handle {
  readonly #home: SocketHome;
  #referenced = true;
  reading = false;
  onread: unknown = undefined;

  constructor(home: SocketHome) {
    this.#home = home;
  }

  get bytesRead(): number {
    return this.#home.connectionBytesRead;
  }
  get bytesWritten(): number {
    return this.#home.connectionBytesWritten;
  }
  get fd(): number {
    return -1;
  }
  readStart(): number {
    this.reading = true;
    this.#home.startReading();
    return 0;
  }
  readStop(): number {
    this.reading = false;
    this.#home.stopReading();
    return 0;
  }
  shutdown(request: Shutdown): number {
    this.#home.endWriting(() => request.oncomplete(0));
    return 0;
  }
  close(then: () => void = () => {}): void {
    this.#home.closeNow(false, then);
  }
  reset(then: () => void = () => {}): number {
    this.#home.closeNow(true, then);
    return 0;
  }
  getpeername(out: Record<string, unknown>): number {
    return describe(this.#home.address(true), out);
  }
  getsockname(out: Record<string, unknown>): number {
    return describe(this.#home.address(false), out);
  }
  setNoDelay(on: boolean): number {
    this.#home.setNoDelay(on);
    return 0;
  }
  setKeepAlive(on: boolean, seconds: number): number {
    this.#home.setKeepAlive(on, seconds * 1000);
    return 0;
  }
  ref(): void {
    this.#referenced = true;
    this.#home.reference(true);
  }
  unref(): void {
    this.#referenced = false;
    this.#home.reference(false);
  }
  hasRef(): boolean {
    return this.#referenced;
  }
}

type Done = (error?: Error | null) => void;
interface Piece {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
}
interface Private {
  _handle: Handle | null;
  _unrefTimer(): void;
  _reset(): net.Socket;
}

const stockWrite = (
  net.Socket.prototype as unknown as { _writeGeneric: (...args: unknown[]) => unknown }
)._writeGeneric;

export class NodeSocket extends net.Socket {
  readonly #home: SocketHome;
  #message: unknown = null;
  #rests = false;
  /** As node:http sets them. */
  server: unknown = null;
  parser: unknown = null;
  _paused = false;
  /** It speaks something else, and is somebody else's. */
  detached = false;

  get [SERVED](): boolean {
    return !this.detached;
  }

  constructor(home: SocketHome, highWaterMark: number) {
    super({
      handle: new Handle(home),
      highWaterMark,
      allowHalfOpen: true,
      manualStart: true,
    } as net.SocketConstructorOpts);
    this.#home = home;
  }

  /** The response that may be written. */
  get _httpMessage(): unknown {
    return this.detached ? this.#message : (this.#home.httpMessage ?? null);
  }
  /** Behind a tunnel, of whoever assigns the socket to a response. */
  set _httpMessage(message: unknown) {
    this.#message = message;
  }

  _writeGeneric(
    many: boolean,
    data: Piece[] | string | Uint8Array,
    encoding: BufferEncoding,
    done: Done,
  ): void {
    const self = this as unknown as Private;
    if (self._handle === null) {
      Reflect.apply(stockWrite, this, [many, data, encoding, done]);
      return;
    }
    self._unrefTimer();
    if (many) {
      for (const piece of data as Piece[]) this.#home.writeRaw(piece.chunk, piece.encoding);
    } else {
      this.#home.writeRaw(data as string | Uint8Array, encoding);
    }
    if (this.#home.whenRoom(done)) done();
  }

  override setEncoding(encoding?: BufferEncoding): this {
    if (this.detached) return super.setEncoding(encoding);
    const message = 'Changing the socket encoding is not allowed per RFC7230 Section 3.';
    throw Object.assign(new Error(message), { code: 'ERR_HTTP_SOCKET_ENCODING' });
  }

  override resetAndDestroy(): this {
    const self = this as unknown as Private;
    if (self._handle === null) this.destroy();
    else self._reset();
    return this;
  }

  /**
   * Nothing is asked: from here on keepAliveTimeout holds, as with node:http. The program hears of
   * it a millisecond before the native one closes the connection.
   */
  rest(server: NodeServer): void {
    const idleMs = idleTimeout(server);
    if (!this.timeout || idleMs === 0) return;
    this.#rests = true;
    this.setTimeout(Math.max(1, idleMs - 1));
  }

  /** A request has come. `timeout` is the server's, which holds anew, in milliseconds. */
  wake(timeout: number): void {
    this.touch();
    if (!this.#rests) return;
    this.#rests = false;
    this.setTimeout(timeout || 0);
  }

  /** A byte has moved. */
  touch(): void {
    (this as unknown as Private)._unrefTimer();
  }
}
