// One of several processes that do jobs: node queue_worker.mjs SOCKET STREAM VISIBILITY. A line for
// each attempt that begins, and for each job that is done. Payloads say what becomes of them.
import { writeSync } from 'node:fs';
import { createClient } from '@redis/client';
import { RedisJobQueue } from 'ringpoll/queues';

const [path, stream, visibility] = process.argv.slice(2);
const client = createClient({ socket: { path, reconnectStrategy: () => 20 } });
client.on('error', () => {});
await client.connect();

const say = (...words) => writeSync(1, `${words.join(' ')}\n`);
const queue = new RedisJobQueue(client, {
  stream,
  visibility: Number(visibility),
  retries: [10, 20, 40],
  concurrency: 4,
  error() {},
  async run({ n, fails = 0, kills = false, hangs = false }, { attempt, signal }) {
    say('begun', n, attempt);
    if (kills) process.exit(9);
    if (hangs) await new Promise((_, reject) => signal.addEventListener('abort', reject));
    await new Promise((resolve) => setImmediate(resolve));
    if (attempt <= fails) throw new Error(`job ${n} fails`);
    say('done', n, attempt);
  },
});
say('ready');

process.once('SIGTERM', async () => {
  await queue.stop({ timeout: 5000 });
  client.destroy();
});
