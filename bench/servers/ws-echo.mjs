// node bench/servers/ws-echo.mjs PORT: WebSocket on ringpoll. Text and binary are echoed on /, with
// permessage-deflate on /deflate; what comes on /topic goes to all connections there, the sender
// included. WS_TLS=1: over TLS, with TLS_CERT, TLS_KEY, TLS_MIN and TLS_MAX as
// bench/lib/server_tls.mjs has them.
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { serverTls } from '../lib/server_tls.mjs';

const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const TOPIC = 'all';
const PATHS = ['/', '/deflate', '/topic'];

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  backlog: 4096,
  ...(process.env.WS_TLS && { tls: await serverTls() }),
  handler: (_, response) => response.status(426).header('Upgrade', 'websocket').end(),
  websocket: {
    maxPayload: PAYLOAD_BYTES_MAX,
    backpressureLimit: PAYLOAD_BYTES_MAX,
    perMessageDeflate: true,
    upgrade({ path }) {
      if (!PATHS.includes(path)) return { status: 404 };
      return { data: path, compress: path === '/deflate' };
    },
    open(socket) {
      if (socket.data === '/topic') socket.subscribe(TOPIC);
    },
    message(socket, message) {
      if (socket.data === '/topic') server.publish(TOPIC, message, { compress: false });
      else if (!socket.send(message)) socket.pause();
    },
    drain: (socket) => socket.resume(),
    error(_socket, error) {
      // A load generator that stops may reset; anything else is a fault worth seeing.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') console.error(error);
    },
  },
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
