// As many silent connections as this machine allows, of four kinds, and what a million would need.
import { ringpoll } from '../competitors/echo.mjs';
import { certificateFiles, makeCertificate } from '../lib/certificate.mjs';
import { briefCrowd, crowdTrial, openFilesMax } from '../lib/crowd.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { preamble } from '../lib/report.mjs';
import { median } from '../lib/stats.mjs';
import { number, percent, ratio, table } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

export const describe = 'memory and CPU of as many silent connections as this machine allows';

const ENGINES = ['poll', 'uring', 'hybrid'];
const SPARE_FILES = 200;
const CONNECTIONS_MAX = 60_000;
const CONNECTIONS_QUICK = 2_000;
const SILENT_S = 5;
// One interval of heartbeats, so that each WebSocket has its ping within it.
const HEARTBEAT_S = 30;
const FLAT = 1.2;
const MILLION = 1e6;

const CASES = [
  {
    name: 'raw',
    title: 'TCP, after one byte there and back',
    server: 'tcp-echo.mjs',
    idleMode: 'idle',
    talkMode: 'echo',
    talk: { size: 64 },
    shortMode: 'accept',
  },
  {
    name: 'http',
    title: 'HTTP keep-alive, after one request',
    server: 'http-plaintext.mjs',
    idleMode: 'http-idle',
    talkMode: 'http',
    talk: { bodyLength: 13 },
  },
  {
    name: 'websocket',
    title: `WebSocket with heartbeats, over ${HEARTBEAT_S} s`,
    server: 'ws-echo.mjs',
    idleMode: 'websocket-idle',
    talkMode: 'websocket',
    talk: { size: 64 },
    silentSeconds: HEARTBEAT_S,
  },
  {
    name: 'tls',
    title: 'HTTPS keep-alive (TLS 1.3), after one request',
    server: 'https-plaintext.mjs',
    idleMode: 'http-idle',
    load: { tls: true },
    talkMode: 'http',
    talk: { tls: true, bodyLength: 13 },
    secure: true,
  },
];

const nameOf = (item, engine) => `${item.name}-${engine}`;

const COLUMNS = [
  'Kernel memory is of both ends, which are on this machine: slabs and buffers of TCP.',
  '"Open and close" is the CPU time of the server for one short connection, with a byte there and',
  'back, while 10 or all are open; "close" is that of closing all of them.',
].join(' ');

function competitorsOf(item) {
  return ENGINES.map((engine) => {
    const base = ringpoll(`ringpoll-${engine}`, item.server, engine);
    if (!item.secure) return base;
    return {
      ...base,
      env: { ...base.env, ...certificateFiles('ec') },
      async prepare() {
        base.prepare();
        await makeCertificate('ec');
      },
      command: (port) => [...base.command(port), 'plain'],
    };
  });
}

export async function run({ settings, wanted, results, log }) {
  const allowed = (openFilesMax() ?? CONNECTIONS_MAX) - SPARE_FILES;
  const connections = settings.quick ? CONNECTIONS_QUICK : Math.min(allowed, CONNECTIONS_MAX);
  const rounds = Math.min(settings.rounds, 3);
  for (const each of CASES) {
    const silentSeconds = settings.quick ? 1 : (each.silentSeconds ?? SILENT_S);
    const item = { ...each, connections, silentSeconds, brief: briefCrowd };
    const entrants = competitorsOf(item).filter((one) => wanted(item, one));
    const ready = await prepareCompetitors(entrants, results, log);
    const trial = (competitor) => crowdTrial(competitor, item, settings);
    const cases = [item];
    await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  }
  return report(results, connections);
}

function medianOf(results, item, engine) {
  const trials = results.of(item.name, `ringpoll-${engine}`);
  if (trials.length === 0) return undefined;
  const keys = Object.keys(trials[0]).filter((key) => typeof trials[0][key] === 'number');
  return Object.fromEntries(keys.map((key) => [key, median(trials.map((one) => one[key]))]));
}

function report(results, connections) {
  const found = CASES.flatMap((item) =>
    ENGINES.map((engine) => [nameOf(item, engine), medianOf(results, item, engine)]),
  ).filter(([, medians]) => medians !== undefined);
  results.data.medians = Object.fromEntries(found);
  results.data.targets = targets(found);
  const titles = CASES.map(({ name, title }) => `- \`${name}\`: ${title}`);
  return [
    '# Silent connections',
    preamble(results),
    `${connections} connections, by three client processes from addresses of 127.0.0.0/8.`,
    titles.join('\n'),
    '## Targets',
    results.data.targets.map(({ line }) => line).join('\n'),
    '## One connection',
    costs(found),
    COLUMNS,
    '## A million',
    million(found),
  ].join('\n\n');
}

function costs(found) {
  const head = ['', 'user bytes', 'kernel bytes', 'CPU while silent', 'p99 µs beside 10'];
  head.push('beside all', 'open and close µs, 10', 'all', 'close µs', 'seconds to open');
  const rows = found.map(([name, of]) => [
    name,
    of.userBytes.toFixed(0),
    of.pairKernelBytes.toFixed(0),
    percent(of.silentCpuShare),
    number(of.p99FewUs),
    number(of.p99Us),
    number(of.openCloseFewUs),
    number(of.openCloseUs),
    number(of.closeAllUs),
    number(of.openSeconds),
  ]);
  return table(head, rows);
}

/** One end of a connection is half of what both cost the kernel. */
function million(found) {
  const gb = (bytes) => `${((bytes * MILLION) / 1e9).toFixed(1)} GB`;
  const rows = found.map(([name, of]) => [
    name,
    gb(of.userBytes),
    gb(of.pairKernelBytes / 2),
    percent((of.silentCpuShare * MILLION) / of.connections),
  ]);
  return table(['', 'user memory', 'kernel memory', 'CPU while silent'], rows);
}

function targets(found) {
  const flat = found
    .filter(([, of]) => Number.isFinite(of.openCloseUs))
    .map(([name, of]) => [name, of.openCloseUs / of.openCloseFewUs]);
  const claim = `opening and closing beside all costs at most ${ratio(FLAT)} × beside 10`;
  const target = atMost(claim, FLAT, Object.fromEntries(flat));
  return [{ ...target, line: verdictLine(target, ratio) }];
}
