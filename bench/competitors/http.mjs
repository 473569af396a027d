// Who takes part in the HTTP suite: everybody answers GET / with Hello, World! and keeps alive.
import { join } from 'node:path';
import { bunBinary, goServer, limitServer, npmPeers, Unavailable } from '../lib/build.mjs';
import { BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { ringpoll } from './echo.mjs';

const node = process.execPath;

function limit(name, source) {
  return {
    name,
    prepare: () => limitServer(source),
    command: async (port) => [await limitServer(source), String(port)],
  };
}

function onNode(name, script, ...modes) {
  return {
    name,
    prepare: npmPeers,
    command: (port) => [node, join(PEERS, script), String(port), ...modes],
  };
}

function onBun(name, mode) {
  return {
    name,
    prepare: bunBinary,
    command: async (port) => [await bunBinary(), join(PEERS, 'http-bun.mjs'), String(port), mode],
  };
}

function onGo(name, folder) {
  return {
    name,
    env: { GOMAXPROCS: '1' },
    prepare: () => goServer(folder),
    command: async (port) => [await goServer(folder), String(port)],
  };
}

function nginx(name, mode) {
  return {
    name,
    ready: 'connect',
    prepare() {
      if (!hasCommand('nginx')) throw new Unavailable('no nginx');
    },
    command: (port) => ['sh', join(PEERS, 'nginx.sh'), String(port), join(BUILD, name), mode],
  };
}

export const competitors = [
  limit('c-epoll', 'http-epoll'),
  limit('c-uring', 'http-uring'),
  onNode('uws', 'http-uws.mjs', 'handler'),
  onNode('uws-declarative', 'http-uws.mjs', 'declarative'),
  onBun('bun-fetch', 'fetch'),
  onBun('bun-static', 'static'),
  onNode('node-http', 'http-node.mjs'),
  onNode('fastify', 'http-fastify.mjs'),
  onGo('go-fasthttp', 'go-fasthttp'),
  onGo('go-nethttp', 'go-nethttp'),
  nginx('nginx-return', 'return'),
  nginx('nginx-file', 'file'),
  ringpoll('ringpoll-poll', 'http-plaintext.mjs', 'poll'),
  ringpoll('ringpoll-uring', 'http-plaintext.mjs', 'uring'),
  ringpoll('ringpoll-hybrid', 'http-plaintext.mjs', 'hybrid'),
];
