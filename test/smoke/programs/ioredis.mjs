// ioredis and a Redis server, on a Unix socket.
import Redis from 'ioredis';
import { digest, say } from './say.mjs';

const path = process.env.SMOKE_REDIS;
const redis = new Redis(path);
await redis.flushall();
const pipeline = redis.pipeline();
for (let i = 0; i < 1000; i++) pipeline.set(`k${i}`, i).incr(`k${i}`);
const answers = await pipeline.exec();
say('pipeline', [answers.length, answers.at(-1)]);
say('transaction', await redis.multi().incr('k1').get('k1').exec());
const big = Buffer.alloc(5_000_000, 'ringpoll');
await redis.set('big', big);
const got = await redis.getBuffer('big');
say('big', [got.length, digest(got)]);
const subscriber = redis.duplicate();
const messages = [];
const all = new Promise((resolve) => {
  subscriber.on('message', (channel, message) => {
    if (messages.push(`${channel} ${message}`) === 100) resolve();
  });
});
await subscriber.subscribe('news');
for (let i = 0; i < 100; i++) redis.publish('news', String(i));
await all;
say('messages', [messages[0], messages.at(-1)]);
const blocked = redis.duplicate();
const popped = blocked.blpop('list', 10);
await redis.rpush('list', 'one');
say('blocking pop', await popped);
// The server ends a connection: the client comes back, and the command is sent again.
const id = await blocked.client('ID');
const back = new Promise((resolve) => blocked.once('ready', resolve));
await redis.client('KILL', 'ID', String(id));
await back;
say('after it was killed', await blocked.get('k1'));
say('error', await redis.call('NOTHING').catch(({ message }) => message.slice(0, 20)));
await Promise.all([redis.quit(), subscriber.quit(), blocked.quit()]);
