// Who takes part in the suite of HTTP gateways. `command` gets the port to listen on, and that of
// the target.
import { join } from 'node:path';
import { Unavailable } from '../lib/build.mjs';
import { BENCH, BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { ringpoll } from './echo.mjs';

export const RIVALS = ['nginx'];
export const HYBRID = 'ringpoll-hybrid';

const nginx = {
  name: 'nginx',
  ready: 'connect',
  prepare() {
    if (!hasCommand('nginx')) throw new Unavailable('no nginx');
  },
  command: (port, target) => [
    ...['sh', join(PEERS, 'nginx-proxy.sh'), String(port)],
    ...[join(BUILD, 'nginx-proxy'), String(target)],
  ],
};

const ours = (name, engine) => ({
  ...ringpoll(name, 'gateway.mjs', engine),
  command: (port, target) => [
    ...[process.execPath, join(BENCH, 'servers', 'gateway.mjs')],
    ...[String(port), String(target)],
  ],
});

export const competitors = [
  nginx,
  ours('ringpoll-poll', 'poll'),
  ours('ringpoll-uring', 'uring'),
  ours(HYBRID, 'hybrid'),
];
