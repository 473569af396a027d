// TLS echo on ringpoll: `node bench/servers/tls-echo.mjs PORT`, as tcp-echo.mjs is without TLS. For
// TLS_CERT, TLS_KEY, TLS_MIN and TLS_MAX see bench/lib/server_tls.mjs.
import { Loop, listen } from 'ringpoll';
import { serverTls } from '../lib/server_tls.mjs';

const listener = listen({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  backlog: 4096,
  tls: await serverTls(),
  data(connection, chunk) {
    if (!connection.write(chunk)) connection.pause();
  },
  drain(connection) {
    connection.resume();
  },
  error(_connection, error) {
    // A load generator that stops may reset; anything else is a fault worth seeing.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') console.error(error);
  },
});
console.log(`ready ${listener.address.port} engine=${Loop.current().engine}`);

const DRAIN_MS = 2000;
let stopping = false;
async function stop() {
  if (stopping) process.exit(1);
  stopping = true;
  await listener.stop({ timeout: DRAIN_MS });
  process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
