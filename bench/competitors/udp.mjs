// Who takes part in the UDP echo suite.
import { join } from 'node:path';
import { limitServer } from '../lib/build.mjs';
import { PEERS } from '../lib/paths.mjs';
import { ringpoll } from './echo.mjs';

export const competitors = [
  {
    name: 'c-recvmmsg',
    prepare: () => limitServer('udp-echo'),
    command: async (port) => [await limitServer('udp-echo'), String(port)],
  },
  {
    name: 'node-dgram',
    command: (port) => [process.execPath, join(PEERS, 'udp-node.mjs'), String(port)],
  },
  ringpoll('ringpoll-poll', 'udp-echo.mjs', 'poll'),
  ringpoll('ringpoll-uring', 'udp-echo.mjs', 'uring'),
  ringpoll('ringpoll-hybrid', 'udp-echo.mjs', 'hybrid'),
];
