// What all guards cost, in instructions of user space: those of a request with guard() and its
// defaults around the handler, and without.
//
//   node bench/micro/guards_instructions.mjs [--warm-up N] [--seconds N] [--slots N] [--json]
import { fileURLToPath } from 'node:url';
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { compareInstructions } from '../lib/instructions.mjs';
import { plaintext } from '../lib/plaintext.mjs';

/** A server under valgrind is slow, and its timers late: it would shed. */
const MAX_DELAY_MS = 60_000;

await compareInstructions({
  file: fileURLToPath(import.meta.url),
  what: 'guard()',
  loads: { '64 connections': { connections: 64 } },
  start(isOn) {
    const handler = isOn ? guard(plaintext, { overload: { maxDelay: MAX_DELAY_MS } }) : plaintext;
    return serve({ host: '127.0.0.1', port: 0, handler }).port;
  },
});
