// A connection: a TCP or Unix stream socket.
import { isUint8Array } from 'node:util/types';
import { deprecated } from '../deprecation.js';
import { invalidArgType, outOfRange } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import { Command, PENDING_HELD, PENDING_OVER } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { lengthOf, sendBytes, sendFromBlock, sendString } from '../runtime/staging.js';
import {
  askForRoom,
  awaitSent,
  endAwaited,
  queuedMore,
  settleSent,
  WINDOW_BYTES,
} from './awaited.js';
import type { Chunk } from './chunk.js';
import { closedOf } from './closing.js';
import { ConnectionInfo } from './connection_info.js';
import {
  checkMayWrite,
  closedError,
  dropHeld,
  extraOf,
  Flag,
  OVER,
  pipedError,
  type ReadyState,
  readyStateOf,
} from './connection_state.js';
import type { ConnectionTls } from './connection_tls.js';
import { decoded, type StreamDecoder } from './decoding.js';
import { deliverHeld } from './delivery.js';
import { type ConnectionDuplex, type DuplexOptions, duplexOf } from './duplex.js';
import type { Endpoint } from './endpoint.js';
import { iterate } from './iteration.js';
import { dropUnsent, inOrder, LONG_TEXT, sendBehind, sendLong } from './sending.js';
import { tlsOf } from './tls_of.js';
import { type TransferOptions, transfer } from './transfer.js';
import { readableOf, writableOf } from './web_streams.js';
import { checkWritable, type Writable } from './writable.js';

const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/**
 * A stream socket. `data` is the user's own. All methods are safe in every state and inside every
 * handler; after the connection is closed they do nothing.
 */
export class Connection<Data = unknown> extends ConnectionInfo {
  /** The user's own, from the option `connectionData`; nothing here looks at it. */
  data: Data;
  /** @internal */
  readonly _endpoint: Endpoint<Connection<Data>>;

  /** @internal */
  constructor(endpoint: Endpoint<Connection<Data>>, slot: number, generation: number) {
    super(slot, generation);
    this.data = undefined as Data;
    this._endpoint = endpoint;
  }

