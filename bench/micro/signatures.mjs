// What a signature of a TLS handshake costs on the thread of a loop, and on helper threads: CPU
// time of the process and time of the loop's thread for each, for RSA-2048 and P-256.
//
//   node bench/micro/signatures.mjs [--rounds N] [--json]
//
// Helpers are libuv's, by node:crypto: 16 signatures are under way at a time. Start it on one CPU
// (taskset -c 0) to see what a loop gains that shares its processor with its helpers.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { median } from '../lib/stats.mjs';
import { table } from '../lib/table.mjs';

const USAGE = 'usage: node bench/micro/signatures.mjs [--rounds N] [--json]';
const COUNT = 1000;
const AT_ONCE = 16;

const { values } = commandLine(USAGE, {
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberOption(values, 'rounds', [1, 100], USAGE);

// What the server signs in a handshake of TLS 1.3 is about as long.
const message = createHash('sha512').update(randomBytes(130)).digest();
const keys = {
  'RSA-2048': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};
const signAside = promisify(sign);

const ways = {
  async 'the thread of the loop'(key) {
    for (let i = 0; i < COUNT; i++) sign('sha256', message, key);
  },
  async 'helper threads'(key) {
    let left = COUNT;
    const one = async () => {
      while (left-- > 0) await signAside('sha256', message, key);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  },
};

async function trial(way, key) {
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const start = performance.now();
  await way(key);
  const us = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  return { wall: us / COUNT, cpu: (user + system) / COUNT, loop: (active * 1000) / COUNT };
}

const results = [];
for (const [kind, key] of Object.entries(keys)) {
  const trials = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (const way of Object.values(ways)) await trial(way, key); // V8 compiles, threads start
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) trials[name].push(await trial(way, key));
  }
  for (const [name, list] of Object.entries(trials)) {
    const middle = (what) => median(list.map((each) => each[what]));
    results.push({ kind, name, wall: middle('wall'), cpu: middle('cpu'), loop: middle('loop') });
  }
}

const machine = describeMachine();
if (values.json) {
  console.log(JSON.stringify({ machine, count: COUNT, rounds, results }, null, 2));
} else {
  const us = (value) => value.toFixed(0);
  const head = ['µs for each signature', 'CPU', 'of the loop', 'elapsed'];
  const rows = results.map(({ kind, name, cpu, loop, wall }) => [
    ...[`${kind}, ${name}`, us(cpu), us(loop), us(wall)],
  ]);
  console.log(`${machine.cpu}, Node ${machine.node}\n\n${table(head, rows)}`);
}
