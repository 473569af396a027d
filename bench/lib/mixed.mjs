// Mixed work: HTTP at a fixed rate while the same process reads and appends to files.
//
// The unit of work is one request with the work on files that it gives: two reads of 4 KB from the
// page cache, and a twentieth of an append with fdatasync. Requests come at a fixed rate, each at
// its moment whether the one before is answered or not, so all programs do the same work in the
// same time; a trial in which one does not keep up is no comparison, and fails.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  COLD_FILE,
  FILE_BYTES,
  FILES,
  READS_PER_REQUEST,
  REQUESTS_PER_APPEND,
  WORK_FILE,
} from '../servers/mixed-work.mjs';
import { cpuPerMessage } from './cpu.mjs';
import { interleave } from './interleave.mjs';
import { runLoad } from './load.mjs';
import { BENCH, BUILD, PEERS } from './paths.mjs';
import { cpuRatio, summarize } from './report.mjs';
import { startServer } from './server.mjs';
import { median, medianInterval, pairedRatio, pairedRatios, spread } from './stats.mjs';
import { number, percent, ratio, table, thousands } from './table.mjs';
import { atMost, verdictLine } from './targets.mjs';

const CONNECTIONS = 64;
// Work that may be left over when the measured phase ends, as a share of what it had to do.
const LEFT_MAX = 0.05;
const NODE = ['node', 'node-pool16'];
const ALONE = ['uring-only', 'poll-only'];
const HYBRID = 'hybrid';
const COLD_CPU = [
  ['poll-only', 0.7],
  ['node', 0.6],
];
const COLD_P99 = 0.8;

const program = (name, file, env) => ({
  name,
  env,
  command: (port, folder) => [process.execPath, file, String(port), folder],
});
const SERVER = join(BENCH, 'servers', 'mixed.mjs');
const PEER = join(PEERS, 'mixed-node.mjs');

const competitors = [
  program(HYBRID, SERVER, { RINGPOLL_ENGINE: 'hybrid' }),
  program('uring-only', SERVER, {
    RINGPOLL_ENGINE: 'uring',
    RINGPOLL_RECEIVE: 'completion',
    RINGPOLL_FILES: 'ring',
  }),
  program('poll-only', SERVER, { RINGPOLL_ENGINE: 'poll' }),
  program('node', PEER, {}),
  program('node-pool16', PEER, { UV_THREADPOOL_SIZE: '16' }),
];
for (const one of competitors) {
  if (one.env.RINGPOLL_ENGINE) one.expect = { engine: one.env.RINGPOLL_ENGINE };
}

const MB = 1024 * 1024;
// Far more than is read of it in a trial, so that hardly a page is read twice.
const COLD_MB = 1024;

const brief = ({ cpuUs, p99Us, timerMaxMs }) => {
  const late = timerMaxMs === undefined ? '' : `, timers late by ${number(timerMaxMs)} ms at most`;
  return `${number(cpuUs)} µs CPU a unit, p99 ${number(p99Us)} µs${late}`;
};
const cases = [
  ...[5000, 10_000].map((rate) => ({
    name: `work-${rate / 1000}k`,
    title: `Mixed work, ${rate} requests a second`,
    rate,
    brief,
  })),
  // At 100 requests a second the reads are nearly alone.
  ...[100, 2000].map((rate) => ({
    name: `cold-${rate}`,
    title: `Cold reads, ${rate} requests a second`,
    rate,
    cold: true,
    brief,
  })),
  {
    name: 'cold-2000x256',
    title: 'Cold reads, 2000 requests a second, 256 readers',
    rate: 2000,
    cold: true,
    readers: 256,
    brief,
  },
];

const briefAlone = ({ cpuUs, messagesPerSecond, timerMaxMs }) =>
  `${number(cpuUs)} µs CPU each, ${thousands(messagesPerSecond)}/s` +
  (timerMaxMs === undefined ? '' : `, timers late by ${number(timerMaxMs)} ms at most`);
