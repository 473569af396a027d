// HTTP/1.1 keep-alive: a fixed answer of 13 bytes, one request at a time and sixteen in a write.
import { competitors } from '../competitors/http.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { messageTable, overview, preamble, summarize } from '../lib/report.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';

export const describe = 'requests per second and CPU per request of a fixed HTTP answer';

const cases = [
  { name: 'c64', connections: 64, depth: 1 },
  { name: 'c512', connections: 512, depth: 1 },
  { name: 'c64-pipe16', connections: 64, depth: 16 },
].map((item) => ({ ...item, brief: briefMessages }));

const REFERENCES = ['c-epoll', 'uws', 'bun-fetch', 'node-http'];

export async function run({ settings, wanted, results, log }) {
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, { connections, depth }) =>
    messageTrial(competitor, 'http', { connections, depth, bodyLength: 13 }, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  return report(
    results,
    ready.map((competitor) => competitor.name),
  );
}

function report(results, names) {
  results.data.medians = {};
  const sections = [];
  for (const item of cases) {
    const medians = names.map((name) => [name, summarize(results, item.name, name)]);
    results.data.medians[item.name] = Object.fromEntries(medians.filter(([, found]) => found));
    const title = `## ${item.connections} connections, ${item.depth} at a time`;
    sections.push(title, messageTable(results, item.name, names, REFERENCES));
  }
  const all = overview(results, cases, names);
  return ['# HTTP', preamble(results), all, ...sections].join('\n\n');
}
