// A WebSocket that is open, on either side.
import { isUint8Array } from 'node:util/types';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { Command } from '../runtime/protocol.js';
import { onRejection } from '../runtime/rejection.js';
import { runtime } from '../runtime/runtime.js';
import { Chunk } from '../tcp/chunk.js';
import type { Connection } from '../tcp/connection.js';
import { failed } from '../tcp/delivery.js';
import { COMPRESS, sendBinary, sendChunk, sendClose, sendControl, sendText } from './frames.js';
import type { LostSession, Message, SessionHandlersOf, WebSocketHandlersOf } from './handlers.js';
import { iterateMessages, type MessageSink } from './iteration.js';
import { compressOf, type SendOptions } from './send_options.js';
import { bytesOf, checkTopic, publish, subscribe } from './topics.js';

/** What can be sent. Strings are text, all else is binary. */
export type Sendable = string | Uint8Array | Chunk;

/** Nothing came from the peer that says how it ended. */
export const ABNORMAL = 1006;
const REASON_BYTES_MAX = 123;
const CONTROL_BYTES_MAX = 125;
const EMPTY = Buffer.alloc(0);
/** What sockets have that hold nothing. */
export const NONE: Message[] = [];

/** Where sessions are kept: Sessions is one. */
export interface SessionStore {
  begin(key: string, socket: AnySocket): LostSession | undefined;
  end(key: string, socket: AnySocket, code: number, clean: boolean): void;
}

/** Where publishes go besides the subscribers here: Relay is one. */
export interface TopicRelay {
  send(topic: string, data: Sendable, flags: number): void;
}

/** What the sockets of one server or client have in common. */
export interface SocketHost {
  readonly handlers: WebSocketHandlersOf<WebSocketConnection<never>> &
    SessionHandlersOf<WebSocketConnection<never>>;
  readonly client: boolean;
  /** Of a server: those that were lost and may come back. */
  readonly sessions?: SessionStore | undefined;
  /** Messages are compressed unless send() says otherwise. */
  readonly compress: boolean;
  /** Of a server whose topics others share. */
  readonly relay?: TopicRelay | undefined;
}

export type { SendOptions } from './send_options.js';

/** How it ended, as far as that is known. */
export interface Ending {
  code: number;
  reason: string;
  /** A close frame came. */
  clean: boolean;
}

/** What only few sockets have, and most of these for a while: an idle one has none of it. */
interface Rare {
  ending: Ending | undefined;
  parts: Buffer[] | undefined;
  held: Message[];
  session: string | undefined;
  sink: MessageSink | undefined;
  afterHeld: (() => void) | undefined;
}

// A FrameTarget without saying so: members that are internal are not in the types of the package.
/**
 * A WebSocket. `data` is the user's own. All methods are safe in every state; after the connection
 * is over they do nothing.
 */
export class WebSocketConnection<Data = unknown> {
  /** The user's own; nothing here looks at it. */
  data: Data;
  /** The subprotocol that was agreed on; '' for none. */
  readonly protocol: string;
  /** The extensions that were agreed on, as Sec-WebSocket-Extensions says them; '' for none. */
  readonly extensions: string;
  /** @internal */
  readonly _host: SocketHost;
  /** @internal */
  readonly _connection: Connection;
  #rare: Rare | undefined = undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #paused = false;

  /** @internal */
  constructor(host: SocketHost, connection: Connection, protocol: string, extensions: string) {
    this.data = undefined as Data;
    this._host = host;
    this._connection = connection;
    this.protocol = protocol;
    this.extensions = extensions;
  }

  /** @internal */
  get client(): boolean {
    return this._host.client;
  }

  /** @internal */
  get slot(): number {
    return this._connection._slot;
  }

  /** @internal */
  get generation(): number {
    return this._connection._generation;
  }

  /** @internal How it ended, once that is known. */
  get _ending(): Ending | undefined {
    return this.#rare?.ending;
  }

  /** @internal Pieces of a long message that is still arriving. */
  get _parts(): Buffer[] | undefined {
    return this.#rare?.parts;
  }
  /** @internal */
  set _parts(parts: Buffer[] | undefined) {
    this.#rareOnes.parts = parts;
  }

  /** @internal Messages that came while it was paused. */
  get _held(): Message[] {
    return this.#rare?.held ?? NONE;
  }
  /** @internal */
  set _held(held: Message[]) {
    this.#rareOnes.held = held;
  }

  /** @internal The key that its client may come back with. */
  get _session(): string | undefined {
    return this.#rare?.session;
  }
  /** @internal */
  set _session(session: string | undefined) {
    if (session !== undefined) this.#rareOnes.session = session;
  }

  /** @internal Takes messages while somebody iterates. */
  get _sink(): MessageSink | undefined {
    return this.#rare?.sink;
  }
  /** @internal */
  set _sink(sink: MessageSink | undefined) {
    this.#rareOnes.sink = sink;
  }

