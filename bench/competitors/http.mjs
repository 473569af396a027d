// Who takes part in the HTTP suite, and in which kinds of its cases. For `plain` everybody answers
// GET / with Hello, World! and keeps alive; `static` is the same without JavaScript per request,
// and `fetch` the same by a handler of the Fetch standard.
import { join } from 'node:path';
import { bunBinary, goServer, limitServer, npmPeers, Unavailable } from '../lib/build.mjs';
import { BENCH, BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { megabyteFile } from '../lib/requests.mjs';
import { ringpoll } from './echo.mjs';

const node = process.execPath;

const KINDS = ['headers', 'json', 'upload', 'download'];

function limit(name, source, kinds) {
  return {
    name,
    kinds,
    prepare: () => limitServer(source),
    command: async (port) => [await limitServer(source), String(port)],
  };
}

function onNode(name, script, kinds, ...modes) {
  return {
    name,
    kinds,
    prepare: npmPeers,
    command: (port) => [node, join(PEERS, script), String(port), ...modes],
  };
}

function onBun(name, kinds, mode) {
  return {
    name,
    kinds,
    prepare: bunBinary,
    command: async (port) => [await bunBinary(), join(PEERS, 'http-bun.mjs'), String(port), mode],
  };
}

function onGo(name, folder, kinds) {
  return {
    name,
    kinds,
    env: { GOMAXPROCS: '1' },
    prepare: () => goServer(folder),
    command: async (port) => [await goServer(folder), String(port)],
  };
}

function nginx(name, kinds, mode) {
  return {
    name,
    kinds,
    ready: 'connect',
    prepare() {
      if (!hasCommand('nginx')) throw new Unavailable('no nginx');
    },
    command: (port) => ['sh', join(PEERS, 'nginx.sh'), String(port), join(BUILD, name), mode],
  };
}

/** Ours on one engine, a server for each kind of case. `-platform` answers with Node's Response. */
function ours(engine) {
  const base = ringpoll(`ringpoll-${engine}`, 'http-plaintext.mjs', engine);
  const servers = join(BENCH, 'servers');
  const on = (suffix, script, kind, ...words) => ({
    ...base,
    name: `ringpoll-${engine}${suffix}`,
    kinds: [kind],
    command: (port) => [node, join(servers, script), String(port), ...words],
  });
  return [
    { ...base, kinds: ['once', 'plain', 'rss'] },
    on('', 'http-cases.mjs', 'static', 'static'),
    on('', 'http-fetch.mjs', 'fetch', 'light'),
    ...(base.name === HYBRID ? [on('-platform', 'http-fetch.mjs', 'fetch', 'platform')] : []),
    ...KINDS.map((kind) => on('', 'http-cases.mjs', kind, kind)),
    on('', 'http-cases.mjs', 'file', 'file', megabyteFile()),
  ];
}

export const HYBRID = 'ringpoll-hybrid';
export const ENGINES = ['ringpoll-poll', 'ringpoll-uring', HYBRID];

// `plain` is every small case, `once` only the first of them: those that no target names.
export const competitors = [
  limit('c-epoll', 'http-epoll', ['once', 'plain', 'static', 'fetch']),
  limit('c-uring', 'http-uring', ['once', 'plain']),
  onNode('uws', 'http-uws.mjs', ['once', 'plain', 'rss'], 'handler'),
  onNode('uws-declarative', 'http-uws.mjs', ['static'], 'declarative'),
  ...KINDS.map((kind) => onNode('uws', 'http-uws.mjs', [kind], kind)),
  onBun('bun-fetch', ['once', 'plain', 'fetch'], 'fetch'),
  onBun('bun-static', ['static'], 'static'),
  ...KINDS.map((kind) => onBun('bun-fetch', [kind], kind)),
  onNode('node-http', 'http-node.mjs', ['once', 'plain', 'rss'], 'plain'),
  ...KINDS.map((kind) => onNode('node-http', 'http-node.mjs', [kind], kind)),
  onNode('fastify', 'http-fastify.mjs', ['once']),
  onGo('go-fasthttp', 'go-fasthttp', ['once', 'plain']),
  onGo('go-nethttp', 'go-nethttp', ['once']),
  nginx('nginx-return', ['once'], 'return'),
  nginx('nginx-file', ['once'], 'file'),
  nginx('nginx-megabyte', ['file'], 'megabyte'),
  ...ENGINES.flatMap((name) => ours(name.replace('ringpoll-', ''))),
];
