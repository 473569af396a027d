// TCP echo: closed loops of many sizes, a stream, short connections, many silent ones,
// and what importing the package costs.
import { competitors } from '../competitors/echo.mjs';
import { briefIdle, idleCase, idleTable, idleTrial, summarizeIdle } from '../lib/idle.mjs';
import { IMPORT_CASE, importMedians, importTable, importTrials } from '../lib/import_time.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { canTrace, traceSyscalls } from '../lib/syscalls.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { echoTargets } from '../targets/echo.mjs';

export const describe = 'CPU per message, latency and memory of a TCP echo server';

const KB = 1024;
const SIZES = [
  ['64B', 64],
  ['4KB', 4 * KB],
  ['16KB', 16 * KB],
  ['256KB', 256 * KB],
];
const CONNECTIONS = [1, 64, 1000];
// What system calls are counted for: a trace tells little that is new in the others.
const TRACED = ['64x64B', '64x4KB', '64x16KB', '1000x64B'];
const TRACED_QUICK = ['64x64B'];
const REFERENCES = ['c-epoll', 'bun-listen', 'node-net'];

const loops = CONNECTIONS.flatMap((connections) =>
  SIZES.map(([label, size]) => ({
    name: `${connections}x${label}`,
    title: `Closed loop, ${connections} × ${label}`,
    mode: 'echo',
    load: { connections, size },
  })),
);

const messageCases = [
  ...loops,
  {
    name: 'bulk-4x16KB',
    title: 'Stream, 4 connections with 1 MiB under way, counted in 16 KB',
    mode: 'bulk',
    load: { connections: 4, size: 16 * KB, window: KB * KB },
  },
  {
    name: 'accept-64',
    title: 'Short connections, 64 at a time: connect, one byte there and back, close',
    mode: 'accept',
    // Many source addresses, for each has its closed connections to wait out.
    load: { connections: 64, sources: 32 },
  },
].map((item) => ({ ...item, brief: briefMessages }));

export async function run({ settings, wanted, results, log }) {
  const idle = { ...idleCase(settings), brief: briefIdle };
  const cases = [...messageCases, idle];
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) =>
    item === idle
      ? idleTrial(competitor, item, settings)
      : messageTrial(competitor, item.mode, item.load, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  await trace({ settings, wanted, results, log, ready });
  if (wanted({ name: IMPORT_CASE }, { name: 'ringpoll' })) {
    await importTrials({ settings, results, log });
  }
  return report(
    results,
    ready.map((competitor) => competitor.name),
    idle,
  );
}

async function trace({ settings, wanted, results, log, ready }) {
  if (!canTrace) {
    log('without strace: no system calls are counted');
    return;
  }
  const names = settings.quick ? TRACED_QUICK : TRACED;
  for (const item of loops.filter(({ name }) => names.includes(name))) {
    results.data.syscalls[item.name] = {};
    for (const competitor of ready.filter((one) => wanted(item, one))) {
      try {
        const found = await traceSyscalls(competitor, item.mode, item.load, settings);
        results.data.syscalls[item.name][competitor.name] = found;
        log(`${item.name} system calls ${competitor.name}: ${found.total} per message`);
      } catch (error) {
        log(`${item.name} system calls ${competitor.name}: FAILED: ${error.message}`);
      }
    }
  }
}

function report(results, names, idle) {
  const sections = caseSections(results, [...messageCases, idle], names, REFERENCES, {
    [idle.name]: { summary: summarizeIdle, table: idleTable },
  });
  const imports = importMedians(results);
  if (Object.keys(imports).length > 0) {
    results.data.medians[IMPORT_CASE] = imports;
    sections.push('## Importing the package', importTable(imports));
  }
  results.data.targets = echoTargets(
    results,
    loops.map((item) => item.name),
    idle.name,
  );
  return page(results, {
    title: 'TCP echo',
    unit: 'message',
    cases: messageCases,
    competitors: names,
    sections,
  });
}
