// A connection that has had its handshake becomes a WebSocket.
import { runtime } from '../runtime/runtime.js';
import type { Connection } from '../tcp/connection.js';
import { handOverTo } from '../tcp/hand_over.js';
import { forgetSocket, keepSocket } from './events.js';
import type { Sessions } from './sessions.js';
import { call, type SocketHost, WebSocketConnection } from './socket.js';

export interface Adopted {
  connection: Connection;
  protocol: string;
  extensions: string;
  settings: Uint32Array;
  /** Bytes that came behind the handshake. */
  rest: Uint8Array | undefined;
  data: unknown;
  /** The key that its client may come back with, and where it is kept. */
  session?: { key: string; of: Sessions } | undefined;
}

/**
 * Puts the WebSocket protocol in the place of what the connection spoke, and calls `open`.
 * Undefined: the connection is over already.
 */
export function adopt<Data>(
  host: SocketHost,
  { connection, protocol, extensions, settings, rest, data, session }: Adopted,
): WebSocketConnection<Data> | undefined {
  const loop = runtime();
  const { _slot: slot, _generation: generation } = connection;
  const { handlers } = host;
  const socket = new WebSocketConnection<Data>(host, connection, protocol, extensions);
  socket.data = data as Data;
  const any = socket as unknown as WebSocketConnection<never>;
  if (!loop.native.webSocketAccept(slot, generation, settings, rest)) return undefined;
  const finish = () => {
    const { code, reason, clean } = socket._closed();
    session?.of.end(session.key, any, code, clean);
    socket._sink?.ended(clean);
    return handlers.close?.(any, code, reason);
  };
  handOverTo(connection, {
    // What stands later in the walk over this turn's events; from the next one on none comes.
    data: (_, chunk) => void loop.native.webSocketFeed(slot, generation, chunk.bytes),
    drain: () => (handlers.drain === undefined ? undefined : handlers.drain(any)),
    ...(handlers.error !== undefined && {
      error: (_: Connection, error: Error) => handlers.error?.(any, error),
    }),
    close() {
      forgetSocket(any);
      // Only messages are worth waiting for: those that came before it, and wait for resume().
      if (socket._held.length === 0 || !socket._ending?.clean) return finish();
      socket._afterHeld = () => call(any, finish);
      return undefined;
    },
  });
  keepSocket(any);
  const lost = session?.of.begin(session.key, any);
  if (handlers.open !== undefined) call(any, () => handlers.open?.(any));
  if (lost !== undefined) call(any, () => handlers.recovered?.(any, lost));
  return socket;
}
