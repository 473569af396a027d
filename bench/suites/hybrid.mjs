// Does routing earn its place? One engine or route for everything, and both engines with the
// router, on workloads of one kind, on two kinds at once, and on one that changes its character.
import { ringpoll } from '../competitors/echo.mjs';
import { cpuPerMessage } from '../lib/cpu.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { runLoad } from '../lib/load.mjs';
import { measureMixed, reportMixed } from '../lib/mixed.mjs';
import { cpuRatioWithin, messageTable, overview, preamble, summarize } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
import { median } from '../lib/stats.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';

export const describe = 'Hybrid routing beside each engine alone: pure, mixed and changing loads';

const KB = 1024;
const SERVER = 'tcp-echo.mjs';
const HTTP_SERVER = 'http-plaintext.mjs';
const HYBRID = 'hybrid';
const ALONE = ['poll', 'uring-readiness', 'uring-completion'];
const HYBRID_RATIO = 1.03;

function on(server) {
  return [
    ringpoll('poll', server, 'poll'),
    ringpoll('uring-readiness', server, 'uring', 'readiness'),
    ringpoll('uring-completion', server, 'uring', 'completion'),
    ringpoll(HYBRID, server, 'hybrid'),
  ];
}
const competitors = on(SERVER);
const httpServers = new Map(on(HTTP_SERVER).map((one) => [one.name, one]));

const chatter = { connections: 64, size: 64 };
const crowd = { connections: 1000, size: 64 };
const blocks = { connections: 64, size: 16 * KB };
const streams = { connections: 8, size: 64 * KB };

const pure = (name, title, load) => ({
  name,
  title,
  trial: (one, settings) => messageTrial(one, 'echo', load, settings),
});

const http = (name, title, load) => ({
  name,
  title,
  trial: ({ name: who }, settings) =>
    messageTrial(httpServers.get(who), 'http', { ...load, bodyLength: 13 }, settings),
});

const cases = [
  pure('64x64B', 'Chatter, 64 × 64 B', chatter),
  pure('1000x64B', 'Chatter, 1000 × 64 B', crowd),
  pure('64x16KB', 'Blocks, 64 × 16 KB', blocks),
  pure('8x64KB', 'Streams, 8 × 64 KB', streams),
  http('http-c64', 'HTTP, 64 connections', { connections: 64, depth: 1 }),
  http('http-pipe16', 'HTTP, 64 connections, 16 requests at a time', {
    connections: 64,
    depth: 16,
  }),
  {
    name: 'mixed',
    title: 'Mixed: 64 × 64 B and 64 × 16 KB at once',
    trial: (one, settings) => phases(one, settings, [[chatter, blocks]]),
  },
  {
    name: 'changing',
    title: 'Changing: 64 × 64 B, then 8 × 64 KB, then 64 × 64 B again, on one server',
    trial: (one, settings) => phases(one, settings, [[chatter], [streams], [chatter]]),
  },
].map((item) => ({ ...item, brief: briefMessages }));

/**
 * Loads of one phase run at once, phases one after the other against the same server. Every phase
 * begins unmeasured, for warmUp seconds: the router has so long to notice.
 */
async function phases(competitor, settings, list) {
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  try {
    const run = { port: server.port, serverPid: server.pid };
    run.seconds = settings.seconds;
    run.warmUp = settings.warmUp;
    const reports = [];
    for (const loads of list) {
      const start = (load) => runLoad('echo', { ...run, ...load }, { cpu: settings.loadCpu });
      reports.push(await Promise.all(loads.map(start)));
    }
    return summed(reports);
  } finally {
    await server.stop();
  }
}

/** Loads that ran at once saw the same server's clock: it counts once. */
function summed(reports) {
  const all = reports.flat();
  const sum = (list, read) => list.reduce((total, report) => total + read(report), 0);
  const messages = sum(all, (report) => report.messages);
  const seconds = sum(reports, ([first]) => first.seconds);
  const clock = (key) => sum(reports, ([first]) => first.server_cpu[key]);
  const cpu = {
    total_ns: clock('total_ns'),
    user_ticks: clock('user_ticks'),
    system_ticks: clock('system_ticks'),
  };
  return {
    messages,
    seconds,
    messagesPerSecond: messages / seconds,
    bytes: sum(all, (report) => report.bytes),
    ...cpuPerMessage(cpu, messages, seconds),
    p50Us: median(all.map((report) => report.p50_us)),
    p99Us: Math.max(...all.map((report) => report.p99_us)),
    phases: reports.map((loads) =>
      loads.map((report) => ({
        messages: report.messages,
        cpuUs: report.server_cpu.total_ns / 1000 / report.messages,
      })),
    ),
  };
}

export async function run({ settings, wanted, results, log }) {
  const ready = await prepareCompetitors(competitors, results, log);
  const trial = (competitor, item) => {
    const warmUp = Math.max(settings.warmUp, competitor.warmUpMin ?? 0);
    return item.trial(competitor, { ...settings, warmUp });
  };
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  await measureMixed({ settings, wanted, results, log });
  return report(
    results,
    ready.map(({ name }) => name),
  );
}

/** The one that needed the least CPU alone. */
function best(results, caseName) {
  const medians = results.data.medians[caseName] ?? {};
  const known = ALONE.filter((name) => medians[name]);
  return known.sort((a, b) => medians[a].cpuUs - medians[b].cpuUs)[0];
}

function targets(results) {
  const values = Object.fromEntries(
    cases.map((item) => [
      item.name,
      cpuRatioWithin(results, item.name, HYBRID, best(results, item.name)),
    ]),
  );
  return [atMost(`${HYBRID} ≤ ${HYBRID_RATIO} × the best engine alone`, HYBRID_RATIO, values)];
}

function report(results, names) {
  results.data.medians = {};
  const sections = [];
  for (const item of cases) {
    const medians = names.map((name) => [name, summarize(results, item.name, name)]);
    const found = medians.filter(([, summary]) => summary);
    if (found.length === 0) continue;
    results.data.medians[item.name] = Object.fromEntries(found);
    sections.push(`## ${item.title}`, messageTable(results, item.name, names, ALONE));
  }
  const measured = cases.filter((item) => results.data.medians[item.name]);
  results.data.targets = targets(results);
  return [
    '# Hybrid routing',
    preamble(results),
    '## Targets',
    results.data.targets.map((target) => verdictLine(target, ratio)).join('\n'),
    '## CPU per message',
    overview(results, measured, names),
    ...sections,
    ...reportMixed(results),
  ].join('\n\n');
}
