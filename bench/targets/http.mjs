// What the HTTP server is to reach: ratios of CPU per request, of latency and of memory. Each is
// judged twice, for the best of our engines and for the one that is used unless told otherwise.
import { ENGINES, HYBRID } from '../competitors/http.mjs';
import { splitUserSystem } from '../lib/cpu.mjs';
import { cpuRatio } from '../lib/report.mjs';
import { pairedRatio } from '../lib/stats.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

/** What is compared, the limit, the rival, and in which cases. */
const CLAIMS = [
  ['CPU', 0.62, 'uws', ['c64-pipe16']],
  ['CPU', 0.9, 'go-fasthttp', ['c64-pipe16']],
  ['CPU', 1.6, 'c-epoll', ['c64-pipe16']],
  ['CPU', 1.15, 'c-epoll', ['static-pipe16']],
  ['CPU', 1, 'uws', ['c64', 'c512']],
  ['CPU', 1.08, 'c-epoll', ['c64', 'c512']],
  ['user CPU', 0.65, 'uws', ['c64', 'c512']],
  ['p99', 1, 'uws', ['c64', 'c512']],
  ['CPU', 0.5, 'node-http', ['c64', 'c512', 'c64-pipe16']],
  ['CPU', 0.8, 'bun-fetch', ['fetch-c64']],
  ['CPU', 0.25, 'bun-fetch', ['fetch-pipe16']],
  ['CPU', 0.75, 'uws', ['browser-pipe16']],
  ['CPU', 1, 'uws', ['json-c64', 'json-pipe16', 'upload-100KB', 'download-100KB']],
  ['CPU', 1, 'nginx-megabyte', ['file-1MB']],
];
const GROWTH_RATIO = 1.05;

const COMPARE = { CPU: cpuRatio, 'user CPU': userRatio, p99: latencyRatio };

const CONTENDERS = [
  ['the best engine', best],
  ['hybrid', () => HYBRID],
];

/** Every target with its verdict, and the line of the report that says so. */
export function httpTargets(results) {
  const targets = CLAIMS.flatMap(([what, limit, rival, cases]) =>
    CONTENDERS.map(([who, ours]) => {
      const against = (name) => COMPARE[what](results, name, ours(results, name), rival);
      const claim = `${what} of ${who} at most ${ratio(limit)} × ${rival}`;
      return atMost(claim, limit, each(cases, against));
    }),
  );
  const growth = (name) => results.data.medians.rss?.[name]?.growth;
  const memory = `memory at the end at most ${ratio(GROWTH_RATIO)} × after 10,000 requests`;
  targets.push(atMost(memory, GROWTH_RATIO, each(ENGINES, growth)));
  return targets.map((target) => ({ ...target, line: verdictLine(target, ratio) }));
}

const each = (names, value) => Object.fromEntries(names.map((name) => [name, value(name)]));

/** Of our engines the one with the lowest median CPU per request in a case. */
function best(results, caseName) {
  const medians = results.data.medians[caseName] ?? {};
  const present = ENGINES.filter((name) => medians[name]);
  return present.sort((a, b) => medians[a].cpuUs - medians[b].cpuUs)[0];
}

/** Samples are added up over the rounds, so this one is not paired by round. */
function userRatio(results, caseName, a, b) {
  return userUs(results, caseName, a) / userUs(results, caseName, b);
}

function userUs(results, caseName, competitor) {
  const median = results.data.medians[caseName]?.[competitor];
  if (!median) return undefined;
  return splitUserSystem(median.cpuUs, results.of(caseName, competitor)).userUs;
}

function latencyRatio(results, caseName, a, b) {
  const read = (trial) => trial.p99Us;
  return pairedRatio(results.byRound(caseName, a, read), results.byRound(caseName, b, read));
}
