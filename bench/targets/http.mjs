// What the HTTP server is to reach: ratios of CPU per request, of latency and of memory.
import { ENGINES, HYBRID } from '../competitors/http.mjs';
import { each, judgeClaims } from '../lib/claims.mjs';
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

/** Every target with its verdict, and the line of the report that says so. */
export function httpTargets(results) {
  const targets = judgeClaims(results, CLAIMS, { engines: ENGINES, hybrid: HYBRID });
  const growth = (name) => results.data.medians.rss?.[name]?.growth;
  const memory = `memory at the end at most ${ratio(GROWTH_RATIO)} × after 10,000 requests`;
  targets.push(atMost(memory, GROWTH_RATIO, each(ENGINES, growth)));
  return targets.map((target) => ({ ...target, line: verdictLine(target, ratio) }));
}
