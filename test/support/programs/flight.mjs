// node flight.mjs FILE: an HTTP server with a flight recorder. /stuck says so, and never returns.
import { writeSync } from 'node:fs';
import { flightRecorder } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';

const server = serve({
  host: '127.0.0.1',
  port: 0,
  routes: {
    '/': () => 'hello',
    '/stuck': () => {
      writeSync(1, 'stuck\n');
      for (;;);
    },
  },
});
flightRecorder({ path: process.argv[2], turns: 64 });
console.log(server.port);
