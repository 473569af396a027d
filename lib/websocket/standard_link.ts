// What stands between the standard's WebSocket class and a client: one connection, and never two.
import { Control } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { connectWebSocket, type WebSocketClientOptions } from './connect.js';
import type { WebSocketConnection } from './socket.js';

export type StandardOptions = Omit<
  WebSocketClientOptions,
  | 'open'
  | 'message'
  | 'drain'
  | 'ping'
  | 'pong'
  | 'error'
  | 'close'
  | 'protocols'
  | 'reconnect'
  | 'reconnecting'
  | 'data'
>;

/** What the class hears. */
export interface StandardEvents {
  opened(protocol: string, extensions: string): void;
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  /** The peer has begun to close. */
  closing(): void;
  closed(code: number, reason: string, wasClean: boolean): void;
}

export interface StandardLink {
  /** Payload bytes that wait. */
  waiting(): number;
  send(message: string | Uint8Array): void;
  close(code: number | undefined, reason: string): void;
  /** Gives up while it connects: closed() follows. */
  abort(): void;
}

const ABNORMAL = 1006;

class Link implements StandardLink {
  readonly #stop = new AbortController();
  #socket: WebSocketConnection | undefined;
  /** Payload bytes of messages since none waited last. */
  #bytes = 0;
  /** The turn of the last one: within it the standard's number does not shrink. */
  #turn = -1;

  constructor(
    url: URL,
    protocols: string[],
    options: StandardOptions,
    { opened, text, binary, closing, closed }: StandardEvents,
  ) {
    const { signal } = this.#stop;
    connectWebSocket(url, {
      perMessageDeflate: true,
      ...options,
      ...(protocols.length > 0 && { protocols }),
      signal,
      open: (socket) => {
        this.#socket = socket;
        opened(socket.protocol, socket.extensions);
      },
      message(_, message) {
        if (typeof message === 'string') text(message);
        else binary(message.bytes);
      },
      error() {}, // close follows, and says what the standard lets it say
      close(socket, code, reason) {
        closing();
        closed(code, reason, socket._ending?.clean ?? false);
      },
    }).catch(() => {
      closing();
      closed(ABNORMAL, '', false);
    });
  }

  waiting(): number {
    const pending = this.#socket?.pendingBytes ?? 0;
    const sameTurn = runtime().control[Control.turn] === this.#turn;
    if (!sameTurn && pending < this.#bytes) this.#bytes = pending;
    return this.#bytes;
  }

  send(message: string | Uint8Array): void {
    const length = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
    this.#bytes = this.waiting() + length;
    this.#turn = runtime().control[Control.turn];
    this.#socket?.send(message);
  }

  close(code: number | undefined, reason: string): void {
    this.#socket?.close(code, reason);
  }

  abort(): void {
    this.#stop.abort();
  }
}

export function beginStandard(
  url: URL,
  protocols: string[],
  options: StandardOptions,
  events: StandardEvents,
): StandardLink {
  return new Link(url, protocols, options, events);
}
