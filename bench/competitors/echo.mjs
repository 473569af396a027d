// Who takes part in the TCP echo suite. A competitor says how its server is started on a port, and
// what has to be there first; `expect` names facts of the ready line that must hold.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bunBinary, limitServer, Unavailable } from '../lib/build.mjs';
import { BENCH, PEERS, ROOT } from '../lib/paths.mjs';

const node = process.execPath;

function limit(name, source, ...modes) {
  return {
    name,
    prepare: () => limitServer(source),
    command: async (port) => [await limitServer(source), String(port), ...modes],
  };
}

/** A server on ringpoll, with the engine that the environment chooses. */
export function ringpoll(name, script, engine, receive) {
  const file = join(BENCH, 'servers', script);
  return {
    name,
    ours: true,
    env: { RINGPOLL_ENGINE: engine, ...(receive && { RINGPOLL_RECEIVE: receive }) },
    expect: { engine },
    prepare() {
      if (!existsSync(file)) throw new Unavailable(`bench/servers/${script} is missing`);
      if (!existsSync(join(ROOT, 'dist', 'index.js'))) {
        throw new Unavailable('ringpoll is not built: npm run build');
      }
    },
    command: (port) => [node, file, String(port)],
  };
}

export const HYBRID = 'ringpoll-hybrid';
export const ENGINES = ['ringpoll-poll', 'ringpoll-uring-readiness', 'ringpoll-uring-completion'];

export const competitors = [
  limit('c-epoll', 'echo-epoll'),
  limit('c-uring-readiness', 'echo-uring', 'readiness'),
  limit('c-uring-completion', 'echo-uring', 'completion'),
  {
    name: 'bun-listen',
    prepare: bunBinary,
    command: async (port) => [await bunBinary(), join(PEERS, 'echo-bun.mjs'), String(port)],
  },
  {
    name: 'node-net',
    command: (port) => [node, join(PEERS, 'echo-node.mjs'), String(port)],
  },
  ringpoll('ringpoll-poll', 'tcp-echo.mjs', 'poll'),
  ringpoll('ringpoll-uring-readiness', 'tcp-echo.mjs', 'uring', 'readiness'),
  ringpoll('ringpoll-uring-completion', 'tcp-echo.mjs', 'uring', 'completion'),
  ringpoll('ringpoll-hybrid', 'tcp-echo.mjs', 'hybrid'),
  ringpoll('ringpoll-net', 'net-echo.mjs', 'hybrid'),
];
