// Many connections that stay open and say nothing: what one costs in memory, and what all of them
// cost in CPU while they are silent.
import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from './load.mjs';
import { readMemory } from './memory.mjs';
import { startServer } from './server.mjs';
import { median } from './stats.mjs';
import { number, percent, table } from './table.mjs';

const CONNECTIONS = 15_000;
const CONNECTIONS_QUICK = 2_000;
const SILENT_S = 5;
const SILENT_QUICK_S = 1;
const HOLD_S_MAX = 120;
const SOURCES = 8;
// Opened and closed first, so that the code that serves a connection is in memory.
const REHEARSAL = 1000;

export function idleCase(settings) {
  const connections = settings.quick ? CONNECTIONS_QUICK : CONNECTIONS;
  return {
    name: `idle-${connections}`,
    title: `${connections} silent connections, after one message on each`,
    connections,
    silentSeconds: settings.quick ? SILENT_QUICK_S : SILENT_S,
    roundsMax: 3,
  };
}

async function openIdle(item, connections, server, settings) {
  const { mode = 'idle' } = item;
  const options = {
    ...item.load,
    connections,
    port: server.port,
    serverPid: server.pid,
    sources: SOURCES,
    seconds: HOLD_S_MAX,
  };
  const load = await startLoad(mode, options, { cpu: settings.loadCpu });
  try {
    const opened = await load.next();
    return { load, seconds: opened.seconds };
  } catch (error) {
    await load.stop();
    throw error;
  }
}

const cpuNs = async (load) => (await load.ask('cpu')).server_cpu.total_ns;

/**
 * `item.mode` is the load generator's: what a connection says when it is opened. `item.load` holds
 * further options of it.
 */
export async function idleTrial(competitor, item, settings) {
  const { connections, silentSeconds } = item;
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  const loads = [];
  const open = async (count) => {
    const opening = await openIdle(item, count, server, settings);
    loads.push(opening.load);
    return opening.seconds;
  };
  try {
    await open(REHEARSAL);
    await loads.pop().stop();
    const before = readMemory(server.pid);
    const third = Math.round(connections / 3);
    let openSeconds = await open(third);
    const atThird = readMemory(server.pid);
    openSeconds += await open(connections - third);

    const [load] = loads;
    const from = await cpuNs(load);
    const started = process.hrtime.bigint();
    await delay(silentSeconds * 1000);
    const to = await cpuNs(load);
    const elapsedNs = Number(process.hrtime.bigint() - started);
    const after = readMemory(server.pid);

    for (const each of loads) await each.ask('touch');
    const touchCpuNs = (await cpuNs(load)) - to;
    return {
      connections,
      bytesPerConnection: (after.rss - before.rss) / connections,
      anonymousPerConnection: (after.anonymous - before.anonymous) / connections,
      marginalPerConnection: (after.rss - atThird.rss) / (connections - third),
      rssBefore: before.rss,
      rssAfter: after.rss,
      idleCpuShare: (to - from) / elapsedNs,
      openSeconds,
      touchCpuUs: touchCpuNs / 1000 / connections,
    };
  } finally {
    for (const each of loads) await each.stop();
    await server.stop();
  }
}

export function briefIdle(outcome) {
  const { bytesPerConnection, idleCpuShare } = outcome;
  return `${bytesPerConnection.toFixed(0)} bytes a connection, ${percent(idleCpuShare)} of a core`;
}

export function summarizeIdle(results, caseName, competitor) {
  const trials = results.of(caseName, competitor);
  if (trials.length === 0) return undefined;
  const keys = Object.keys(trials[0]).filter((key) => typeof trials[0][key] === 'number');
  const entries = keys
    .filter((key) => key !== 'round')
    .map((key) => [key, median(trials.map((trial) => trial[key]))]);
  return Object.fromEntries(entries);
}

export function idleTable(results, caseName, competitors) {
  const head = [
    '',
    'bytes/connection',
    'anonymous',
    'marginal',
    'MB before',
    'after',
    'CPU while silent',
  ];
  head.push('µs CPU to answer one', 'seconds to open');
  const rows = [];
  for (const name of competitors) {
    const found = results.data.medians[caseName]?.[name];
    if (!found) continue;
    rows.push([
      name,
      found.bytesPerConnection.toFixed(0),
      found.anonymousPerConnection.toFixed(0),
      found.marginalPerConnection.toFixed(0),
      (found.rssBefore / 1e6).toFixed(1),
      (found.rssAfter / 1e6).toFixed(1),
      `${(found.idleCpuShare * 100).toFixed(3)} %`,
      number(found.touchCpuUs),
      number(found.openSeconds),
    ]);
  }
  return table(head, rows);
}
