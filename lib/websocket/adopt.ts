// A connection that has had its handshake becomes a WebSocket.
import { runtime } from '../runtime/runtime.js';
import type { Connection } from '../tcp/connection.js';
import type { Endpoint } from '../tcp/endpoint.js';
import { endpointBehind, moveTo } from '../tcp/hand_over.js';
import { forgetSocket, keepSocket, socketAt } from './events.js';
import { type AnySocket, call, type SocketHost, WebSocketConnection } from './socket.js';

export interface Adopted {
  connection: Connection;
  protocol: string;
  extensions: string;
  settings: Uint32Array;
  /** Bytes that came behind the handshake. */
  rest: Uint8Array | undefined;
  data: unknown;
  /** The key that its client may come back with. */
  session?: string | undefined;
}

/** One for all sockets of a host: an idle socket has nothing of its own that another has too. */
const shared = new WeakMap<SocketHost, Endpoint<Connection>>();

function endpointOf(host: SocketHost, connection: Connection): Endpoint<Connection> {
  let endpoint = shared.get(host);
  if (endpoint !== undefined) return endpoint;
  const { drain, error } = host.handlers;
  const with_ = (of: Connection, act: (socket: AnySocket) => unknown) => {
    const socket = socketAt(of);
    return socket === undefined ? undefined : act(socket);
  };
  endpoint = endpointBehind(connection._endpoint, {
    // What stands later in the walk over this turn's events; from the next one on none comes.
    data({ _slot, _generation }, chunk) {
      runtime().native.webSocketFeed(_slot, _generation, chunk.bytes);
    },
    drain: (of) => (drain === undefined ? undefined : with_(of, drain)),
    ...(error !== undefined && {
      error: (of: Connection, failure: Error) => with_(of, (socket) => error(socket, failure)),
    }),
    close: (of) => with_(of, closed),
  });
  shared.set(host, endpoint);
  return endpoint;
}

function closed(socket: AnySocket): unknown {
  forgetSocket(socket);
  // Only messages are worth waiting for: those that came before it, and wait for resume().
  if (socket._held.length === 0 || !socket._ending?.clean) return finish(socket);
  socket._afterHeld = () => call(socket, () => finish(socket));
  return undefined;
}

function finish(socket: AnySocket): unknown {
  const { _host: host, _session: session } = socket;
  const { code, reason, clean } = socket._closed();
  if (session !== undefined) host.sessions?.end(session, socket, code, clean);
  socket._sink?.ended(clean);
  return host.handlers.close?.(socket, code, reason);
}

/** No socket of the host is open any more, nor will be. */
export function leaveHost(host: SocketHost): void {
  shared.get(host)?.over();
  shared.delete(host);
}

/**
 * Puts the WebSocket protocol in the place of what the connection spoke, and calls `open`.
 * Undefined: the connection is over already.
 */
export function adopt<Data>(
  host: SocketHost,
  { connection, protocol, extensions, settings, rest, data, session }: Adopted,
): WebSocketConnection<Data> | undefined {
  const { _slot: slot, _generation: generation } = connection;
  const { open, recovered } = host.handlers;
  if (!runtime().native.webSocketAccept(slot, generation, settings, rest)) return undefined;
  const socket = new WebSocketConnection<Data>(host, connection, protocol, extensions);
  const any = socket as unknown as AnySocket;
  socket.data = data as Data;
  socket._session = session;
  moveTo(connection, endpointOf(host, connection));
  keepSocket(any);
  const lost = session === undefined ? undefined : host.sessions?.begin(session, any);
  if (open !== undefined) call(any, () => open(any));
  if (lost !== undefined && recovered !== undefined) call(any, () => recovered(any, lost));
  return socket;
}
