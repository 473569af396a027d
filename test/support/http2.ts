// Clients of node:http2 for servers of the package.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { HttpServer, ServeOptions } from 'ringpoll/http';
import { onTestFinished } from 'vitest';
import { serveHttps } from './https.js';
import { within } from './recorder.js';
import { pair } from './tls/certificate.js';

/** Serves HTTP/2 and HTTP/1.1 on a free port of loopback. */
export function serveHttp2(options: Partial<ServeOptions>): HttpServer {
  return serveHttps({ http2: true, ...options } as Partial<ServeOptions>);
}

export async function dialHttp2(
  server: HttpServer,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${server.port}`, {
    ...{ ca: pair.cert, host: '127.0.0.1' },
    ...options,
  });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  const connected = new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve());
    session.once('error', reject);
  });
  await within(connected, () => 'the settings of the server');
  return session;
}

export interface Got2 {
  status: number;
  headers: IncomingHttpHeaders;
  informational: number[];
  body: Buffer;
  trailers: IncomingHttpHeaders | undefined;
}

/** What comes of a stream that was opened; rejects when it is reset. */
export function answerOf(stream: ClientHttp2Stream): Promise<Got2> {
  const got = new Promise<Got2>((resolve, reject) => {
    const pieces: Buffer[] = [];
    const informational: number[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('headers', (early) => informational.push(early[':status'] as number));
    stream.on('response', (came) => {
      headers = came;
    });
    stream.on('trailers', (came) => {
      trailers = came;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('end', () => {
      if (headers[':status'] === undefined) reject(new Error('The stream ended without an answer'));
      const status = headers[':status'] ?? 0;
      resolve({ status, headers, informational, body: Buffer.concat(pieces), trailers });
    });
  });
  got.catch(() => {}); // it is awaited, or of no interest
  return within(got, () => 'the answer of a stream');
}

export function ask2(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Got2> {
  const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
  const answer = answerOf(stream);
  if (body !== undefined) stream.end(body);
  return answer;
}

export function closed(session: ClientHttp2Session): Promise<void> {
  const over = new Promise<void>((resolve) => {
    if (session.destroyed) resolve();
    else session.once('close', resolve);
  });
  return within(over, () => 'the end of the session');
}
