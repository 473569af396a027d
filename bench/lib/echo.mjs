// The echo of tcp-echo.mjs and tls-echo.mjs. The ready line names the engine that runs, which a
// fallback may have changed.
import { Loop, listen } from 'ringpoll';
import { endOnSignal } from './ending.mjs';

const DRAIN_MS = 2000;

/** Echoes on the port that the command line names, until a signal ends it. */
export function serveEcho(options = {}) {
  const listener = listen({
    host: '127.0.0.1',
    port: Number(process.argv[2] ?? 0),
    backlog: 4096,
    ...options,
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
  endOnSignal(() => listener.stop({ timeout: DRAIN_MS }));
}
