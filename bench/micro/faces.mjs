// What ringpoll/register costs and spares a program for node:http beside its requests: how much
// longer the process takes to start, and what an idle keep-alive connection takes of memory.
//
//   node bench/micro/faces.mjs [--only start|memory] [--runs N] [--connections N] [--json]
//
// Both sides run the same program in turn, once plain and once with the flag.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { FACE, REGISTER, STOCK } from '../competitors/faces.mjs';
import { startLoad } from '../lib/load.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { readMemory } from '../lib/memory.mjs';
import { PEERS } from '../lib/paths.mjs';
import { endChildrenWithRunner, run } from '../lib/process.mjs';
import { startServer } from '../lib/server.mjs';
import { median } from '../lib/stats.mjs';
import { table } from '../lib/table.mjs';

const USAGE =
  'usage: node bench/micro/faces.mjs [--only start|memory] [--register FILE] [--runs N] ' +
  '[--connections N] [--rounds N] [--json]';
const HOLD_S_MAX = 120;
const SOURCES = 8;
/** Opened and closed first, so that the code that serves a connection is in memory. */
const REHEARSAL = 500;

const { values } = commandLine(USAGE, {
  options: {
    only: { type: 'string' },
    // Of another build, as of an installed package.
    register: { type: 'string' },
    runs: { type: 'string', default: '31' },
    connections: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
if (values.only !== undefined && !['start', 'memory'].includes(values.only)) {
  console.error(USAGE);
  process.exit(2);
}
const runs = numberOption(values, 'runs', [3, 1000], USAGE);
const connections = numberOption(values, 'connections', [100, 50_000], USAGE);
const rounds = numberOption(values, 'rounds', [1, 100], USAGE);
const register = values.register ? pathToFileURL(resolve(values.register)).href : REGISTER;
const sides = { [STOCK]: [], [FACE]: ['--import', register] };
const names = Object.keys(sides);
endChildrenWithRunner();

/** Medians of milliseconds from start to end, of a program that requires node:http. */
async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-start-'));
  const program = join(folder, 'program.cjs');
  writeFileSync(program, "require('node:http');\n");
  const ms = Object.fromEntries(names.map((name) => [name, []]));
  // Round 0 fills the page cache and is not kept.
  for (let round = 0; round <= runs; round++) {
    for (const name of names) {
      const from = performance.now();
      await run([process.execPath, ...sides[name], program], {});
      if (round > 0) ms[name].push(performance.now() - from);
    }
  }
  rmSync(folder, { recursive: true });
  const lifetimeMs = Object.fromEntries(names.map((name) => [name, median(ms[name])]));
  const addedMs = median(ms[FACE].map((value, i) => value - ms[STOCK][i]));
  return { runs, lifetimeMs, addedMs };
}

/** Bytes of one connection, all of which had one answer, after a collection of all garbage. */
async function memoryOf(name) {
  const flags = ['--expose-gc', ...sides[name]];
  const command = (port) => [
    ...[process.execPath, ...flags, join(PEERS, 'faces.mjs')],
    ...[String(port), 'memory'],
  ];
  const server = await startServer({ name, command }, {});
  const loads = [];
  const open = async (count) => {
    const options = { connections: count, port: server.port, sources: SOURCES };
    loads.push(await startLoad('http-idle', { ...options, seconds: HOLD_S_MAX }));
    await loads.at(-1).next();
  };
  const look = async () => {
    const headers = { connection: 'close' };
    const answer = await fetch(`http://127.0.0.1:${server.port}/memory`, { headers });
    const { heapUsed, external } = await answer.json();
    return { ...readMemory(server.pid), heap: heapUsed + external };
  };
  try {
    await open(REHEARSAL);
    await loads.pop().stop();
    const before = await look();
    await open(connections);
    const after = await look();
    const each = ['rss', 'anonymous', 'heap'].map((key) => [
      key,
      (after[key] - before[key]) / connections,
    ]);
    return Object.fromEntries(each);
  } finally {
    for (const load of loads) await load.stop();
    await server.stop();
  }
}

async function memory() {
  const seen = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) seen[name].push(await memoryOf(name));
  }
  const of = (name, key) => median(seen[name].map((one) => one[key]));
  const keys = Object.keys(seen[STOCK][0]);
  const bytes = names.map((name) => [
    name,
    Object.fromEntries(keys.map((key) => [key, of(name, key)])),
  ]);
  const ratios = keys.map((key) => [key, of(FACE, key) / of(STOCK, key)]);
  return { connections, bytes: Object.fromEntries(bytes), ratio: Object.fromEntries(ratios) };
}

const result = {
  ...(values.only !== 'memory' && { start: await start() }),
  ...(values.only !== 'start' && { memory: await memory() }),
};
const machine = describeMachine();
if (values.json) {
  console.log(JSON.stringify({ machine, ...result }, null, 2));
} else {
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  const { start: starts, memory: memories } = result;
  if (starts) {
    const rows = names.map((name) => [name, starts.lifetimeMs[name].toFixed(1)]);
    console.log(table(['', 'ms from start to end'], rows));
    console.log(`added: ${starts.addedMs.toFixed(1)} ms, the median of ${starts.runs} pairs`);
  }
  if (memories) {
    const whole = (value) => value.toFixed(0);
    const rows = names.map((name) => [name, ...Object.values(memories.bytes[name]).map(whole)]);
    rows.push(['ratio', ...Object.values(memories.ratio).map((value) => value.toFixed(2))]);
    console.log(table(['bytes a connection', 'resident', 'anonymous', 'V8 and external'], rows));
  }
}
