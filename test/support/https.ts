// HTTPS servers of the package for tests, and requests of node:https to them.
import { Agent, type RequestOptions, request } from 'node:https';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { HttpRequest, HttpResponse, HttpServer, ServeOptions } from 'ringpoll/http';
import { onTestFinished } from 'vitest';
import { serveHttp } from './http.js';
import { Peer } from './peer.js';
import { within } from './recorder.js';
import { pair } from './tls/certificate.js';

/** Serves on a free port of loopback, with the certificate of the tests. */
export function serveHttps(options: Partial<ServeOptions>): HttpServer {
  return serveHttp({ tls: pair, ...options } as Partial<ServeOptions>);
}

export const hello = (_request: HttpRequest, response: HttpResponse) => void response.end('hello');

export async function echo(request: HttpRequest, response: HttpResponse) {
  response.end(await request.body());
}

export interface Got {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** The port that the client spoke from: the same for requests of one connection. */
  from: number;
}

/** An agent that keeps one connection, which is closed with the test. */
export function keepingAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: pair.cert });
  onTestFinished(() => agent.destroy());
  return agent;
}

export function ask(
  server: HttpServer,
  path: string,
  { body, ...options }: RequestOptions & { body?: string | Buffer } = {},
): Promise<Got> {
  const got = new Promise<Got>((resolve, reject) => {
    const asking = request({
      ...{ host: '127.0.0.1', port: server.port, path, ca: pair.cert, agent: false },
      servername: 'localhost',
      ...options,
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      const from = response.socket.localPort ?? 0;
      const pieces: Buffer[] = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(pieces), from });
      });
    });
    asking.end(body);
  });
  return within(got, () => `the answer to ${path}`);
}

/** A peer that speaks TLS, once its handshake is done; everything else is the test's to say. */
export async function dialHttps(
  server: HttpServer,
  options: Parameters<typeof tlsConnect>[0] = {},
): Promise<Peer & { socket: TLSSocket }> {
  const at = { host: '127.0.0.1', port: server.port as number };
  const socket = tlsConnect({ ...at, ca: pair.cert, allowHalfOpen: true, ...options } as never);
  const peer = new Peer(socket);
  onTestFinished(() => peer.destroy());
  const shaken = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  await within(shaken, () => 'the handshake');
  return peer as Peer & { socket: TLSSocket };
}