  /** @internal What is due when all held messages have been delivered: its close. */
  get _afterHeld(): (() => void) | undefined {
    return this.#rare?.afterHeld;
  }
  /** @internal */
  set _afterHeld(due: (() => void) | undefined) {
    this.#rareOnes.afterHeld = due;
  }

  /** 'closing' from close() or the peer's close frame on, 'closed' when `close` is due. */
  get readyState(): 'open' | 'closing' | 'closed' {
    if (this.#state === 'open' && this._connection._over) return 'closing';
    return this.#state;
  }

  /** Bytes that wait in this process, headers of frames included. */
  get pendingBytes(): number {
    return this._connection.pendingBytes;
  }

  get remoteAddress(): string | undefined {
    return this._connection.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this._connection.remotePort;
  }

  /**
   * Queues a message: a string as text, all else as binary. It leaves at the end of this turn,
   * together with everything else. Nothing is lost, whatever the answer. One copy, for up to 32 KB;
   * of longer ones the kernel takes what it can, and the rest is copied. A chunk is copied when it
   * has at most 512 bytes, and by a client.
   * @returns false when more than highWaterMark bytes wait: stop until drain. False, and nothing is
   *   sent, from close() or the peer's close frame on
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_CHUNK_RELEASED
   */
  send(data: Sendable, options?: SendOptions): boolean {
    const flags = options === undefined ? this.#usualFlags() : this.#flagsOf(options);
    if (typeof data === 'string') return this.#text(data, flags);
    if (data instanceof Chunk) return this.#chunk(data, flags);
    return this.#binary(bytesOf(data), flags);
  }

  /** The same as text. Bytes must be UTF-8; they are not looked at. */
  sendText(data: string | Uint8Array, options?: SendOptions): boolean {
    const flags = options === undefined ? this.#usualFlags() : this.#flagsOf(options);
    if (typeof data === 'string') return this.#text(data, flags);
    return this.#text(Buffer.from(bytesOf(data)).toString('utf8'), flags);
  }

  /** The same as binary. Strings are sent as UTF-8. */
  sendBinary(data: Sendable, options?: SendOptions): boolean {
    const flags = options === undefined ? this.#usualFlags() : this.#flagsOf(options);
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : bytesOf(data);
    return this.#binary(bytes, flags);
  }

  /** Sends a ping of at most 125 bytes. @throws TypeError, RangeError */
  ping(payload: string | Uint8Array = EMPTY): void {
    this.#control(Command.wsPing, payload);
  }

  /** Sends a pong that nobody asked for, of at most 125 bytes. @throws TypeError, RangeError */
  pong(payload: string | Uint8Array = EMPTY): void {
    this.#control(Command.wsPong, payload);
  }

  /**
   * Messages that are published under this topic come here from now on. With the option
   * `wildcards` it may be a filter: `+` stands for one level, `#` for all further ones.
   * @returns false when it was subscribed already, or the connection is over
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE for a name that is none
   * @throws RingpollError ERR_RINGPOLL_WEBSOCKET_TOPICS when there are too many subscriptions
   */
  subscribe(topic: string): boolean {
    return subscribe(this, topic);
  }

  /** @returns whether it was subscribed */
  unsubscribe(topic: string): boolean {
    checkTopic(topic);
    return runtime().native.webSocketUnsubscribe(this.slot, this.generation, topic);
  }

  isSubscribed(topic: string): boolean {
    checkTopic(topic);
    return runtime().native.webSocketSubscribed(this.slot, this.generation, topic);
  }

  /**
   * Sends a message to all other subscribers of a topic; `server.publish()` sends it to this one
   * too. It is encoded once for all of them.
   * @returns how many it was queued for
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
   */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    const flags = options === undefined ? this.#usualFlags() : this.#flagsOf(options);
    const queued = publish(this._connection._endpoint.id, topic, data, flags, this);
    this._host.relay?.send(topic, data, flags);
    return queued;
  }

  /** What is sent while `write` runs leaves together. Within one turn that is so without it. */
  cork<T>(write: () => T): T {
    return this._connection.cork(write);
  }

