// After an upgrade, or CONNECT: the connection's bytes are those of its socket.
import type { Chunk } from '../tcp/chunk.js';
import type { Connection } from '../tcp/connection.js';
import { handOverTo } from '../tcp/hand_over.js';
import type { NodeSocket } from './socket.js';

const NOTHING = Buffer.alloc(0);

/**
 * The socket reads from here on. `brings`: bytes came with the request. `begin` gets them, once.
 */
export function tunnel(
  over: (error: Error | undefined) => void,
  connection: Connection,
  socket: NodeSocket,
  brings: boolean,
  begin: (head: Buffer) => void,
): void {
  let begun = !brings;
  socket.detached = true;
  socket.parser = null;
  socket.removeAllListeners('timeout');
  socket.removeAllListeners('drain');
  socket.removeAllListeners('error');
  const handle = (socket as unknown as { _handle: { readStop(): number } | null })._handle;
  const handlers = {
    data(_: Connection, chunk: Chunk) {
      const bytes = Buffer.from(chunk.bytes);
      if (!begun) {
        begun = true;
        begin(bytes);
        return;
      }
      if (socket.push(bytes) || handle === null) return;
      handle.readStop();
    },
    end() {
      // As with libuv: what cannot be read any more does not keep the process alive.
      raw.unref();
      socket.push(null);
      socket.read(0);
    },
    close(_: Connection, error?: Error) {
      over(error);
    },
  };
  const raw = handOverTo(connection, handlers, true);
  if (begun) begin(NOTHING);
}
