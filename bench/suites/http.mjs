// HTTP/1.1 keep-alive: small answers one at a time and sixteen in a write, without JavaScript and
// by the Fetch standard; many headers, JSON, bodies up and down, a file; and memory.
import { competitors } from '../competitors/http.mjs';
import { growthCase, growthTable, growthTrial, summarizeGrowth } from '../lib/growth.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { requestFile, UPLOAD_BYTES } from '../lib/requests.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { httpTargets } from '../targets/http.mjs';

export const describe =
  'CPU per request of HTTP: small, static, fetch, JSON, bodies, files; memory';

const HELLO = { bodyLength: 13 };
const MEGABYTE = 1024 * 1024;
const REFERENCES = ['c-epoll', 'uws', 'bun-fetch', 'node-http', 'nginx-megabyte'];

const one = (connections) => ({ connections, depth: 1 });
const pipelined = { connections: 64, depth: 16 };

const cases = [
  ['c64', 'once', '64 connections, one request at a time', { ...one(64), ...HELLO }],
  ['c512', 'plain', '512 connections, one request at a time', { ...one(512), ...HELLO }],
  ['c64-pipe16', 'plain', '64 connections, 16 requests at a time', { ...pipelined, ...HELLO }],
  [
    'static-c64',
    'static',
    'A static route (no JavaScript), one at a time',
    { ...one(64), ...HELLO },
  ],
  ['static-pipe16', 'static', 'A static route (no JavaScript), 16 at a time', pipelined],
  ['fetch-c64', 'fetch', 'A fetch handler, one at a time', { ...one(64), ...HELLO }],
  ['fetch-pipe16', 'fetch', 'A fetch handler, 16 at a time', { ...pipelined, ...HELLO }],
  ['browser-c64', 'headers', "A browser's request, one at a time", one(64), 'browser'],
  ['browser-pipe16', 'headers', "A browser's request, 16 at a time", pipelined, 'browser'],
  ['json-c64', 'json', 'JSON made per request, one at a time', one(64)],
  ['json-pipe16', 'json', 'JSON made per request, 16 at a time', pipelined],
  ['upload-100KB', 'upload', '100 KB up, read whole', one(64), 'upload'],
  [
    'download-100KB',
    'download',
    '100 KB down, from memory',
    { ...one(64), bodyLength: UPLOAD_BYTES },
  ],
  ['file-1MB', 'file', '1 MB down, from a file', { ...one(64), bodyLength: MEGABYTE }],
].map(([name, kind, title, load, request]) => ({
  ...{ name, kind, title, load, request },
  brief: briefMessages,
}));

export async function run({ settings, wanted, results, log }) {
  const growth = growthCase(settings);
  const all = [...cases, growth];
  const takesPart = (item, who) => who.kinds.includes(item.kind) && wanted(item, who);
  const entrants = competitors.filter((who) => all.some((item) => takesPart(item, who)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) =>
    item === growth
      ? growthTrial(competitor, item, settings)
      : messageTrial(competitor, 'http', loadOf(item), settings);
  const { rounds } = settings;
  const asked = { cases: all, competitors: ready, wanted: takesPart, rounds, trial, results, log };
  await interleave(asked);
  return report(results, [...new Set(ready.map(({ name }) => name))], growth);
}

function loadOf({ load, request }) {
  return request === undefined ? load : { ...load, request: requestFile(request) };
}

function report(results, names, growth) {
  const sections = caseSections(results, [...cases, growth], names, REFERENCES, {
    [growth.name]: { summary: summarizeGrowth, table: growthTable },
  });
  results.data.targets = httpTargets(results);
  return page(results, {
    title: 'HTTP',
    unit: 'request',
    cases,
    competitors: names,
    sections,
  });
}