  /** No message handler runs until resume(), and the peer is not read meanwhile. */
  pause(): void {
    if (this.#paused || this.#state === 'closed') return;
    this.#paused = true;
    this._connection.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // The handlers must not run inside resume(): whoever calls it is not ready for them.
    if (this._held.length > 0 || this._afterHeld) process.nextTick(() => this._deliverHeld());
    else this._connection.resume();
  }

  /**
   * Begins the closing handshake: what was sent before leaves first. The connection ends when the
   * peer has answered, or after closeTimeout.
   * @param code 1000, 1001 to 1003, 1007 to 1014 or 3000 to 4999; without it the frame is empty
   * @param reason at most 123 bytes of UTF-8
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE; RangeError _OUT_OF_RANGE
   */
  close(code?: number, reason = ''): void {
    checkCode(code);
    if (typeof reason !== 'string') throw invalidArgType('reason', 'a string', reason);
    const bytes = Buffer.from(reason, 'utf8');
    if (bytes.length > REASON_BYTES_MAX) {
      throw outOfRange('reason', `at most ${REASON_BYTES_MAX} bytes of UTF-8`, reason);
    }
    if (code === undefined && bytes.length > 0) {
      throw invalidArgValue('code', 'given when there is a reason', code);
    }
    if (this.readyState !== 'open') return;
    this.#state = 'closing';
    sendClose(runtime(), this, code ?? 0, bytes);
    if (this.#paused) this.resume(); // the peer's answer is behind what it sent before
  }

  /** Ends the connection at once, without a closing handshake. */
  terminate(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    this._connection.destroy();
    if (this._held.length > 0) this._held = NONE;
    this.#goOnAfterHeld();
  }

  /**
   * The messages, in order. A chunk is valid until the next message is asked for. The peer is not
   * read faster than the loop takes them. Ends with the closing handshake; throws when the
   * connection is lost. Leaving the loop early closes with 1000. No message handler runs.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return iterateMessages(this);
  }

  /** @internal */
  get _mustHold(): boolean {
    return this.#paused || this._held.length > 0;
  }

  /** @internal The peer has begun to close, or what it sent was wrong. */
  _closes(ending: Ending): void {
    this.#rareOnes.ending = ending;
    if (this.#state === 'open') this.#state = 'closing';
  }

  /** @internal */
  _closed(): Ending {
    this.#state = 'closed';
    const ending = this._ending ?? { code: ABNORMAL, reason: '', clean: false };
    if (this.#rare !== undefined) {
      this.#rare.held = NONE;
      this.#rare.parts = undefined;
    }
    return ending;
  }

  /** @internal */
  _deliverHeld(): void {
    while (this._held.length > 0 && !this.#paused && this.#state !== 'closed') {
      deliver(this as unknown as AnySocket, this._held.shift() as Message);
    }
    if (this._held.length > 0 || this.#paused) return;
    this._connection.resume();
    this.#goOnAfterHeld();
  }

  get #rareOnes(): Rare {
    this.#rare ??= {
      ending: undefined,
      parts: undefined,
      held: NONE,
      session: undefined,
      sink: undefined,
      afterHeld: undefined,
    };
    return this.#rare;
  }

  #goOnAfterHeld(): void {
    const due = this._afterHeld;
    if (due === undefined) return;
    this._afterHeld = undefined;
    due();
  }

  #usualFlags(): number {
    return this._host.compress && this.extensions !== '' ? COMPRESS : 0;
  }

  #flagsOf(options: SendOptions): number {
    const compress = compressOf(options) ?? this._host.compress;
    return compress && this.extensions !== '' ? COMPRESS : 0;
  }

  #text(text: string, flags: number): boolean {
    if (this.readyState !== 'open') return false;
    sendText(runtime(), this, text, flags);
    return this._connection._belowMark();
  }

  #binary(bytes: Uint8Array, flags: number): boolean {
    if (this.readyState !== 'open') return false;
    sendBinary(runtime(), this, bytes, flags);
    return this._connection._belowMark();
  }

  #chunk(chunk: Chunk, flags: number): boolean {
    chunk._check();
    if (this.readyState !== 'open') return false;
    if (flags === 0 && chunk._inArena) sendChunk(runtime(), this, chunk);
    else sendBinary(runtime(), this, chunk.bytes, flags);
    return this._connection._belowMark();
  }

  #control(kind: number, payload: string | Uint8Array): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
    if (!isUint8Array(bytes)) throw invalidArgType('payload', 'a string or a Uint8Array', payload);
    if (bytes.length > CONTROL_BYTES_MAX) {
      throw outOfRange('payload', `at most ${CONTROL_BYTES_MAX} bytes`, payload);
    }
    if (this.readyState === 'open') sendControl(runtime(), this, kind, bytes);
  }
}

/** RFC 6455, section 7.4: those that an endpoint may send. */
function checkCode(code: unknown): void {
  if (code === undefined) return;
  if (typeof code !== 'number') throw invalidArgType('code', 'a number', code);
  const defined = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  if (!Number.isInteger(code) || !(defined || (code >= 3000 && code <= 4999))) {
    throw outOfRange('code', '1000 to 1003, 1007 to 1014, or 3000 to 4999', code);
  }
}

export type AnySocket = WebSocketConnection<never>;

/** Calls the message handler; what it throws ends the connection. */
export function deliver(socket: AnySocket, message: Message): void {
  if (socket._sink !== undefined) {
    socket._sink.message(message); // it ends the chunk
    return;
  }
  const { handlers } = socket._host;
  if (handlers.message !== undefined) {
    try {
      const result = handlers.message(socket, message);
      if (result !== undefined) onRejection(result, (error) => failed(socket._connection, error));
    } catch (error) {
      failed(socket._connection, error);
    }
  }
  if (typeof message !== 'string') message._endTurn(runtime().checked);
}

export function call(socket: AnySocket, work: () => unknown): void {
  try {
    onRejection(work(), (error) => failed(socket._connection, error));
  } catch (error) {
    failed(socket._connection, error);
  }
}
