// Where the CPU time of a request goes, for ringpoll and for the same program on node:http, side by
// side: the kernel, native code, JavaScript of the library, the handler, the garbage collector. And
// beside it the layers that ringpoll measures itself, whose sum has to be the whole.
//
//   node bench/micro/layers.mjs [--seconds N] [--rounds N] [--json]
//
// The whole and the kernel's part are of runs without a profiler. The shares of JavaScript are
// those of a profile of V8; native code is what is left.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { runLoad } from '../lib/load.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { endChildrenWithRunner } from '../lib/process.mjs';
import { startServer } from '../lib/server.mjs';
import { median } from '../lib/stats.mjs';
import { table } from '../lib/table.mjs';
import { messageTrial } from '../lib/trial.mjs';

const USAGE = 'usage: node bench/micro/layers.mjs [--seconds N] [--rounds N] [--json]';
const LOADS = {
  '64 connections': { connections: 64 },
  '64 connections, 16 requests at once': { connections: 64, depth: 16 },
};
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const SERVERS = {
  ringpoll: path('servers/http-plaintext.mjs'),
  'node:http': path('peers/http-node.mjs'),
};
const PARTS = ['kernel', 'native code', 'library', 'handler', 'collector'];

const { values } = commandLine(USAGE, {
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = numberOption(values, 'seconds', [1, 60], USAGE);
const rounds = numberOption(values, 'rounds', [1, 100], USAGE);
const settings = { seconds, warmUp: 1 };
endChildrenWithRunner();

const competitor = (script, flags = [], env = {}) => ({
  name: script,
  env,
  command: (port) => [process.execPath, ...flags, script, String(port)],
});

/** Shares of a profile's time in JavaScript of the library, in the handler and in the collector. */
function sharesOf(profile, script) {
  const kinds = new Map();
  for (const { id, callFrame } of profile.nodes) {
    const { url, functionName } = callFrame;
    const isHandler = url.endsWith('plaintext.mjs') || url.endsWith(script);
    if (functionName === '(garbage collector)') kinds.set(id, 'collector');
    else if (functionName === '(idle)') kinds.set(id, 'idle');
    else if (url !== '') kinds.set(id, isHandler ? 'handler' : 'library');
  }
  const sums = { library: 0, handler: 0, collector: 0, idle: 0, others: 0 };
  profile.samples.forEach((id, index) => {
    sums[kinds.get(id) ?? 'others'] += Math.max(0, profile.timeDeltas[index]);
  });
  const all = Object.values(sums).reduce((sum, each) => sum + each, 0);
  return Object.fromEntries(Object.entries(sums).map(([kind, us]) => [kind, us / all]));
}

async function profiled(script, load) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-layers-'));
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const { cpuShare } = await messageTrial(competitor(script, flags), 'http', load, settings);
    const [file] = readdirSync(folder);
    const shares = sharesOf(JSON.parse(readFileSync(join(folder, file), 'utf8')), script);
    // Of the time in which there was work: the rest is waiting, wherever the profile has it.
    return Object.fromEntries(
      Object.entries(shares).map(([kind, share]) => [kind, share / cpuShare]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The layers as the server itself measures them, and what a request cost then. */
async function ownLayers(load) {
  const server = await startServer(competitor(SERVERS.ringpoll, [], { ADMIN: '0' }));
  try {
    const run = { ...load, port: server.port, serverPid: server.pid, seconds, warmUp: 1 };
    const { server_cpu: cpu, messages } = await runLoad('http', run);
    const answer = await fetch(`http://127.0.0.1:${server.facts.admin}/debug/layers`);
    return { cpuUs: cpu.total_ns / 1000 / messages, ...(await answer.json()) };
  } finally {
    await server.stop();
  }
}

const results = [];
for (const [name, load] of Object.entries(LOADS)) {
  const trials = Object.fromEntries(Object.keys(SERVERS).map((server) => [server, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [server, script] of Object.entries(SERVERS)) {
      trials[server].push(await messageTrial(competitor(script), 'http', load, settings));
    }
  }
  const servers = {};
  for (const [server, script] of Object.entries(SERVERS)) {
    const of = (key) => median(trials[server].map((trial) => trial[key]));
    const cpuUs = of('cpuUs');
    const user = of('userTicks');
    const system = of('systemTicks');
    const kernel = (cpuUs * system) / (user + system);
    const shares = await profiled(script, load);
    const [library, handler, collector] = ['library', 'handler', 'collector'].map(
      (part) => cpuUs * shares[part],
    );
    const native = Math.max(0, cpuUs - kernel - library - handler - collector);
    servers[server] = {
      requestsPerSecond: of('messagesPerSecond'),
      cpuUs,
      parts: { kernel, 'native code': native, library, handler, collector },
    };
  }
  results.push({ load: name, servers, layers: await ownLayers(load) });
}

const us = (value) => value.toFixed(value < 10 ? 2 : 1);
if (values.json) {
  console.log(JSON.stringify({ machine: describeMachine(), seconds, rounds, results }, null, 2));
} else {
  for (const { load, servers, layers } of results) {
    const of = (read) => Object.values(servers).map(read);
    const rows = [
      ['µs of CPU a request', ...Object.keys(servers)],
      ...PARTS.map((part) => [part, ...of(({ parts }) => us(parts[part]))]),
      ['all', ...of(({ cpuUs }) => us(cpuUs))],
      ['requests a second', ...of((each) => Math.round(each.requestsPerSecond).toString())],
    ];
    console.log(`${load}\n${table(rows[0], rows.slice(1))}\n`);
    const own = layers.layers.map(({ layer, microseconds }) => `${layer} ${us(microseconds)}`);
    const apart = (layers.microseconds + layers.measuringMicroseconds) / layers.cpuUs;
    console.log(`layers of ringpoll, µs a request: ${own.join(', ')}`);
    console.log(
      `together ${us(layers.microseconds)}, and for measuring ` +
        `${us(layers.measuringMicroseconds)}: ` +
        `${apart.toFixed(2)} times the CPU of a request, which was ${us(layers.cpuUs)}\n`,
    );
  }
}
