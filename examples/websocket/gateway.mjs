// A gateway: WebSocket outside, TCP inside. Each WebSocket has a connection of its own to the
// inner server; bytes go both ways as they come, and neither side is read faster than the other
// takes them. node examples/websocket/gateway.mjs [PORT] [HOST:PORT of the inner server]
import { connect, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

const [port = '8080', inner] = process.argv.slice(2);
const WAITING_BYTES_MAX = 1024 * 1024;

/** Without an inner server of yours: one that gives everything back in upper case. */
const own = inner?.includes(':')
  ? undefined
  : listen({
      host: '127.0.0.1',
      port: 0,
      data(connection, chunk) {
        if (!connection.write(chunk.toString().toUpperCase())) connection.pause();
      },
      drain: (connection) => connection.resume(),
      error() {},
    });
const [host, innerPort] = own ? [own.address.address, own.address.port] : inner.split(':');

async function open(socket) {
  const side = { inner: undefined, early: [], earlyBytes: 0 };
  socket.data = side;
  try {
    side.inner = await connect({
      host,
      port: Number(innerPort),
      data(connection, chunk) {
        if (!socket.sendBinary(chunk.bytes)) connection.pause();
      },
      drain: () => socket.resume(),
      close: () => socket.close(1000),
      error() {},
    });
  } catch {
    socket.close(1014, 'the inner server does not answer'); // Bad Gateway
    return;
  }
  if (socket.readyState !== 'open') side.inner.close();
  for (const bytes of side.early.splice(0)) side.inner.write(bytes);
}

function message(socket, received) {
  const side = socket.data;
  const bytes = typeof received === 'string' ? Buffer.from(received) : received;
  if (side.inner !== undefined) {
    if (!side.inner.write(bytes)) socket.pause();
    return;
  }
  // It came before the inner connection was there.
  side.early.push(Buffer.from(bytes));
  side.earlyBytes += bytes.length;
  if (side.earlyBytes > WAITING_BYTES_MAX) socket.close(1013, 'too early');
}

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  handler: (_, response) => response.end('Connect a WebSocket to /tcp\n'),
  websocket: {
    upgrade: (request) => (request.path === '/tcp' ? {} : { status: 404 }),
    open,
    message,
    drain: (socket) => socket.data.inner?.resume(),
    close: (socket) => socket.data?.inner?.close(),
  },
});
console.log(`http://127.0.0.1:${server.port}/ leads to ${host}:${innerPort}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.stop({ timeout: 5000 });
    await own?.stop({ timeout: 1000 });
  });
}
