// Bun: `ws-bun.mjs PORT`. Echo on /, compressed on /deflate; a message on /topic goes to all
// connections there. WS_TLS=1 with TLS_CERT and TLS_KEY: over TLS.
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const { WS_TLS, TLS_CERT, TLS_KEY } = process.env;

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  ...(WS_TLS && { tls: { cert: Bun.file(TLS_CERT), key: Bun.file(TLS_KEY) } }),
  fetch(request, asked) {
    const { pathname } = new URL(request.url);
    if (asked.upgrade(request, { data: pathname })) return undefined;
    return new Response('WebSocket only', { status: 426 });
  },
  websocket: {
    maxPayloadLength: PAYLOAD_BYTES_MAX,
    backpressureLimit: PAYLOAD_BYTES_MAX,
    perMessageDeflate: { compress: 'shared', decompress: 'shared' },
    open(socket) {
      if (socket.data === '/topic') socket.subscribe('all');
    },
    message(socket, message) {
      if (socket.data === '/topic') server.publish('all', message);
      else socket.send(message, socket.data === '/deflate');
    },
  },
});
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(0));
