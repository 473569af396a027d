// The lane that has several processes do jobs from a stream of a redis-server. Server and
// processes are killed meanwhile: nothing may be lost, and only what a dead process had begun may
// be done twice.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@redis/client';
import { findRedis, Redis } from '../redis/redis_server.mjs';

export const name = 'redis queues';

const WAIT_MS_MAX = 60_000;
const LOOK_MS = 10;
// Longer than Redis takes to write its file on a busy machine: what takes longer is done twice.
const VISIBILITY_MS = 8000;
const SHORT_MS = 1000;
const CONCURRENCY = 4;
const JOBS = 600;
const program = fileURLToPath(new URL('../redis/queue_worker.mjs', import.meta.url));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, holds) {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    // A server that has just begun refuses commands while it reads its file.
    const held = await Promise.resolve(holds()).catch(() => false);
    if (held) return;
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS_MAX} ms: ${what}`);
    await later(LOOK_MS);
  }
}

/** A process that does jobs; `log` has its lines. */
class Worker {
  log = [];

  constructor(redis, stream, visibilityMs) {
    const args = [program, redis.socket, stream, String(visibilityMs)];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.log.push(line));
    this.ended = once(this.child, 'close');
  }

  async kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    return await this.ended;
  }

  numbers(word) {
    const lines = this.log.map((line) => line.split(' ')).filter(([first]) => first === word);
    return lines.map(([, n]) => Number(n));
  }
}

/** Everything that a scene starts, and ends. */
async function withScene(path, stream, work) {
  const redis = new Redis(path, { keeps: true });
  const workers = [];
  const client = createClient({
    socket: { path: redis.socket, reconnectStrategy: () => 20 },
  });
  client.on('error', () => {});
  try {
    await redis.start();
    await client.connect();
    const start = (visibilityMs = VISIBILITY_MS) => {
      const worker = new Worker(redis, stream, visibilityMs);
      workers.push(worker);
      return worker;
    };
    await work({ redis, client, start, workers });
  } finally {
    for (const worker of workers) await worker.kill();
    client.destroy();
    await redis.remove();
  }
}

/** Pushes until the queue says that it has it, as a program would whose answer got lost. */
async function pushAll(queue, from, to) {
  for (let n = from; n < to; n++) {
    await until(`job ${n} is taken`, async () => {
      try {
        await queue.push({ n, fails: n % 10 === 0 ? 2 : 0 }, { key: `job ${n}` });
        return true;
      } catch {
        return false;
      }
    });
  }
}

const doneBy = (workers) => workers.flatMap((worker) => worker.numbers('done'));
const numbers = (count) => Array.from({ length: count }, (_, n) => n);

function twice(done) {
  const seen = new Set();
  return done.filter((n) => seen.has(n) || !seen.add(n));
}

const scenes = (path, { RedisJobQueue, RedisKeys, JobQueue }) => ({
  async 'a server that is killed twice loses no job, and has none done twice'() {
    await withScene(path, 'jobs', async ({ redis, client, start, workers }) => {
      const queue = new RedisJobQueue(client, { stream: 'jobs' });
      for (let i = 0; i < 2; i++) start();
      const pushing = pushAll(queue, 0, JOBS);
      for (const share of [0.25, 0.6]) {
        await until('jobs are done', () => doneBy(workers).length > share * JOBS);
        await redis.kill();
        await later(100);
        await redis.start();
      }
      await pushing;
      await until('all jobs are done', () => new Set(doneBy(workers)).size === JOBS);
      await until('the queue is empty', async () => (await queue.length()) === 0);
      assert.deepEqual(
        doneBy(workers).sort((a, b) => a - b),
        numbers(JOBS),
      );
      // They end, and the group has nobody left.
      for (const worker of workers) assert.deepEqual(await worker.kill('SIGTERM'), [0, null]);
      const left = await client.sendCommand(['XINFO', 'CONSUMERS', 'jobs', 'ringpoll']);
      assert.deepEqual(left, []);
    });
  },

  async 'processes that are killed lose no job, and only what they had begun is done twice'() {
    await withScene(path, 'jobs', async ({ redis, client, start, workers }) => {
      const queue = new RedisJobQueue(client, { stream: 'jobs' });
      for (let i = 0; i < 2; i++) start();
      const pushing = pushAll(queue, 0, JOBS);
      let kills = 0;
      for (const share of [0.2, 0.4, 0.6]) {
        await until('jobs are done', () => doneBy(workers).length > share * JOBS);
        const [victim] = workers.filter(({ child }) => child.exitCode === null && !child.killed);
        await victim.kill();
        kills++;
        start();
        if (share === 0.4) {
          await redis.kill();
          await redis.start();
        }
      }
      await pushing;
      await until('all jobs are done', () => new Set(doneBy(workers)).size === JOBS);
      await until('the queue is empty', async () => (await queue.length()) === 0);
      const again = twice(doneBy(workers));
      assert.ok(again.length <= kills * CONCURRENCY, `${again.length} jobs were done twice`);
      const begunByDead = workers.slice(0, kills).flatMap((worker) => worker.numbers('begun'));
      const all = new Set([...begunByDead, ...workers.flatMap((each) => each.numbers('begun'))]);
      for (const n of again) assert.ok(all.has(n));
    });
  },

  async 'what fails, hangs, kills its process or is no job becomes a dead letter'() {
    await withScene(path, 'jobs', async ({ client, start, workers }) => {
      const queue = new RedisJobQueue(client, { stream: 'jobs' });
      await queue.push({ n: 1, fails: 9 }, { key: 'one' });
      await queue.push({ n: 2, kills: true });
      await queue.push({ n: 3, hangs: true });
      await client.sendCommand(['XADD', 'jobs', '*', 'payload', '{', 'key', '']);
      await client.sendCommand(['XADD', 'jobs', '*', 'other', 'field']);
      // Those that it kills are started again, as a supervisor does.
      let running = start(SHORT_MS);
      const letters = async () => {
        if (running.child.exitCode !== null) running = start(SHORT_MS);
        return await queue.deadLetters();
      };
      await until('five dead letters', async () => (await letters()).length === 5);
      const found = await letters();
      const of = (n) => found.find(({ payload }) => payload?.n === n);
      assert.equal(of(1).attempts, 4);
      assert.equal(of(1).error, 'job 1 fails');
      assert.equal(of(2).attempts, 4);
      assert.equal(of(3).attempts, 4);
      assert.match(of(3).error, /has not ended within 1000 ms/);
      assert.equal(
        workers.flatMap((each) => each.numbers('begun')).filter((n) => n === 2).length,
        4,
      );
      assert.equal(await queue.length(), 0);
      // Its key is free again, and they may come back.
      assert.equal(await queue.push({ n: 4 }, { key: 'one' }), true);
      await until('job 4 is done', () => doneBy(workers).includes(4));
      await until('Redis knows', async () => (await queue.length()) === 0);
      await running.kill();
      const count = (await queue.deadLetters()).length;
      assert.equal(await queue.revive(), count);
      assert.equal(await queue.length(), count);
      assert.deepEqual(await queue.deadLetters(), []);
    });
  },

  async 'the queue is bounded, and keys are known to all'() {
    await withScene(path, 'jobs', async ({ client }) => {
      const queue = new RedisJobQueue(client, { stream: 'jobs', maxJobs: 3 });
      const other = new RedisJobQueue(client, { stream: 'jobs', maxJobs: 3 });
      const pushes = [queue, other, queue].map((each) => each.push(1, { key: 'a' }));
      assert.deepEqual((await Promise.all(pushes)).sort(), [false, false, true]);
      assert.equal(await queue.push(2), true);
      assert.equal(await other.push(3), true);
      await assert.rejects(queue.push(4), { code: 'ERR_RINGPOLL_QUEUE_FULL' });
      assert.equal(await queue.push(1, { key: 'a' }), false);
      await assert.rejects(queue.push(undefined), { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });

      const done = [];
      const queues = [1, 2].map(
        () => new JobQueue({ run: (n) => done.push(n), keys: new RedisKeys(client) }),
      );
      const taken = await Promise.all(queues.map((each) => each.push(7, { key: 'seven' })));
      assert.deepEqual(taken.sort(), [false, true]);
      for (const each of queues) await each.stop();
      assert.deepEqual(done, [7]);
      const keys = new RedisKeys(client);
      assert.equal(await keys.claim('seven', 50), false);
      await keys.release('seven');
      assert.equal(await keys.claim('seven', 20), true);
      await until('the key is over', () => keys.claim('seven', 20));
    });
  },

  async 'a job ends when it says so, and stop() and destroy() leave the rest'() {
    await withScene(path, 'jobs', async ({ redis, client }) => {
      const begun = [];
      const held = [];
      const queue = new RedisJobQueue(client, {
        stream: 'jobs',
        concurrency: 2,
        visibility: VISIBILITY_MS,
        error() {},
        async run(n, context) {
          begun.push(n);
          if (n === 1) {
            await context.ack();
            throw new Error('too late to fail');
          }
          held.push(context.signal);
          await new Promise(() => {});
        },
      });
      for (const n of [1, 2, 3, 4]) await queue.push(n);
      await until('two are held', () => held.length === 2);
      assert.equal(await queue.length(), 3);
      assert.deepEqual(begun, [1, 2, 3]);
      await redis.kill();
      await queue.stop({ timeout: 200 });
      assert.deepEqual(
        held.map(({ aborted }) => aborted),
        [true, true],
      );
      assert.equal(queue.counts.running, 0);
      await redis.start();
      const rest = [];
      const next = new RedisJobQueue(client, {
        stream: 'jobs',
        visibility: 1000,
        retries: [10],
        error() {},
        run: (n, { attempt }) => rest.push([n, attempt]),
      });
      await until('the rest is done', async () => (await next.length()) === 0);
      assert.deepEqual(rest.sort(), [
        [2, 2],
        [3, 2],
        [4, 1],
      ]);
      await next.stop();
    });
  },
});

export async function run(only = '') {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const { path, reason } = await findRedis();
  if (path === undefined) return { ...result, skipped: 1, notes: [reason] };
  const queues = await import('ringpoll/queues');
  for (const [what, work] of Object.entries(scenes(path, queues))) {
    if (!what.includes(only)) continue;
    const startedMs = performance.now();
    try {
      await work();
      result.passed++;
      console.log(`ok      ${what} (${Math.round(performance.now() - startedMs)} ms)`);
    } catch (error) {
      result.failed++;
      result.notes.push(what);
      console.log(`FAILED  ${what}\n${error.stack}`);
    }
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped } = await run(process.argv[2]);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
