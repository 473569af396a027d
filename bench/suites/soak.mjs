// One server under load for long: whether memory, descriptors or latency rise with time.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ringpoll } from '../competitors/echo.mjs';
import { lineChart } from '../lib/line_chart.mjs';
import { runLoad } from '../lib/load.mjs';
import { readMemory } from '../lib/memory.mjs';
import { startServer } from '../lib/server.mjs';
import { number, table } from '../lib/table.mjs';
import { judgeTrend } from '../lib/trend.mjs';

export const describe = 'memory, descriptors and p99 over --minutes N (30): no slope. When named';
/** It takes long, and runs when it is named. */
export const named = true;

const MB = 1024 * 1024;
const SAMPLES = 60;
const SAMPLE_S_MIN = 4;
// Before the first sample: code is compiled, and V8's young generation and our buffers grow to what
// this load needs. None of it goes on.
const WARM_UP_S = 20;
const WARM_UP_REQUESTS_A_SECOND = 20_000;
// While the old generation finds its size, memory rises still.
const SETTLING = 0.25;
const SETTLE_MS = 500;
const LOAD = { connections: 64, depth: 1, warmUp: 0.5, rate: 4000 };

const megabytes = (bytes) => `${number(bytes / MB)} MB`;
const microseconds = (us) => `${number(us)} µs`;

// How much each may grow from the end of the settling to the end of the run. The heap grows and
// shrinks by some MB with the collector; what lies beside it has no reason to.
const WATCHED = [
  ['heap', 'JavaScript heap', megabytes, { share: 0.25, least: 8 * MB }],
  ['beside', 'Resident memory without the heap', megabytes, { share: 0.05, least: 4 * MB }],
  ['external', 'Memory beside the heap', megabytes, { share: 0.05, least: MB }],
  ['descriptors', 'Descriptors', String, { share: 0, least: 0.5 }],
  ['p99Us', 'p99 of requests', microseconds, { share: 0.25, least: 100 }],
];

async function memoryOf(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const read = (name) => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
    if (value === undefined) throw new Error(`/metrics has no ${name}`);
    return Number(value);
  };
  return {
    external: read('nodejs_external_memory_bytes'),
    heap: read('nodejs_heap_size_total_bytes'),
  };
}

async function sample(server, seconds, settings) {
  const options = { ...LOAD, port: server.port, seconds };
  const { p99_us: p99Us } = await runLoad('http', options, { cpu: settings.loadCpu });
  const { external, heap } = await memoryOf(server.facts.admin);
  // The connections of the load, and that of the scrape, are closed by then.
  await delay(SETTLE_MS);
  const descriptors = readdirSync(`/proc/${server.pid}/fd`).length;
  const { rss } = readMemory(server.pid);
  return { rss, heap, beside: Math.max(0, rss - heap), external, descriptors, p99Us };
}

async function observe(results, settings, log) {
  const base = ringpoll('hybrid', 'http-plaintext.mjs', 'hybrid');
  base.prepare();
  const competitor = { ...base, env: { ...base.env, ADMIN: '0' } };
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  const warming = { ...LOAD, rate: WARM_UP_REQUESTS_A_SECOND, port: server.port };
  await runLoad('http', { ...warming, seconds: WARM_UP_S }, { cpu: settings.loadCpu });
  const begin = performance.now();
  const seconds = Math.max(SAMPLE_S_MIN, (settings.minutes * 60) / SAMPLES);
  const passed = () => (performance.now() - begin) / 1000;
  try {
    while (passed() < settings.minutes * 60) {
      const values = await sample(server, seconds, settings);
      const trial = { case: 'soak', competitor: 'hybrid', seconds: passed(), ...values };
      results.trial(trial);
      results.keep();
      log(
        `${number(trial.seconds)} s: ` +
          WATCHED.map(([key, title, format]) => `${title} ${format(values[key])}`).join(', '),
      );
    }
  } finally {
    await server.stop();
  }
}

export async function run({ settings, results, log }) {
  await observe(results, settings, log);
  const trials = results.of('soak');
  const settled = trials.slice(Math.floor(trials.length * SETTLING));
  const judged = WATCHED.map(([key, title, format, allowed]) => {
    const points = (of) => of.map((trial) => [trial.seconds, trial[key]]);
    return { title, format, points: points(trials), ...judgeTrend(points(settled), allowed) };
  });
  results.data.trends = judged.map(({ title, median, slope, growth, limit, rises, passed }) => {
    return { title, median, slopePerSecond: slope, growth, limit, rises, passed };
  });
  results.picture = lineChart(judged);
  results.failed = judged.some(({ passed }) => !passed);
  const rows = judged.map(({ title, format, median, slope, growth, limit, rises, passed }) => [
    ...[title, format(median), format(slope * 3600), format(growth), format(limit)],
    ...[rises ? 'yes' : 'no', passed ? 'passed' : '**failed**'],
  ]);
  const head = ['', 'median', 'slope, an hour', 'growth', 'may grow', 'more than chance', ''];
  return [
    '# Soak',
    [
      `${LOAD.connections} connections, ${LOAD.rate} requests a second,`,
      `${settings.minutes} minutes, ${trials.length} samples, after ${WARM_UP_S} s at`,
      `${WARM_UP_REQUESTS_A_SECOND} requests a second. The first quarter is left out.`,
      'A value fails when it has grown by more than it may, and chance does not explain that.',
    ].join(' '),
    table(head, rows),
    '![Over time](soak.svg)',
  ].join('\n\n');
}
