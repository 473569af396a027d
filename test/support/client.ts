// Servers for the tests of the HTTP client: node:http, and one that sends the bytes it is told.
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Client, type ClientOptions } from 'ringpoll/client';
import { onTestFinished } from 'vitest';

/** A client that ends with the test. */
export function client(options: ClientOptions = {}): Client {
  const made = new Client(options);
  onTestFinished(() => made.destroy());
  return made;
}

/** A server of node:http on loopback; gives its URL without a path. */
export async function serveNode(
  listener: RequestListener,
): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

export interface RawServer {
  url: string;
  /** Connections that were accepted. */
  connections: number;
  sockets: Set<Socket>;
}

/**
 * A server that calls `answer` when the head of a request has come; `nth` counts all of them from
 * 1 on. With `tls` it speaks TLS.
 */
export async function serveRaw(
  answer: (socket: Socket, nth: number, request: string) => unknown,
  tls?: { key: string; cert: string },
): Promise<RawServer> {
  let requests = 0;
  const raw: RawServer = { url: '', connections: 0, sockets: new Set() };
  const accept = (socket: Socket) => {
    raw.connections++;
    raw.sockets.add(socket);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end + 4);
        text = text.slice(end + 4);
        answer(socket, ++requests, request);
      }
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => raw.sockets.delete(socket));
  };
  const options = { noDelay: true, allowHalfOpen: true };
  const server =
    tls === undefined
      ? createNetServer(options, accept)
      : createTlsServer({ ...options, ...tls } as TlsOptions, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of raw.sockets) socket.destroy();
  });
  const scheme = tls === undefined ? 'http' : 'https';
  raw.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return raw;
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it did not fail');
}
