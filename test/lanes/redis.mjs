// The lane that has several processes share topics through a Redis, which is killed meanwhile, on
// each engine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findRedis, Redis } from '../redis/redis_server.mjs';

export const name = 'redis';
export const oneCpu = true;

const ENGINES = ['poll', 'uring', 'hybrid'];
const WAIT_MS_MAX = 15_000;
const LOOK_MS = 10;
const MESSAGES = 1000;
const program = fileURLToPath(new URL('../redis/server.mjs', import.meta.url));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function startServer(engine, redis, channel) {
  const env = { ...process.env, RINGPOLL_ENGINE: engine };
  const stdio = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [program, redis.socket, channel], { env, stdio });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => ['it ended']),
  ]);
  const port = /^ready (\d+)$/.exec(line)?.[1];
  if (port === undefined) throw new Error(`the server does not start: ${line}`);
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS_MAX);
    const [code, signal] = await ended;
    clearTimeout(killer);
    assert.equal(signal ?? code, 0, 'how the server ended');
  };
  const failures = async () => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text());
  return { port, stop, failures };
}

/** A client that keeps what it gets. */
async function dial({ connectWebSocket }, { port }, topic) {
  const messages = [];
  const client = await connectWebSocket(`ws://127.0.0.1:${port}/?${topic}`, {
    perMessageDeflate: true,
    message: (_, message) =>
      messages.push(typeof message === 'string' ? message : message.copy().toString('hex')),
  });
  const until = async (count) => {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (messages.length < count) {
      if (performance.now() > deadline) throw new Error(`${messages.length} messages of ${count}`);
      await later(LOOK_MS);
    }
    return messages.splice(0);
  };
  return { client, messages, until, say: (text) => client.send(text) };
}

/** Publishes from `from` until all of `to` hear of it again; gives what else they heard. */
async function untilShared(from, to) {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (let i = 0; to.some(({ messages }) => messages.length === 0); i++) {
    if (performance.now() > deadline) throw new Error('the topics are not shared again');
    from.say(`pprobe ${i}`);
    await later(LOOK_MS);
  }
  // What is still under way is before this one.
  from.say('pflushed');
  for (const each of to) {
    while (each.messages.at(-1) !== 'flushed') {
      if (performance.now() > deadline) throw new Error('the last probe is lost');
      await later(LOOK_MS);
    }
    each.messages.length = 0;
  }
}

const numbered = (prefix) => Array.from({ length: MESSAGES }, (_, i) => `${prefix} ${i}`);

async function scene(websocket, engine, redis, check) {
  const [one, two] = [
    await startServer(engine, redis, 'shared'),
    await startServer(engine, redis, 'shared'),
  ];
  const apart = await startServer(engine, redis, 'another channel');
  const [a, a2] = [await dial(websocket, one, 't'), await dial(websocket, one, 't')];
  const b = await dial(websocket, two, 't');
  const others = [await dial(websocket, two, 'u'), await dial(websocket, apart, 't')];
  try {
    await untilShared(a, [b]);
    await untilShared(b, [a, a2]);
    await check('each message comes once, in order, in both directions', async () => {
      for (const text of numbered('from a')) a.say(`p${text}`);
      for (const text of numbered('from b')) b.say(`p${text}`);
      assert.deepEqual(await b.until(MESSAGES), numbered('from a'));
      assert.deepEqual(await a.until(MESSAGES), numbered('from b'));
      const both = await a2.until(2 * MESSAGES);
      assert.deepEqual([...both].sort(), [...numbered('from a'), ...numbered('from b')].sort());
    });
    await check('the server publishes text, long text and bytes', async () => {
      const long = 'ä€ '.repeat(50_000);
      for (const text of ['stext', `s${long}`, 'b00ff80']) b.say(text);
      for (const each of [a, a2, b]) {
        assert.deepEqual(await each.until(3), ['text', long, '00ff80']);
      }
    });
    await check('while Redis is dead each process goes on, and they are told', async () => {
      const before = await one.failures();
      await redis.kill();
      while ((await one.failures()) === before) a.say('pinto the void');
      for (const text of numbered('alone')) a.say(`p${text}`);
      a.say('eend');
      while (!a.messages.includes('end')) await later(LOOK_MS);
      while (a2.messages.at(-1) !== numbered('alone').at(-1)) await later(LOOK_MS);
      for (const each of [a, a2]) each.messages.length = 0;
      assert.deepEqual(
        b.messages.filter((text) => text.startsWith('alone')),
        [],
      );
      b.messages.length = 0;
    });
    await check('when Redis is back the topics are shared again, without what is old', async () => {
      await redis.start();
      await untilShared(a, [b]);
      a2.messages.length = 0;
      await untilShared(b, [a, a2]);
      for (const text of numbered('again')) a.say(`p${text}`);
      assert.deepEqual(await b.until(MESSAGES), numbered('again'));
    });
    await check('other topics and channels heard nothing', () => {
      assert.deepEqual(
        others.map(({ messages }) => messages),
        [[], []],
      );
    });
  } finally {
    for (const { client } of [a, a2, b, ...others]) client.terminate();
    await check('the servers stop', async () => {
      for (const { stop } of [one, two, apart]) await stop();
    });
  }
}

export async function run(only = ENGINES) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const { path, reason } = await findRedis();
  if (path === undefined) return { ...result, skipped: 1, notes: [reason] };
  const websocket = await import('ringpoll/websocket');
  for (const engine of only) {
    const redis = new Redis(path);
    const check = async (what, work) => {
      try {
        await work();
        result.passed++;
        console.log(`ok      ${engine}: ${what}`);
      } catch (error) {
        result.failed++;
        result.notes.push(`${engine}: ${what}`);
        console.log(`FAILED  ${engine}: ${what}\n${error.stack}`);
      }
    };
    try {
      await redis.start();
      await scene(websocket, engine, redis, check);
    } finally {
      await redis.remove();
    }
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const engines = process.argv.slice(2);
  const { passed, failed, skipped } = await run(engines.length > 0 ? engines : undefined);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
