// node [--import ringpoll/register] bench/clients/database.mjs CLIENT PORT CONNECTIONS SECONDS
// WARM_UP: an unchanged client of a database in a closed loop, one at a time on each connection.
// CLIENT: pg (SELECT 1), or ioredis (pipelines of 16 GET).
import { createRequire } from 'node:module';
import { closedLoop } from './closed_loop.mjs';

const [which, port, connections, seconds, warmUp] = process.argv.slice(2);
const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const place = { host: '127.0.0.1', port: Number(port) };
const PIPELINE = 16;

const clients = {
  async pg() {
    const { Client } = peers('pg');
    const client = new Client({ ...place, user: 'bench', database: 'postgres' });
    await client.connect();
    return async () => (await client.query('SELECT 1 AS one')).rows[0].one;
  },
  async ioredis() {
    const { Redis } = peers('ioredis');
    const client = new Redis(place);
    await client.set('key', 'value');
    return async () => {
      const pipeline = client.pipeline();
      for (let i = 0; i < PIPELINE; i++) pipeline.get('key');
      const answers = await pipeline.exec();
      return answers.reduce((sum, [, answer]) => sum + answer.length, 0);
    };
  },
};

const senders = await Promise.all(Array.from({ length: Number(connections) }, clients[which]));
await closedLoop(senders, Number(seconds), Number(warmUp));
process.exit(0);
