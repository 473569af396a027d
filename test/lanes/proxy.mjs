// The lane that has programs of others talk to their servers through our TCP proxy: pgbench and
// pg_dump, redis-benchmark, iperf3. What they find must be what they find without it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Postgres, postgresFolder } from '../../bench/lib/postgres.mjs';
import { freePort } from '../../bench/lib/server.mjs';
import { findProgram } from '../../scripts/steps.mjs';

export const name = 'proxy';
export const onRequest = true;
export const msMax = 600_000;

const SETTINGS = ['poll', 'uring', 'hybrid'].flatMap((engine) =>
  ['auto', 'always', 'never'].map((splice) => ({ engine, splice })),
);
const proxyScript = fileURLToPath(new URL('../../bench/servers/tcp-proxy.mjs', import.meta.url));
const TRANSACTIONS = 200;
const CLIENTS = 8;
const REQUESTS = 20_000;
const IPERF_BYTES = 500_000_000;
const WAIT_MS_MAX = 60_000;
const LOOK_MS = 20;

/** Runs a program to its end; what it prints. */
function outputOf(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: WAIT_MS_MAX,
  });
  assert.equal(error, undefined);
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A program that goes on until `stop()`. */
async function start(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS_MAX);
    await ended;
    clearTimeout(killer);
  };
  return { stop, line: async () => (await once(lines, 'line'))[0] };
}

async function startProxy({ engine, splice }, port) {
  const env = { RINGPOLL_ENGINE: engine, RINGPOLL_SPLICE: splice };
  const proxy = await start(process.execPath, [proxyScript, '0', String(port)], env);
  const line = await proxy.line();
  assert.match(line, new RegExp(`^ready \\d+ engine=${engine}$`));
  return { ...proxy, port: Number(line.split(' ')[1]) };
}

async function listening(port) {
  for (const until = performance.now() + WAIT_MS_MAX; performance.now() < until; ) {
    const socket = connect(port, '127.0.0.1');
    const [there] = await Promise.race([
      once(socket, 'connect').then(() => [true]),
      once(socket, 'error').then(() => [false]),
    ]);
    socket.destroy();
    if (there) return;
    await delay(LOOK_MS);
  }
  throw new Error(`nothing listens on ${port}`);
}

/** Each is { program, open() → { port, ask(port), stop() } }; `ask` answers what must be equal. */
const subjects = [
  {
    program: 'pgbench',
    find: postgresFolder,
    async open(folder) {
      const postgres = new Postgres(folder, await freePort());
      await postgres.start();
      const counts = ['-n', '-c', String(CLIENTS), '-t', String(TRANSACTIONS)];
      const dump = (port) =>
        outputOf(`${folder}/pg_dump`, [
          '-h',
          '127.0.0.1',
          '-p',
          String(port),
          '-U',
          'bench',
          'postgres',
        ]);
      return {
        port: postgres.port,
        stop: () => postgres.stop(),
        async ask(port) {
          const text = await postgres.pgbench(port, ['-S', '-M', 'prepared', ...counts]);
          const [done] = /actually processed: \d+\/\d+/.exec(text);
          return { done, failed: /failed transactions: (\d+)/.exec(text)[1], dump: dump(port) };
        },
      };
    },
  },
  {
    program: 'redis-benchmark',
    find: () => findProgram('redis-server') && findProgram('redis-benchmark'),
    async open(benchmark) {
      const port = await freePort();
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
      const server = await start(findProgram('redis-server'), args);
      await listening(port);
      return {
        port,
        stop: server.stop,
        ask(through) {
          const many = ['-n', String(REQUESTS), '-P', '16', '-d', '100', '--csv'];
          const where = ['-h', '127.0.0.1', '-p', String(through)];
          const csv = outputOf(benchmark, [
            ...where,
            ...many,
            '-t',
            'set,get,incr,lpush,lrange_100',
          ]);
          return csv.split('\n').map((line) => line.split(',')[0]);
        },
      };
    },
  },
  {
    program: 'iperf3',
    find: () => findProgram('iperf3'),
    async open(iperf) {
      const port = await freePort();
      const server = await start(iperf, ['-s', '-B', '127.0.0.1', '-p', String(port)]);
      await listening(port);
      return {
        port,
        stop: server.stop,
        ask(through) {
          const where = ['-c', '127.0.0.1', '-p', String(through), '-J'];
          return [[], ['-R'], ['-P', '4']].map((way) => {
            const all = outputOf(iperf, [...where, ...way, '-n', String(IPERF_BYTES)]);
            const { sum_sent: sent, sum_received: received } = JSON.parse(all).end;
            const whole = sent.bytes >= IPERF_BYTES && received.bytes >= IPERF_BYTES;
            return `${way.join(' ')} ${whole}`;
          });
        },
      };
    },
  },
];

async function runSubject({ program, find, open }, counts) {
  const found = find();
  if (found === undefined) {
    counts.skipped += SETTINGS.length;
    counts.notes.push(`no ${program}`);
    return;
  }
  const subject = await open(found);
  try {
    const expected = await subject.ask(subject.port);
    for (const setting of SETTINGS) {
      const proxy = await startProxy(setting, subject.port);
      try {
        assert.deepEqual(await subject.ask(proxy.port), expected);
        counts.passed++;
      } catch (error) {
        counts.failed++;
        const where = `${program}, ${setting.engine}, splice ${setting.splice}`;
        counts.notes.push(`${where}: ${error.message.split('\n').slice(0, 8).join(' | ')}`);
      } finally {
        await proxy.stop();
      }
    }
  } finally {
    await subject.stop();
  }
}

/** All programs, or those that are named. */
export async function run(only = []) {
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const subject of subjects) {
    if (only.length > 0 && !only.includes(subject.program)) continue;
    await runSubject(subject, counts);
  }
  return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped, notes } = await run(process.argv.slice(2));
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