// Nothing but work on files, as much as goes.
const aloneCases = [
  ...[32, 256].map((readers) => ({
    name: `cold-alone-${readers}`,
    title: `Cold reads alone, ${readers} at once`,
    cold: true,
    readers,
    alone: 'read',
    brief: briefAlone,
  })),
  {
    name: 'fsync-32',
    title: 'Appends of 100 bytes, each with fdatasync, 32 at once',
    readers: 32,
    alone: 'sync',
    brief: briefAlone,
  },
  {
    name: 'small-files-32',
    title: 'Files of 4 KB opened, read and closed, 32 at once',
    readers: 32,
    alone: 'open',
    brief: briefAlone,
  },
];

function makeFolder({ cold, readers, alone }) {
  mkdirSync(BUILD, { recursive: true });
  const folder = mkdtempSync(join(BUILD, 'mixed-'));
  if (cold) makeColdFile(join(folder, COLD_FILE));
  writeFileSync(join(folder, WORK_FILE), JSON.stringify({ readers, alone }));
  for (let index = 0; index < FILES; index++) {
    writeFileSync(join(folder, `file${index}`), Buffer.alloc(FILE_BYTES, 'f'));
  }
  return folder;
}

/** A file of which the page cache has nothing. */
function makeColdFile(path) {
  const file = openSync(path, 'w');
  const piece = Buffer.alloc(MB, 'c');
  for (let written = 0; written < COLD_MB; written++) writeSync(file, piece);
  fsyncSync(file);
  closeSync(file);
  const forget = [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'];
  execFileSync('dd', forget, { stdio: 'ignore' });
  // It needs no privilege, but there are file systems that keep their pages.
  const cached = Number(execFileSync('fincore', ['-nb', '-o', 'RES', path], { encoding: 'utf8' }));
  if (cached > MB) throw new Error(`${cached} bytes of the cold file are in the page cache still`);
}

const countsOf = async ({ port }) => (await fetch(`http://127.0.0.1:${port}/counts`)).json();
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What the process needs for each, by its own clock. */
async function aloneTrial(competitor, item, settings) {
  const folder = makeFolder(item);
  const started = { ...competitor, command: (port) => competitor.command(port, folder) };
  let server;
  try {
    server = await startServer(started, { cpu: settings.serverCpu });
    await sleep(settings.warmUp);
    const before = await countsOf(server);
    const begun = performance.now();
    await sleep(settings.seconds);
    const after = await countsOf(server);
    const seconds = (performance.now() - begun) / 1000;
    const messages = after.reads.finished - before.reads.finished;
    const user = after.cpu.user - before.cpu.user;
    const system = after.cpu.system - before.cpu.system;
    return {
      messages,
      seconds,
      messagesPerSecond: messages / seconds,
      cpuUs: (user + system) / messages,
      userUs: user / messages,
      systemUs: system / messages,
      timerP99Ms: after.timerP99Ms,
      timerMaxMs: after.timerMaxMs,
    };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function trial(competitor, item, settings) {
  const { rate } = item;
  const folder = makeFolder(item);
  const started = { ...competitor, command: (port) => competitor.command(port, folder) };
  let server;
  try {
    server = await startServer(started, { cpu: settings.serverCpu });
    const { seconds, warmUp } = settings;
    const run = { port: server.port, serverPid: server.pid, seconds, warmUp, rate };
    const where = { cpu: settings.loadCpu };
    const report = await runLoad('http', { ...run, connections: CONNECTIONS }, where);
    const counts = await (await fetch(`http://127.0.0.1:${server.port}/counts`)).json();
    const { timerP99Ms, timerMaxMs } = counts;
    return { ...outcomeOf(report, counts, rate), timerP99Ms, timerMaxMs };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function outcomeOf(report, { reads, appends }, rate) {
  const { messages, seconds } = report;
  const due = rate * seconds;
  const left = { requests: Math.max(due - messages, 0) / due };
  left.reads = (reads.given - reads.finished) / (messages * READS_PER_REQUEST);
  left.appends = ((appends.given - appends.finished) * REQUESTS_PER_APPEND) / messages;
  for (const [kind, share] of Object.entries(left)) {
    if (share > LEFT_MAX) throw new Error(`did not keep up: ${percent(share)} of ${kind} left`);
  }
  return {
    messages,
    seconds,
    messagesPerSecond: messages / seconds,
    ...cpuPerMessage(report.server_cpu, messages, seconds),
    p50Us: report.p50_us,
    p99Us: report.p99_us,
    p999Us: report.p999_us,
    // Of the whole trial, warm-up included.
    requestsDone: report.all_messages,
    readsDone: reads.finished,
    appendsDone: appends.finished,
    readsBehindMax: reads.behindMax,
    appendsBehindMax: appends.behindMax,
  };
}

export async function measureMixed({ settings, wanted, results, log }) {
  const { rounds } = settings;
  const one = (competitor, item) => trial(competitor, item, settings);
  await interleave({ cases, competitors, wanted, rounds, trial: one, results, log });
  const alone = (competitor, item) => aloneTrial(competitor, item, settings);
  const shared = { competitors, wanted, rounds, results, log };
  await interleave({ ...shared, cases: aloneCases, trial: alone });
}

const p99Of = (trial) => trial.p99Us;

function p99Ratio(results, name, a, b) {
  return pairedRatio(results.byRound(name, a, p99Of), results.byRound(name, b, p99Of));
}

const ratiosOf = (results, name, alone, read) =>
  pairedRatios(results.byRound(name, HYBRID, read), results.byRound(name, alone, read));

function caseTable(results, name) {
  const head = ['', 'CPU µs a unit', 'spread', 'p50 µs', 'p99 µs', 'spread', 'reads', 'appends'];
  const isCold = cases.find((item) => item.name === name).cold === true;
  const rows = competitors.flatMap((one) => {
    const summary = results.data.medians[name]?.[one.name];
    if (!summary) return [];
    const trials = results.of(name, one.name);
    const of = (key) => median(trials.map((each) => each[key]));
    return [
      [
        one.name,
        number(summary.cpuUs),
        percent(summary.cpuSpread),
        number(summary.p50Us),
        number(summary.p99Us),
        percent(spread(trials.map(p99Of))),
        thousands(of('readsDone')),
        isCold ? `${number(of('timerMaxMs'))} ms` : thousands(of('appendsDone')),
        ...[...ALONE, ...NODE].flatMap((other) => [
          ratio(cpuRatio(results, name, one.name, other)),
          ratio(p99Ratio(results, name, one.name, other)),
        ]),
      ],
    ];
  });
  const others = [...ALONE, ...NODE].flatMap((other) => [`CPU ÷ ${other}`, 'p99 ÷']);
  if (isCold) head[head.length - 1] = 'timer late, most';
  return table([...head, ...others], rows);
}

function aloneTable(results, name) {
  const head = ['', 'CPU µs each', 'spread', 'user', 'system', 'a second', 'timer late, most'];
  const others = [...ALONE, ...NODE];
  const rows = competitors.flatMap((one) => {
    const summary = results.data.medians[name]?.[one.name];
    if (!summary) return [];
    const trials = results.of(name, one.name);
    const of = (key) => median(trials.map((each) => each[key]));
    const late = of('timerMaxMs');
    return [
      [
        one.name,
        number(summary.cpuUs),
        percent(summary.cpuSpread),
        number(of('userUs')),
        number(of('systemUs')),
        thousands(of('messagesPerSecond')),
        Number.isFinite(late) ? `${number(late)} ms` : '–',
        ...others.map((other) => ratio(cpuRatio(results, name, one.name, other))),
      ],
    ];
  });
  return table([...head, ...others.map((other) => `CPU ÷ ${other}`)], rows);
}

/** Each target beside every case; `read` is a ratio that should be small. */
function targetsOf(results) {
  const warm = cases.filter(({ cold }) => !cold);
  const over = (read) =>
    Object.fromEntries(warm.map(({ name }) => [name, read(name)]).filter(([, value]) => value));
  const targets = NODE.flatMap((node) => [
    atMost(
      `p99 ≤ 0.5 × ${node}`,
      0.5,
      over((name) => p99Ratio(results, name, HYBRID, node)),
    ),
    atMost(
      `CPU a unit ≤ 0.7 × ${node}`,
      0.7,
      over((name) => cpuRatio(results, name, HYBRID, node)),
    ),
  ]);
  for (const alone of ALONE) {
    // Certainly better is what is below 1 with its whole interval, certainly worse what is above.
    const claim = `against ${alone} better in CPU or p99 and worse in neither`;
    const values = over((name) => {
      const bounds = [(trial) => trial.cpuUs, p99Of].map((read) =>
        medianInterval(ratiosOf(results, name, alone, read)),
      );
      if (bounds.includes(undefined)) return undefined;
      const worst = Math.max(...bounds.map(({ low }) => low));
      return worst > 1 ? worst : Math.min(...bounds.map(({ high }) => high));
    });
    targets.push(
      atMost(`${claim}: upper bound of the best, or lower bound of the worst`, 1, values),
    );
  }
  const overCold = (read) =>
    Object.fromEntries(
      cases.flatMap(({ name, cold }) => {
        const value = cold ? read(name) : undefined;
        return value === undefined ? [] : [[name, value]];
      }),
    );
  for (const [other, limit] of COLD_CPU) {
    const values = overCold((name) => cpuRatio(results, name, HYBRID, other));
    targets.push(atMost(`cold reads: CPU a unit ≤ ${limit} × ${other}`, limit, values));
  }
  const p99 = overCold((name) => p99Ratio(results, name, HYBRID, 'poll-only'));
  targets.push(atMost(`cold reads: p99 ≤ ${COLD_P99} × poll-only`, COLD_P99, p99));
  return targets;
}

/** Sections of the report; the verdicts join those of the suite. */
export function reportMixed(results) {
  const isMeasured = ({ name }) => results.of(name).length > 0;
  const measured = cases.filter(isMeasured);
  const measuredAlone = aloneCases.filter(isMeasured);
  if (measured.length + measuredAlone.length === 0) return [];
  for (const { name } of [...measured, ...measuredAlone]) {
    const found = competitors.map((one) => [one.name, summarize(results, name, one.name)]);
    results.data.medians[name] = Object.fromEntries(found.filter(([, summary]) => summary));
  }
  const targets = targetsOf(results);
  results.data.targets = [...(results.data.targets ?? []), ...targets];
  const sections = ['## Mixed work: HTTP and files in one process', ABOUT];
  sections.push(targets.map((target) => verdictLine(target, ratio)).join('\n'));
  for (const { name, title } of measured) sections.push(`### ${title}`, caseTable(results, name));
  for (const { name, title } of measuredAlone) {
    sections.push(`### ${title}`, aloneTable(results, name));
  }
  return sections;
}

const ABOUT = [
  `A unit is one request (${CONNECTIONS} connections, at a fixed rate) with ${READS_PER_REQUEST}`,
  `reads of 4 KB from the page cache and 1/${REQUESTS_PER_APPEND} append of 100 bytes with`,
  'fdatasync, by 32 readers and 8 writers. Latency counts from the moment that a request was due.',
  'Everybody does the same work in the same time; a program that leaves more than',
  `${percent(LEFT_MAX)} of a kind undone fails the trial. CPU is that of the process with all its`,
  'threads. uring-only receives by completion and has the ring do all work on files; node-pool16',
  `has 16 threads in its pool. Cold: the reads are at random of a file of ${COLD_MB} MB that the`,
  'page cache has nothing of, and nobody writes. Alone: there are no requests, and work on files',
  'goes on as fast as it can; the programs differ in how much they do then.',
  'One of our own counts as better or worse than',
  'another only where the 95 % interval of the median ratio, of CPU or of p99, says so.',
].join(' ');
