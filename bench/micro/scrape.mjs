// What a scrape of /metrics costs the thread, and the longest piece of it, with many connections
// and routes, of which all have had requests since the scrape before; and what an open live page
// costs. Times of a scrape are read from a clock. Its CPU is that of the thread (Linux), from
// asking to the answer: other work on the machine changes it little.
//
//   node bench/micro/scrape.mjs [--connections N] [--routes N] [--scrapes N] [--json]
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { startLoad } from '../lib/load.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { BENCH } from '../lib/paths.mjs';
import { endChildrenWithRunner, launch } from '../lib/process.mjs';
import { median } from '../lib/stats.mjs';

const USAGE =
  'usage: node bench/micro/scrape.mjs [--connections N] [--routes N] [--scrapes N] [--json]';
const SCRAPER = join(BENCH, 'clients', 'scraper.mjs');
const SCRAPE_MS_MAX = 10_000;
const NS_PER_MS = 1e6;
/** This share of them comes while V8 compiles what makes the text. */
const COMPILING = 0.3;
const HOLD_S_MAX = 300;
const SOURCES = 8;
const PAGE_S = 5;
const PAGE_ROUNDS = 4;
/** Reports before the page is measured: V8 compiles what makes them once, in the first minute. */
const PAGE_REPORTS = 100;
const PAGE_REPORTS_MS = 100;

const { values } = commandLine(USAGE, {
  options: {
    connections: { type: 'string', default: '10000' },
    routes: { type: 'string', default: '200' },
    scrapes: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const connections = numberOption(values, 'connections', [1, 50_000], USAGE);
const routes = numberOption(values, 'routes', [1, 1000], USAGE);
const scrapes = numberOption(values, 'scrapes', [2, 10_000], USAGE);
endChildrenWithRunner();

const paths = Array.from({ length: routes }, (_, index) => `/route-${index}`);
const server = serve({
  host: '127.0.0.1',
  port: 0,
  // Those that are silent stay.
  keepAliveTimeout: 300_000,
  routes: {
    '/': () => 'idle',
    ...Object.fromEntries(paths.map((path) => [path, () => 'hello'])),
  },
});
const observed = admin({ port: 0, token: false });
const load = await startLoad('http-idle', {
  connections,
  port: server.port,
  sources: SOURCES,
  seconds: HOLD_S_MAX,
});
await load.next();

// One request to each route, of which each takes a little longer than the one before.
const client = connect(server.port, '127.0.0.1');
await once(client, 'connect');
const asking = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
let answers = 0;
client.on('data', (data) => {
  answers += data.toString('latin1').split('HTTP/1.1 200').length - 1;
});
async function askAll() {
  const until = answers + routes;
  client.write(asking);
  while (answers < until) await delay(1);
}

/** CPU time of this thread so far; NaN where the kernel does not tell. */
function threadMs() {
  try {
    const [ns] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(ns) / NS_PER_MS;
  } catch {
    return Number.NaN;
  }
}

// Whoever scrapes is another process: the text of a scrape is no garbage of this one.
const scraper = launch([process.execPath, SCRAPER, `${observed.url}metrics`], { input: true });
const all = [];
const cpu = [];
let bytes = 0;
for (let at = 0; at <= scrapes; at++) {
  await askAll();
  const before = threadMs();
  scraper.send('\n');
  const line = await scraper.line(SCRAPE_MS_MAX, 'a scrape');
  cpu.push(threadMs() - before);
  const { bytes: length, ...last } = JSON.parse(line);
  bytes = length;
  if (at > 0) all.push(last);
}
await scraper.stop();

/** Share of a core that this process takes while nothing but the page asks. */
async function share() {
  await delay(100);
  const cpu = process.cpuUsage();
  await delay(PAGE_S * 1000);
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / (PAGE_S * 1e6);
}
async function watching(of, work) {
  const page = launch(['curl', '-sN', '-o', '/dev/null', `${of.url}debug/live`]);
  while (of.watchers === 0) await delay(5);
  const result = await work();
  await page.stop();
  return result;
}
const hurried = admin({ port: 0, token: false, interval: PAGE_REPORTS_MS });
await watching(hurried, () => delay(PAGE_REPORTS * PAGE_REPORTS_MS));
await hurried.stop();
const shares = { closed: [], open: [] };
for (let round = 0; round < PAGE_ROUNDS; round++) {
  shares.closed.push(await share());
  shares.open.push(await watching(observed, share));
}

const open = Loop.current().metrics().connections;
const ordered = (of) => of.toSorted((a, b) => a - b);
const rising = (of) => ordered(of.map(({ ms }) => ms));
const p95 = (of) => of[Math.floor(of.length * 0.95)];
const sorted = rising(all);
const compiled = all.slice(Math.floor(all.length * COMPILING));
const result = {
  connections: open,
  routes,
  bytes,
  scrapeMs: {
    first: all[0].ms,
    median: median(sorted),
    p95: p95(sorted),
    p95Compiled: p95(rising(compiled)),
    max: sorted.at(-1),
  },
  cpuMs: {
    first: cpu[0],
    median: median(cpu),
    p95: p95(ordered(cpu)),
    p95Compiled: p95(ordered(cpu.slice(Math.floor(cpu.length * COMPILING)))),
  },
  longestPieceMs: {
    median: median(all.map(({ longest }) => longest)),
    max: Math.max(...all.map(({ longest }) => longest)),
    maxCompiled: Math.max(...compiled.map(({ longest }) => longest)),
  },
  pageShare: median(shares.open) - median(shares.closed),
};
client.destroy();
await load.stop();
await observed.stop();
server.destroy();
if (values.json) {
  console.log(JSON.stringify({ machine: describeMachine(), ...result }, null, 2));
} else {
  const ms = (value) => `${value.toFixed(2)} ms`;
  const { first, median: middle, p95: most, p95Compiled, max } = result.scrapeMs;
  console.log(`${open} connections, ${routes} routes, ${bytes} bytes of text`);
  console.log(
    `a scrape: ${ms(middle)} (first ${ms(first)}, 95 of 100 below ${ms(most)}, max ${ms(max)}; ` +
      `once compiled, 95 of 100 below ${ms(p95Compiled)})`,
  );
  const { cpuMs } = result;
  const most95 = `95 of 100 below ${ms(cpuMs.p95)}; once compiled, ${ms(cpuMs.p95Compiled)}`;
  console.log(
    `CPU of the thread for it: ${ms(cpuMs.median)} (first ${ms(cpuMs.first)}, ${most95})`,
  );
  const { longestPieceMs: longest } = result;
  const pieces = `max ${ms(longest.max)}; once compiled, ${ms(longest.maxCompiled)}`;
  console.log(`its longest piece: ${ms(longest.median)} (${pieces})`);
  console.log(`an open page: ${(result.pageShare * 100).toFixed(2)} % of a core`);
}
