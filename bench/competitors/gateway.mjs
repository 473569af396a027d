// Who takes part in the suite of HTTP gateways, plain and with TLS towards clients. `command` gets
// the port to listen on, and that of the target.
import { join } from 'node:path';
import { npmPeers, Unavailable } from '../lib/build.mjs';
import { certificateFiles, makeCertificate } from '../lib/certificate.mjs';
import { BENCH, BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { ringpoll } from './echo.mjs';

export const RIVALS = ['nginx', 'http-proxy', 'fast-proxy'];
export const HYBRID = 'ringpoll-hybrid';
export const BARE = 'ringpoll-unguarded';

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

const onNode = (name) => ({
  name,
  prepare: npmPeers,
  command: (port, target) => [
    ...[process.execPath, join(PEERS, `gateway-${name}.mjs`)],
    ...[String(port), String(target)],
  ],
});

const ours = (name, engine) => ({
  ...ringpoll(name, 'gateway.mjs', engine),
  command: (port, target) => [
    ...[process.execPath, join(BENCH, 'servers', 'gateway.mjs')],
    ...[String(port), String(target)],
  ],
});

/** A server without a target: all guards, or none. */
const server = (name, guards) => {
  const base = ringpoll(name, 'http-guarded.mjs', 'hybrid');
  return { ...base, kind: 'guards', command: (port) => [...base.command(port), guards] };
};

const gateways = [
  nginx,
  onNode('http-proxy'),
  onNode('fast-proxy'),
  ours('ringpoll-poll', 'poll'),
  ours('ringpoll-uring', 'uring'),
  ours(HYBRID, 'hybrid'),
];

const overTls = (one) => ({
  ...one,
  kind: 'tls',
  env: { ...one.env, ...certificateFiles('ec') },
  async prepare() {
    await one.prepare();
    await makeCertificate('ec');
  },
});

export const competitors = [
  ...gateways.map((one) => ({ ...one, kind: 'plain' })),
  ...gateways.map(overTls),
  server(HYBRID, 'on'),
  server(BARE, 'off'),
];
