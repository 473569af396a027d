/** A Redis-like key-value server: the keyspace and the commands behind a ringpoll listener. */

import { readFileSync } from 'node:fs';
import { Loop, listen } from 'ringpoll';
import { allCommands } from './commands.mjs';
import { defaultLimits } from './protocol.mjs';
import { Session } from './session.mjs';
import { Store } from './store.mjs';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const sweepInterval = 100; // milliseconds
const sweptKeysMax = 200;

/**
 * @typedef {object} Options
 * @property {string} [host] 127.0.0.1 unless given
 * @property {number} [port] 0, the default, takes any free one
 * @property {string} [path] of a Unix socket, instead of host and port
 * @property {Partial<typeof defaultLimits>} [limits]
 */

/**
 * Starts serving at once.
 * @param {Options} [options]
 */
export function serveResp({ host = '127.0.0.1', port = 0, path, limits } = {}) {
  const store = new Store();
  const started = Date.now();
  const counters = { connections: 0 };
  /** @type {import('./commands.mjs').Server} */
  const server = {
    store,
    version,
    limits: { ...defaultLimits, ...limits },
    random: Math.random,
    commands: allCommands(),
    info: () => describe(store, listener, counters, started),
  };
  const listener = listen({
    ...(path === undefined ? { host, port } : { path }),
    // A client that has said all still gets its answers; the session ends when they are written.
    allowHalfOpen: true,
    open(connection) {
      counters.connections += 1;
      connection.data = new Session(counters.connections, server, connection);
    },
    data: (connection, chunk) => connection.data.receive(chunk.bytes),
    drain: (connection) => connection.data.drain(),
    end: (connection) => connection.data.end(),
    error(_connection, error) {
      // A client that goes away is no news; anything else is a mistake of this server's.
      if (!('syscall' in error)) console.error(error);
    },
  });
  const sweeper = setInterval(() => store.sweep(sweptKeysMax), sweepInterval).unref();
  return {
    store,
    listener,
    address: listener.address,
    /** @param {{ deadline?: number }} [stopOptions] */
    async stop(stopOptions) {
      clearInterval(sweeper);
      await listener.stop(stopOptions);
    },
    close() {
      clearInterval(sweeper);
      listener.close();
    },
  };
}

/**
 * @param {Store} store
 * @param {import('ringpoll').Listener} listener
 * @param {{ connections: number }} counters
 * @param {number} started
 */
function describe(store, listener, counters, started) {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    Server: {
      ringpoll_version: version,
      engine: Loop.current().engine,
      process_id: process.pid,
      tcp_port: listener.address.port ?? 0,
      uptime_in_seconds: Math.floor((Date.now() - started) / 1000),
    },
    Clients: { connected_clients: listener.connections },
    Memory: { used_memory: heapUsed, used_memory_rss: rss },
    Stats: {
      total_connections_received: counters.connections,
      expired_keys: store.expired,
    },
    Keyspace:
      store.size === 0 ? {} : { db0: `keys=${store.size},expires=${store.mortalSize},avg_ttl=0` },
  };
}