  /**
   * Queues data; it leaves at the end of this turn, in one system call with everything else that
   * was written. Nothing is lost, whatever the answer.
   *
   * Copies: none for a chunk; one for strings and for up to 32 KB of bytes; longer bytes are sent
   * at once from where they are, and what the kernel does not take is copied. When that is more
   * than 256 KB and than highWaterMark, it is copied 256 KB at a time, as it leaves: the answer is
   * false, and the bytes must not be changed before drained() resolves or drain runs.
   * @returns false when more than highWaterMark bytes wait, or when the connection's share of this
   *   turn is used up (256 KB that have left before the turn was over, 1 MB of all connections
   *   together): stop until drain. False from the moment on at which the connection is over, which
   *   is before its close event
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   * @throws RingpollError ERR_RINGPOLL_WRITE_AFTER_END, ERR_RINGPOLL_CHUNK_RELEASED
   */
  write(data: Writable, encoding?: undefined, callback?: undefined): boolean {
    if ((encoding ?? callback) !== undefined) throw extraArgument('write', encoding ?? callback);
    if (!this.#queue(runtime(), data)) return false;
    return this._belowMark();
  }

  /**
   * Like write() of each, and never more than one system call per 64 pieces.
   * @throws as write()
   */
  writev(list: readonly Writable[]): boolean {
    if (!Array.isArray(list)) throw invalidArgType('list', 'an array', list);
    for (const data of list) checkWritable('list', data);
    const loop = runtime();
    for (const data of list) if (!this.#queue(loop, data)) return false;
    return this._belowMark();
  }

  /**
   * Sends at once what the kernel takes, and queues nothing.
   * @returns bytes sent; 0 when other bytes are waiting, its share of this turn is used up (see
   *   write(); drained() waits for the next turn then), or the connection is over
   * @throws as write()
   */
  tryWrite(data: Writable): number {
    checkWritable('data', data);
    checkMayWrite(this._flags, 'tryWrite()');
    if (this._flags & (OVER | Flag.unsent)) return 0;
    const bytes =
      typeof data === 'string' ? Buffer.from(data) : isUint8Array(data) ? data : data.bytes;
    const taken = runtime().native.trySend(this._slot, this._generation, bytes);
    return taken > 0 ? taken : 0;
  }

  /**
   * Holds writes back until uncork(). With a function: while it runs. What is written within one
   * turn leaves together without this.
   */
  cork(): void;
  cork<T>(write: () => T): T;
  cork<T>(write?: () => T): T | undefined {
    if (write !== undefined && typeof write !== 'function') {
      throw invalidArgType('write', 'a function', write);
    }
    if (this._flags & Flag.piped) throw pipedError('cork()');
    if (!(this._flags & OVER)) {
      this._flags |= Flag.corked;
      this.#command(Command.cork);
    }
    if (write === undefined) return undefined;
    try {
      return write();
    } finally {
      this.uncork();
    }
  }

  /** Lets writes go again. */
  uncork(): void {
    if (!(this._flags & Flag.corked)) return;
    this._flags &= ~Flag.corked;
    this.#command(Command.uncork);
  }

  /**
   * Writes `data` if given, and sends FIN when everything has left. Reading goes on. Without a data
   * handler what still comes is dropped, unless the connection is iterated in the same turn.
   */
  end(data?: Writable, encoding?: undefined, callback?: undefined): void {
    if ((encoding ?? callback) !== undefined) throw extraArgument('end', encoding ?? callback);
    if (this._flags & OVER) return;
    if (this._flags & Flag.piped) throw pipedError('end()');
    if (data !== undefined) this.write(data);
    if (this._flags & (Flag.ending | OVER)) return;
    this._end();
    // Nobody reads: what comes is dropped, so that the peer's FIN is seen and the connection ends.
    if (this._endpoint.data === undefined && this._extra?.sink === undefined) this.resume();
  }

  /** Sends what is waiting, then closes both ways. No data handler runs after this. */
  close(callback?: undefined): void {
    if (callback !== undefined) throw extraArgument('close', callback);
    this.#finish(Command.close);
  }

  /**
   * Closes at once; what is waiting to be sent is dropped. After what the kernel has taken the peer
   * sees a FIN, or an RST when bytes of its own had not been read.
   * @param error the reason, which the close handler gets
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   */
  destroy(error?: Error): void {
    if (error !== undefined) {
      if (!(error instanceof Error)) throw invalidArgType('error', 'an Error', error);
      if (!(this._flags & Flag.closed)) extraOf(this).failure ??= error;
    }
    this.#finish(Command.destroy, true);
  }

  /** Closes at once with RST; what is waiting is dropped. */
  reset(): void {
    this.#finish(Command.reset, true);
  }

  /** No data handler runs until resume(), not even for bytes that have arrived already. */
  pause(): void {
    if (this._flags & Flag.leaving) extraOf(this).leaving!.paused = true;
    if (this._flags & (Flag.paused | OVER)) return;
    this._flags |= Flag.paused;
    this.#command(Command.pause);
  }

  resume(): void {
    if (!(this._flags & Flag.paused) || this._flags & Flag.closed) return;
    if (this._flags & Flag.leaving) {
      extraOf(this).leaving!.paused = false;
      return;
    }
    this._flags &= ~Flag.paused;
    if (this._extra !== undefined && this._extra.held.length > 0) {
      // The handlers must not run inside resume(): whoever calls it is not ready for them. And
      // nothing more is read before they have had what is here, or ever more of it would be.
      process.nextTick(deliverHeld, this);
      return;
    }
    this.#command(Command.resume);
  }

  /**
   * Calls the timeout handler when no byte has moved for `milliseconds`, and again after as long;
   * closes the connection when there is no such handler. 0 is none. Up to 4 ms late, never early.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   */
  setTimeout(milliseconds: number, callback?: undefined): this {
    if (callback !== undefined) throw extraArgument('setTimeout', callback);
    if (typeof milliseconds !== 'number') {
      throw invalidArgType('milliseconds', 'a number', milliseconds);
    }
    if (!(milliseconds >= 0 && milliseconds <= TIMEOUT_MAX_MS)) {
      throw outOfRange('milliseconds', 'from 0 to 2147483647', milliseconds);
    }
    if (!(this._flags & OVER)) this.#command(Command.timeout, Math.ceil(milliseconds));
    return this;
  }

  /** @deprecated Its name is setTimeout(). */
  timeout(milliseconds: number): this {
    deprecated('RINGPOLL_DEP_CONNECTION_TIMEOUT', 'connection.timeout() is now setTimeout()');
    return this.setTimeout(milliseconds);
  }

  /**
   * Resolves when at most half of highWaterMark waits, and after a write() that answered false in a
   * later turn of the loop, so that it may drive a loop that waits for nothing else.
   * @returns rejects with ERR_RINGPOLL_CONNECTION_CLOSED when the connection is over, at once, and
   *   with its error when it fails meanwhile
   */
  drained(): Promise<void> {
    if (this._over) return this.#toldOver();
    if (this._low) return Promise.resolve();
    this.#wantDrain();
    return new Promise((resolve, reject) => {
      extraOf(this).drained.push({ resolve, reject });
    });
  }

  #toldOver(): Promise<void> {
    const { _flags: flags } = this;
    this._flags |= Flag.told;
    const closeComes = !(flags & (Flag.closed | Flag.forgotten));
    // A loop that goes on all the same must not keep that event from coming.
    if (!(flags & Flag.told && closeComes)) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      extraOf(this).drained.push({ resolve, reject });
    });
  }

  /**
   * Writes, and resolves when the kernel has taken all of `data`, in a later turn of the loop: from
   * then on its memory may be changed. Copies as write().
   * @returns rejects with ERR_RINGPOLL_CONNECTION_CLOSED when the connection is over or destroyed,
   *   with its error when it fails, and with what write() throws
   */
  async send(data: Writable): Promise<void> {
    if (!this.#queue(runtime(), data)) return this.#toldOver();
    return this.#sent();
  }

  /**
   * end(), and resolves when the kernel has taken all that was written, and FIN behind it. Reading
   * goes on.
   * @returns rejects as send()
   */
  async shutdown(data?: Writable): Promise<void> {
    this.end(data);
    const wasInOrder = this._flags & Flag.closed && this._flags & Flag.ending;
    if (wasInOrder && this._extra?.closeError === undefined) return;
    return this._over ? this.#toldOver() : this.#sent();
  }

  #sent(): Promise<void> {
    return new Promise((resolve, reject) => {
      inOrder(this, () => awaitSent(this, resolve, reject));
    });
  }

  /**
   * Hands the connection to another thread of the LoopGroup, this one's own number included. Its
   * `transferred` handler there gets a connection and `data`; here no handler is called any more.
   * No byte is lost: what was written leaves first, what was received and not delivered goes along.
   * Until it resolves write() throws; pause() and resume() count if it rejects.
   * @returns resolves when the other thread has been given it. Rejects with
   *   ERR_RINGPOLL_TRANSFER_REFUSED, and goes on here, when it speaks TLS, HTTP or WebSocket, has
   *   no listener of a group, has ended on a side, or that thread does not serve or has 1,024 on
   *   their way; with _CONNECTION_BUSY when iterated or a stream, _PIPED, _CONNECTION_CLOSED; with
   *   TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  transfer(thread: number, options: TransferOptions = {}): Promise<void> {
    return transfer(this, thread, options);
  }

  /** What TLS has agreed on; undefined without TLS, or if first asked for when it is over. */
  get tls(): ConnectionTls | undefined {
    return tlsOf(this);
  }

  /** Bytes that wait in this process. */
  get pendingBytes(): number {
    if (this._flags & (Flag.closed | Flag.forgotten)) return 0;
    const pending = runtime().memory.pending[this._slot];
    if (pending === PENDING_OVER) return 0;
    const unsent = this._extra?.unsent?.bytes ?? 0;
    return unsent + (pending < PENDING_HELD ? pending : pending - PENDING_HELD);
  }

  /** @internal Little waits, and nobody is to wait for an event of that. */
  get _low(): boolean {
    if (this._flags & (Flag.drainWanted | Flag.unsent)) return false;
    return runtime().memory.pending[this._slot] <= this._endpoint.highWaterMark / 2;
  }

  /** @internal Nothing can be sent any more, whether or not its close event has come. */
  get _over(): boolean {
    if (this._flags & (OVER | Flag.forgotten)) return true;
    return runtime().memory.pending[this._slot] === PENDING_OVER;
  }

  get readyState(): ReadyState {
    return readyStateOf(this._flags, this._over);
  }

  /**
   * The chunks, in order, each valid until the next one is asked for. Reading is paused while the
   * loop body is busy. Ends at the peer's FIN; throws when the connection fails. Leaving the loop
   * early closes the connection.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Chunk> {
    if (this._flags & Flag.piped) throw pipedError('iterating');
    return iterate(this);
  }

  /**
   * The text that its bytes are, in pieces as they come; a character that comes in two pieces is
   * whole. Reads as a loop over the connection does, and ends it in the same cases.
   * @param decoder a TextDecoder that nothing else uses. Default: UTF-8; U+FFFD stands for what is
   *   none
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   */
  decode(decoder: StreamDecoder = new TextDecoder()): AsyncIterableIterator<string> {
    return decoded(this, decoder);
  }

  /**
   * The connection as a stream of Node, the same one for each call. Its events take the place of
   * the handlers `data` and `end`; the other handlers run as before. Received bytes are copied
   * once. destroy() of the stream drops what waits; after 'finish' it lets that leave. The peer's
   * FIN is 'end'; the stream ends our side then, unless allowHalfOpen was set.
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_CONNECTION_BUSY when it is read in another way
   */
  toDuplex(options: DuplexOptions = {}): ConnectionDuplex<this> {
    if (this._flags & Flag.piped) throw pipedError('toDuplex()');
    return duplexOf(this, options) as ConnectionDuplex<this>;
  }

  /**
   * Its bytes as a byte stream of the web platform, in the place of the handlers `data` and `end`.
   * Bytes are received when a reader asks for them, and copied once, also into the buffer that a
   * BYOB reader brings. cancel() closes the connection; while `writable` is in use and has not
   * ended, what comes is dropped instead.
   * @throws RingpollError ERR_RINGPOLL_CONNECTION_BUSY when it is iterated, or is a Duplex
   */
  get readable(): ReadableStream<Uint8Array> {
    return readableOf(this);
  }

  /**
   * What is written into this stream is sent: strings, bytes and chunks, copied as by write(). Its
   * close() is end(), its abort() is reset().
   */
  get writable(): WritableStream<Writable> {
    return writableOf(this);
  }

  /**
   * Resolves when the connection is closed, and rejects with the error that the close handler gets.
   * A rejection that nothing handles is no uncaught one.
   */
  get closed(): Promise<void> {
    return closedOf(this);
  }

  #queue(loop: Runtime, data: Writable): boolean {
    if (this._flags & (Flag.ending | OVER | Flag.unsent | Flag.piped | Flag.leaving)) {
      checkWritable('data', data);
      checkMayWrite(this._flags, 'write()');
      if (!(this._flags & Flag.unsent) || this._over) return false;
      sendBehind(this, data);
    } else if (typeof data === 'string' || isUint8Array(data)) {
      this._send(loop, data);
    } else {
      checkWritable('data', data);
      this._sendChunk(loop, data);
    }
    return true;
  }

  /** @internal Queues what has been checked. */
  _send(loop: Runtime, data: string | Uint8Array): void {
    if (this._flags & Flag.unsent) {
      sendBehind(this, data);
    } else if (typeof data === 'string') {
      if (data.length >= LONG_TEXT) {
        sendLong(loop, this, Buffer.from(data, 'utf8'));
        return;
      }
      sendString(loop, this._slot, this._generation, data);
      if (this._flags & Flag.awaited) queuedMore(this, Buffer.byteLength(data));
    } else if (lengthOf(data) <= WINDOW_BYTES) {
      sendBytes(loop, this._slot, this._generation, data);
      if (this._flags & Flag.awaited) queuedMore(this, lengthOf(data));
    } else {
      sendLong(loop, this, data);
    }
  }

  /** @internal */
  _sendChunk(loop: Runtime, chunk: Chunk): void {
    chunk._check();
    if (chunk._inArena) {
      const { _block, _offset, length } = chunk;
      sendFromBlock(loop, this._slot, this._generation, _block, _offset, length);
    } else {
      sendBytes(loop, this._slot, this._generation, chunk.bytes);
    }
    if (this._flags & Flag.awaited) queuedMore(this, chunk.length);
  }

  /** @internal */
  _belowMark(): boolean {
    const loop = runtime();
    const { highWaterMark } = this._endpoint;
    const pending = loop.memory.pending[this._slot];
    if (this._flags & Flag.unsent) return this.#belowMarkWithUnsent();
    if (pending <= highWaterMark) return true;
    if (this._flags & Flag.drainWanted || pending === PENDING_OVER) return false;
    // So much that it is worth asking the kernel now: only what it leaves counts.
    loop.native.flush();
    if (loop.memory.pending[this._slot] <= highWaterMark) return !(this._flags & OVER);
    this.#wantDrain();
    return false;
  }

  #belowMarkWithUnsent(): boolean {
    if (this.pendingBytes <= this._endpoint.highWaterMark) return !this._over;
    this.#wantDrain();
    return false;
  }

  #wantDrain(): void {
    if (this._flags & Flag.drainWanted) return;
    this._flags |= Flag.drainWanted;
    if (!(this._flags & Flag.unsent)) askForRoom(this); // else asked for when nothing is
  }

  /** @internal FIN behind all that was written. */
  _end(): void {
    if (this._flags & (Flag.ending | OVER)) return;
    this._flags |= Flag.ending;
    this.#commandInOrder(Command.end);
  }

  #finish(command: number, force = false): void {
    if (this._flags & (force ? Flag.closed : OVER)) return;
    this._flags |= Flag.closing;
    dropHeld(this);
    if (force || this._flags & Flag.connecting) this.#drop();
    else if (this._flags & Flag.unsent) this.#command(Command.pause);
    this.#commandInOrder(command);
    if (this._extra === undefined || this._extra.held.length === 0) return;
    this._flags &= ~Flag.paused; // what is left is its close, which need not wait for resume()
    process.nextTick(deliverHeld, this);
  }

  #drop(): void {
    dropUnsent(this);
    settleSent(this);
    endAwaited(this, this._extra?.failure ?? closedError());
  }

  #command(kind: number, value = 0): void {
    runtime().command(kind, this._slot, this._generation, value);
  }

  /** Behind all that has been written. */
  #commandInOrder(kind: number): void {
    if (!(this._flags & Flag.unsent)) {
      this.#command(kind);
      return;
    }
    this.uncork();
    inOrder(this, () => this.#command(kind));
  }
}
