// TCP echo on ringpoll: `node bench/servers/tcp-echo.mjs PORT`. RINGPOLL_ENGINE and
// RINGPOLL_RECEIVE choose how it is served; the ready line names the engine that runs, which a
// fallback may have changed.
import { Loop, listen } from 'ringpoll';

const listener = listen({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  backlog: 4096,
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
