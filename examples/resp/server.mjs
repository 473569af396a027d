/**
 * A Redis-like key-value server: the keyspace and the commands behind a ringpoll listener, on the
 * three levels of the scheduler's dispatcher:
 *
 *   connection   a piece of input ─▶ messages          toMessages()
 *   request      message ─▶ handler, by its code       'commands', 'drain', 'end'
 *   business     the session answers ─▶ reply          session.take() ─▶ session.send()
 *
 * A message is all that a client sent at once, which may be a pipeline of many commands: a message
 * a command would cost more than most commands do.
 */

import { readFileSync } from 'node:fs';
import { Loop, listen } from 'ringpoll';
import { Dispatcher, HybridScheduler } from 'ringpoll/scheduler';
import { allCommands } from './commands.mjs';
import { defaultLimits } from './protocol.mjs';
import { Session } from './session.mjs';
import { Store } from './store.mjs';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const sweepInterval = 100; // milliseconds
const sweptKeysMax = 200;

const nothing = Buffer.alloc(0);

/**
 * What the messages of all clients are served by.
 * @param {HybridScheduler} scheduler
 */
function makeDispatcher(scheduler) {
  const direct = { direct: true };
  return new Dispatcher(scheduler)
    .handle('commands', ({ payload: { session, bytes } }) => session.take(bytes), direct)
    .handle('drain', ({ payload: { session } }) => session.drain(), direct)
    .handle('end', ({ payload: { session } }) => session.end(), direct);
}

/**
 * The lane of a client: its messages keep their order, and it takes turns with the others.
 * @param {Dispatcher} dispatcher
 * @param {Session} session
 * @param {import('ringpoll').Connection} connection
 */
function openLane(dispatcher, session, connection) {
  let reqId = 0;
  // The end comes as an empty piece of input, so that it stays behind what came before it.
  const toMessages = (bytes) => {
    const bizCode = bytes.length === 0 ? 'end' : 'commands';
    return [{ reqId: reqId++, bizCode, payload: { session, bytes } }];
  };
  return dispatcher.open(connection, {
    direct: true,
    parse: toMessages,
    reply: () => session.send(),
    fail(_message, error) {
      console.error(error); // a mistake of this server's
      connection.reset();
    },
  });
}

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
  const scheduler = new HybridScheduler();
  const dispatcher = makeDispatcher(scheduler);
  const listener = listen({
    ...(path === undefined ? { host, port } : { path }),
    // A client that has said all still gets its answers; the session ends when they are written.
    allowHalfOpen: true,
    open(connection) {
      counters.connections += 1;
      const session = new Session(counters.connections, server, connection);
      connection.data = { session, lane: openLane(dispatcher, session, connection) };
    },
    data: (connection, chunk) => connection.data.lane.receive(chunk.bytes),
    drain({ data: { session, lane } }) {
      lane.submit({ reqId: 'drain', bizCode: 'drain', payload: { session } });
    },
    end: (connection) => connection.data.lane.receive(nothing),
    close: (connection) => connection.data.lane.close(),
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
    /** @param {{ timeout?: number }} [stopOptions] */
    async stop(stopOptions) {
      clearInterval(sweeper);
      await listener.stop(stopOptions);
      await scheduler.close();
    },
    destroy() {
      clearInterval(sweeper);
      listener.destroy();
      void scheduler.close();
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
