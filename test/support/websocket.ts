// WebSockets of the package whose events a test waits for.
import type { HttpServer, WebSocketServerOptions } from 'ringpoll/http';
import {
  connectWebSocket,
  type WebSocketClient,
  type WebSocketClientOptions,
  type WebSocketConnection,
} from 'ringpoll/websocket';
import { onTestFinished } from 'vitest';
import { serveHttp } from './http.js';
import { within } from './recorder.js';

export type Received = string | Buffer;

/** A client's handshake, byte for byte; `more` are further lines. */
export const upgradeHead = (path = '/', ...more: string[]) =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...more,
    '',
    '',
  ].join('\r\n');

/** Handlers that keep what happens, and a way to wait for it. */
export class SocketLog {
  readonly messages: Received[] = [];
  readonly pings: string[] = [];
  readonly pongs: string[] = [];
  readonly closes: [code: number, reason: string][] = [];
  readonly errors: Error[] = [];
  readonly sockets: WebSocketConnection<never>[] = [];
  drains = 0;
  #changed: (() => void)[] = [];

  readonly handlers = {
    open: (socket: WebSocketConnection<never>) => this.#tell(() => this.sockets.push(socket)),
    message: (_: WebSocketConnection<never>, message: string | { copy(): Buffer }) =>
      this.#tell(() => this.messages.push(typeof message === 'string' ? message : message.copy())),
    drain: () => this.#tell(() => this.drains++),
    ping: (_: unknown, payload: Buffer) => this.#tell(() => this.pings.push(`${payload}`)),
    pong: (_: unknown, payload: Buffer) => this.#tell(() => this.pongs.push(`${payload}`)),
    error: (_: unknown, error: Error) => this.#tell(() => this.errors.push(error)),
    close: (_: unknown, code: number, reason: string) =>
      this.#tell(() => this.closes.push([code, reason])),
  };

  get socket(): WebSocketConnection<never> {
    return this.sockets.at(-1)!;
  }

  #tell(note: () => unknown): void {
    note();
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  /** Resolves when `what` holds. */
  async until(what: () => boolean): Promise<void> {
    while (!what()) {
      const changed = new Promise<void>((resolve) => this.#changed.push(resolve));
      await within(changed, () => `${what} (${JSON.stringify(this.messages).slice(0, 200)})`);
    }
  }

  /** Resolves when there are so many messages. */
  async received(count: number): Promise<Received[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages;
  }

  async closed(): Promise<[code: number, reason: string]> {
    await this.until(() => this.closes.length > 0);
    return this.closes[0]!;
  }
}

export interface SocketServer {
  server: HttpServer;
  url: string;
}

/** A server of WebSockets on loopback that ends with the test. */
export function serveSockets<Data>(websocket: WebSocketServerOptions<Data>): SocketServer {
  const server = serveHttp({ handler: () => 'http', websocket });
  return { server, url: `ws://127.0.0.1:${server.port}` };
}

/** A client that ends with the test. */
export async function dialSocket<Data>(
  url: string,
  options: WebSocketClientOptions<Data> = {},
): Promise<WebSocketClient<Data>> {
  const client = await within(connectWebSocket<Data>(url, options), () => `connect to ${url}`);
  onTestFinished(() => client.terminate());
  return client;
}
