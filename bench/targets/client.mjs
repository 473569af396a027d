// What the HTTP client is to reach, as ratios of CPU per request.
import { OURS } from '../competitors/client.mjs';
import { cpuRatio } from '../lib/report.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

const CLAIMS = [
  [0.4, 'undici', ['c64', 'c1']],
  [0.25, 'fetch', ['c64', 'c1']],
  [0.6, 'undici', ['c4-1MB']],
];

/** Every target with its verdict, and the line of the report that says so. */
export function clientTargets(results) {
  return CLAIMS.map(([limit, rival, cases]) => {
    const values = cases.map((name) => [name, cpuRatio(results, name, OURS, rival)]);
    const claim = `CPU at most ${ratio(limit)} × ${rival}`;
    const target = atMost(claim, limit, Object.fromEntries(values));
    return { ...target, line: verdictLine(target, ratio) };
  });
}
