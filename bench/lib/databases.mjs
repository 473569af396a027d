// Databases for clients to talk to: each is started for a case, and stopped behind it.
import { Postgres, postgresFolder } from './postgres.mjs';
import { hasCommand } from './process.mjs';
import { freePort, startServer } from './server.mjs';

const redis = {
  name: 'redis',
  ready: 'connect',
  command: (port) => [
    ...['redis-server', '--bind', '127.0.0.1', '--port', String(port)],
    ...['--save', '', '--appendonly', 'no'],
  ],
};

/** By the name of a case: gives `port` and `stop()`, or in `missing` why there is none. */
export const databases = {
  async pg(where) {
    const folder = postgresFolder();
    if (folder === undefined) return { missing: 'no PostgreSQL' };
    const postgres = new Postgres(folder, await freePort());
    await postgres.start(where);
    return postgres;
  },
  async ioredis(where) {
    if (!hasCommand('redis-server')) return { missing: 'no redis-server' };
    return startServer(redis, where);
  },
};
