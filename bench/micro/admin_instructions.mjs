// What it costs to be watched, in instructions of user space: those of a request with admin() and
// all that it measures, and without.
//
//   node bench/micro/admin_instructions.mjs [--warm-up N] [--seconds N] [--slots N] [--json]
import { fileURLToPath } from 'node:url';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { compareInstructions } from '../lib/instructions.mjs';
import { plaintext } from '../lib/plaintext.mjs';

/** Time stands almost still under valgrind: what is done once a second would seem much. */
const INTERVAL_MS = 60_000;

await compareInstructions({
  file: fileURLToPath(import.meta.url),
  what: 'admin()',
  loads: {
    '64 connections': { connections: 64 },
    '64 connections, 16 requests at once': { connections: 64, depth: 16 },
  },
  start(isOn) {
    const server = serve({ host: '127.0.0.1', port: 0, handler: plaintext });
    if (isOn) admin({ port: 0, token: false, interval: INTERVAL_MS });
    return server.port;
  },
});
