// Who takes part in the suite of TCP proxies. `command` gets the port to listen on, and that of the
// target.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from '../lib/build.mjs';
import { BENCH, BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { ringpoll } from './echo.mjs';

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const RIVALS = ['nginx-stream', 'haproxy', 'haproxy-splice'];
export const HYBRID = 'ringpoll-hybrid';

const nginx = {
  name: 'nginx-stream',
  ready: 'connect',
  prepare() {
    if (!hasCommand('nginx')) throw new Unavailable('no nginx');
    if (!existsSync(STREAM_MODULE)) throw new Unavailable('no stream module of nginx');
  },
  command: (port, target) => [
    ...['sh', join(PEERS, 'nginx-stream.sh'), String(port)],
    ...[join(BUILD, 'nginx-stream'), String(target)],
  ],
};

const haproxy = (name, way) => ({
  name,
  ready: 'connect',
  prepare() {
    if (!hasCommand('haproxy')) throw new Unavailable('no haproxy');
  },
  command: (port, target) => [
    ...['sh', join(PEERS, 'haproxy.sh'), String(port), join(BUILD, name), String(target), way],
  ],
});

const ours = (name, engine, splice) => {
  const base = ringpoll(name, 'tcp-proxy.mjs', engine);
  const script = join(BENCH, 'servers', 'tcp-proxy.mjs');
  return {
    ...base,
    env: { ...base.env, RINGPOLL_SPLICE: splice },
    command: (port, target) => [process.execPath, script, String(port), String(target)],
  };
};

export const competitors = [
  nginx,
  haproxy('haproxy', 'copy'),
  haproxy('haproxy-splice', 'splice'),
  ours('ringpoll-poll', 'poll', 'auto'),
  ours('ringpoll-uring', 'uring', 'auto'),
  ours(HYBRID, 'hybrid', 'auto'),
  ours('ringpoll-hybrid-copy', 'hybrid', 'never'),
  ours('ringpoll-hybrid-splice', 'hybrid', 'always'),
];
