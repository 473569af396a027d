// Who takes part in the UDP echo suite.
import { join } from 'node:path';
import { limitServer } from '../lib/build.mjs';
import { PEERS } from '../lib/paths.mjs';
import { ringpoll } from './echo.mjs';

/** Its buffers hold datagrams of one packet. */
const byCompletion = (name, sends) => ({
  name,
  sizeMax: 4000,
  prepare: () => limitServer('udp-uring'),
  command: async (port) => [await limitServer('udp-uring'), String(port), sends],
});

export const competitors = [
  {
    name: 'c-recvmmsg',
    prepare: () => limitServer('udp-echo'),
    command: async (port) => [await limitServer('udp-echo'), String(port)],
  },
  byCompletion('c-uring-multishot', 'sendmmsg'),
  byCompletion('c-uring-sends', 'ring'),
  {
    name: 'node-dgram',
    command: (port) => [process.execPath, join(PEERS, 'udp-node.mjs'), String(port)],
  },
  ringpoll('ringpoll-poll', 'udp-echo.mjs', 'poll'),
  ringpoll('ringpoll-uring', 'udp-echo.mjs', 'uring'),
  ringpoll('ringpoll-hybrid', 'udp-echo.mjs', 'hybrid'),
];
