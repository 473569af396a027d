// What a server's memory does under load: resident after 10,000 requests, and after a million.
import { setTimeout as delay } from 'node:timers/promises';
import { runLoad } from './load.mjs';
import { readMemory } from './memory.mjs';
import { startServer } from './server.mjs';
import { median } from './stats.mjs';
import { number, ratio, table } from './table.mjs';

const FEW = 10_000;
const MANY = 1_000_000;
const MANY_QUICK = 100_000;
const SETTLE_MS = 1000;
const SECONDS_MAX = 120;
const MB = 1024 * 1024;

export function growthCase(settings) {
  return {
    name: 'rss',
    title: `Resident memory after ${FEW} and ${settings.quick ? MANY_QUICK : MANY} requests`,
    kind: 'rss',
    many: settings.quick ? MANY_QUICK : MANY,
    roundsMax: 3,
    brief: ({ rssFew, rssMany }) => `${number(rssFew / MB)} MB, then ${number(rssMany / MB)} MB`,
  };
}

export async function growthTrial(competitor, { many }, settings) {
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  const load = { port: server.port, connections: 64, depth: 16, warmUp: 0, seconds: SECONDS_MAX };
  const after = async (messages) => {
    await runLoad('http', { ...load, messages }, { cpu: settings.loadCpu });
    await delay(SETTLE_MS);
    return readMemory(server.pid).rss;
  };
  try {
    const rssFew = await after(FEW);
    const rssMany = await after(many - FEW);
    return { rssFew, rssMany, growth: rssMany / rssFew };
  } finally {
    await server.stop();
  }
}

export function summarizeGrowth(results, caseName, competitor) {
  const trials = results.of(caseName, competitor);
  if (trials.length === 0) return undefined;
  const of = (key) => median(trials.map((trial) => trial[key]));
  return {
    trials: trials.length,
    rssFew: of('rssFew'),
    rssMany: of('rssMany'),
    growth: of('growth'),
  };
}

export function growthTable(results, caseName, names) {
  const rows = names.flatMap((name) => {
    const found = results.data.medians[caseName]?.[name];
    if (!found) return [];
    return [[name, number(found.rssFew / MB), number(found.rssMany / MB), ratio(found.growth)]];
  });
  return table(['', 'MB after few', 'MB after many', 'ratio'], rows);
}
