// A connection as the hooks of crossws see it.
import { inspect } from 'node:util';
import { crypto } from '../builtins.js';
import type { SendOptions, WebSocketConnection } from '../websocket/socket.js';
import { sendable } from './payload.js';

/** A request that frameworks may have given a context. */
export type UpgradeRequest = Request & { readonly context?: Record<string, unknown> };

/** What `peer.websocket` has of the platform's WebSocket. */
export interface SocketView {
  readonly protocol?: string;
  readonly extensions?: string;
  readonly url?: string;
  readonly readyState?: number;
  readonly bufferedAmount?: number;
  binaryType?: string;
}

/** Options of waitForDrain(). */
export interface DrainOptions {
  /** Bytes that may still wait. Default: 0. */
  threshold?: number;
  /** Milliseconds from one look to the next. Default: 100. */
  pollInterval?: number;
  signal?: AbortSignal;
}

/** A peer: https://crossws.h3.dev/guide/peer has its reference. */
export interface Peer {
  readonly id: string;
  readonly namespace: string;
  readonly context: Record<string, unknown>;
  readonly request: Request;
  readonly remoteAddress: string | undefined;
  readonly websocket: SocketView;
  /** All peers of its namespace. */
  readonly peers: Set<Peer>;
  readonly topics: Set<string>;
  readonly bufferedAmount: number;
  waitForDrain(options?: DrainOptions): Promise<void>;
  send(data: unknown, options?: SendOptions): unknown;
  publish(topic: string, data: unknown, options?: SendOptions): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  ping(data?: unknown): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
  toString(): string;
}

/** What a socket carries from its handshake on. */
export interface Attached {
  request: UpgradeRequest;
  context: Record<string, unknown>;
  namespace: string;
  peer?: SocketPeer;
}

/** What a peer needs of its adapter. */
export interface PeerHost {
  readonly peers: Map<string, Set<Peer>>;
  relay(namespace: string, topic: string, data: string | Uint8Array): void;
  failed(peer: Peer, error: unknown): void;
}

const NORMAL = 1000;
const POLL_MS = 100;
const STATES = { open: 1, closing: 2, closed: 3 } as const;

/** Topics of one namespace are apart from those of others. */
export const topicOf = (namespace: string, topic: string): string => `${namespace}\n${topic}`;

export class SocketPeer implements Peer {
  readonly topics = new Set<string>();
  readonly #socket: WebSocketConnection<Attached>;
  readonly #host: PeerHost;
  #id: string | undefined;
  #view: SocketView | undefined;

  constructor(socket: WebSocketConnection<Attached>, host: PeerHost) {
    this.#socket = socket;
    this.#host = host;
  }

  get id(): string {
    this.#id ??= crypto().randomUUID();
    return this.#id;
  }
  get namespace(): string {
    return this.#socket.data.namespace;
  }
  get context(): Record<string, unknown> {
    return this.#socket.data.context;
  }
  get request(): Request {
    return this.#socket.data.request;
  }
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }
  get peers(): Set<Peer> {
    return this.#host.peers.get(this.namespace) ?? new Set();
  }
  get bufferedAmount(): number {
    return this.#socket.pendingBytes;
  }

  get websocket(): SocketView {
    const socket = this.#socket;
    const { request } = this;
    this.#view ??= {
      binaryType: undefined,
      protocol: socket.protocol,
      extensions: socket.extensions,
      get url() {
        return request.url.replace(/^http/, 'ws');
      },
      get readyState() {
        return STATES[socket.readyState];
      },
      get bufferedAmount() {
        return socket.pendingBytes;
      },
    };
    return this.#view;
  }

  /** Resolves when at most `threshold` bytes wait, or the connection is over. */
  waitForDrain({ threshold = 0, pollInterval = POLL_MS, signal }: DrainOptions = {}) {
    const socket = this.#socket;
    const done = () => socket.pendingBytes <= threshold || socket.readyState !== 'open';
    return new Promise<void>((resolve, reject) => {
      if (done()) return resolve();
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearInterval(timer);
        signal?.removeEventListener('abort', aborted);
      };
      const aborted = () => {
        stop();
        reject(signal?.reason);
      };
      const timer = setInterval(() => {
        if (!done()) return;
        stop();
        resolve();
      }, pollInterval);
      timer.unref();
      signal?.addEventListener('abort', aborted, { once: true });
      return undefined;
    });
  }

  send(data: unknown, options?: SendOptions): number {
    this.#socket.send(sendable(data), options);
    return 0;
  }

  publish(topic: string, data: unknown, options?: SendOptions): void {
    const message = sendable(data);
    this.#socket.publish(topicOf(this.namespace, topic), message, options);
    this.#host.relay(this.namespace, topic, message);
  }

  subscribe(topic: string): void {
    this.#socket.subscribe(topicOf(this.namespace, topic));
    this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
    this.#socket.unsubscribe(topicOf(this.namespace, topic));
  }

  /** What is no ping, such as more than 125 bytes, reaches the hook `error`. */
  ping(data?: unknown): number {
    try {
      this.#socket.ping(sendable(data));
    } catch (error) {
      this.#host.failed(this, error);
    }
    return 0;
  }

  close(code?: number, reason?: string): void {
    const said = reason === undefined || reason === '' ? code : (code ?? NORMAL);
    this.#socket.close(said, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  toString(): string {
    return this.id;
  }
  [Symbol.toPrimitive](): string {
    return this.id;
  }
  get [Symbol.toStringTag](): string {
    return 'WebSocket';
  }
  [inspect.custom](): unknown {
    return { peer: { id: this.id, ip: this.remoteAddress } };
  }
}
