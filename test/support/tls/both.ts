// Connections over TLS with node:tls on one side, and the package on the other or on both.
import { type AddressInfo, createServer as createPlain } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createServer,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { onTestFinished } from 'vitest';
import { Peer } from '../peer.js';
import { type Handlers, type Recorder, Recorders, within } from '../recorder.js';
import { portOf, serve } from '../serve.js';
import { first } from './credentials.js';

type ServeOptions = NonNullable<Parameters<typeof serve>[0]>;
export type Version = 'TLSv1.2' | 'TLSv1.3';
export const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

export const { cert, key } = first;
/** The name in that certificate. */
export const NAME = 'a.example';

/** A listener with the certificate of the tests. */
export function serveTls(options: ServeOptions = {}) {
  return serve({ tls: { key, cert }, ...options });
}

/** Connects with node:tls, and waits for the handshake. */
export async function dialNode(port: number, options: ConnectionOptions = {}): Promise<Peer> {
  const socket = connect({
    ...{ host: '127.0.0.1', port, ca: cert, servername: NAME },
    allowHalfOpen: true,
    ...options,
  } as ConnectionOptions);
  onTestFinished(() => {
    socket.destroy();
  });
  const secure = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  await within(secure, () => 'the handshake of node:tls');
  return new Peer(socket);
}

export interface TlsPair {
  server: Recorder;
  peer: Peer;
}

/** node:tls as the client, the package as the server. */
export async function nodeToOurs(
  version: Version,
  handlers: Handlers = {},
  options: ServeOptions = {},
): Promise<TlsPair> {
  const recorders = new Recorders(handlers);
  const listener = serveTls({ ...options, ...recorders.recording });
  const peer = await dialNode(portOf(listener), { minVersion: version, maxVersion: version });
  return { server: await recorders.at(0), peer };
}

/** A server of node:tls, and what it accepts. */
export async function serveNode(
  options: TlsOptions,
  accepted: (socket: TLSSocket) => void,
): Promise<number> {
  const server = createServer(
    { key, cert, allowHalfOpen: true, ...options } as TlsOptions,
    accepted,
  );
  server.on('tlsClientError', () => {});
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** The first bytes that a client of node:tls sends. */
export async function clientHello(): Promise<Buffer> {
  const server = createPlain();
  onTestFinished(() => {
    server.close();
  });
  const hello = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        resolve(bytes);
        socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  connect({ port, host: '127.0.0.1' }).on('error', () => {});
  return within(hello, () => 'a ClientHello');
}
