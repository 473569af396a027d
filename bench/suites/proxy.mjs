// TCP proxies: bulk both ways, small messages, and pgbench through them.
import { competitors, RIVALS } from '../competitors/proxy.mjs';
import { limitServer } from '../lib/build.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { Postgres, postgresFolder } from '../lib/postgres.mjs';
import { leadingTo, proxiedMessages } from '../lib/proxied.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { freePort, startServer } from '../lib/server.mjs';
import { median } from '../lib/stats.mjs';
import { table, thousands } from '../lib/table.mjs';
import { briefMessages } from '../lib/trial.mjs';
import { proxyTargets } from '../targets/proxy.mjs';

export const describe = 'CPU per GB and per message of a TCP proxy, and pgbench through it';

const KB = 1024;
const MB = KB * KB;
const BULK = 'bulk-4x1MB';
const PGBENCH = 'pgbench-select';
const CLIENTS = 8;

const target = {
  name: 'target',
  command: async (port) => [await limitServer('echo-epoll'), String(port)],
};

const messageCases = [
  {
    name: BULK,
    title: 'Stream through the proxy and back, 4 connections with 4 MiB under way, counted in MiB',
    mode: 'bulk',
    load: { connections: 4, size: MB, window: 4 * MB },
  },
  {
    name: 'bulk-64x64KB',
    title: 'The same, 64 connections with 256 KB under way, counted in 64 KB',
    mode: 'bulk',
    load: { connections: 64, size: 64 * KB, window: 256 * KB },
  },
  {
    name: '64x64B',
    title: 'Closed loop, 64 connections, 64 bytes there and back',
    mode: 'echo',
    load: { connections: 64, size: 64 },
  },
  {
    name: '64x16KB',
    title: 'Closed loop, 64 connections, 16 KB there and back',
    mode: 'echo',
    load: { connections: 64, size: 16 * KB },
  },
  {
    name: 'accept-64',
    title: 'Short connections, 64 at a time: connect, one byte there and back, close',
    mode: 'accept',
    load: { connections: 64, sources: 32 },
  },
].map((item) => ({ ...item, brief: briefMessages }));

const pgbenchCase = {
  name: PGBENCH,
  title: `pgbench -S, ${CLIENTS} clients, prepared statements`,
  brief: ({ tps }) => `${thousands(tps)} transactions/s`,
};

async function pgbenchTrial(competitor, postgres, settings) {
  const { serverCpu, loadCpu } = settings;
  const server = await startServer(leadingTo(competitor, postgres.port), { cpu: serverCpu });
  try {
    const seconds = String(Math.max(1, Math.round(settings.seconds)));
    const args = ['-S', '-n', '-M', 'prepared', '-c', String(CLIENTS), '-T', seconds];
    const text = await postgres.pgbench(server.port, args, { cpu: loadCpu });
    return { tps: Number(/tps = ([\d.]+)/.exec(text)[1]) };
  } finally {
    await server.stop();
  }
}

function summarizePgbench(results, name, competitor) {
  const trials = results.of(name, competitor);
  return trials.length === 0 ? undefined : { tps: median(trials.map(({ tps }) => tps)) };
}

function pgbenchTable(results, name, names) {
  const medians = results.data.medians[name];
  const found = names.filter((one) => medians[one]);
  const rows = found.map((one) => [one, thousands(medians[one].tps)]);
  return table(['', 'transactions/s'], rows);
}

async function pgbenchTrials({ settings, wanted, results, log, ready }) {
  const entrants = ready.filter((one) => wanted(pgbenchCase, one));
  if (entrants.length === 0) return;
  const folder = postgresFolder();
  if (folder === undefined) {
    results.competitorMissing('pgbench', 'no PostgreSQL');
    return;
  }
  const postgres = new Postgres(folder, await freePort());
  try {
    await postgres.start({ cpu: settings.loadCpu });
    const trial = (competitor) => pgbenchTrial(competitor, postgres, settings);
    const { rounds } = settings;
    const cases = [pgbenchCase];
    await interleave({ cases, competitors: entrants, wanted, rounds, trial, results, log });
  } finally {
    await postgres.stop();
  }
}

export async function run({ settings, wanted, results, log }) {
  const cases = [...messageCases, pgbenchCase];
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const { rounds } = settings;
  const trial = (competitor, item) => proxiedMessages(competitor, target, item, settings);
  const messages = { cases: messageCases, competitors: ready, wanted, rounds, trial };
  await interleave({ ...messages, results, log });
  await pgbenchTrials({ settings, wanted, results, log, ready });
  const names = ready.map(({ name }) => name);
  const sections = caseSections(results, cases, names, RIVALS, {
    [PGBENCH]: { summary: summarizePgbench, table: pgbenchTable },
  });
  const bulk = messageCases.filter(({ mode }) => mode === 'bulk').map(({ name }) => name);
  results.data.targets = proxyTargets(results, bulk, PGBENCH);
  return page(results, {
    title: 'TCP proxy',
    unit: 'message',
    cases: messageCases,
    competitors: names,
    sections,
  });
}
