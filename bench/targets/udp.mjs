// What the UDP echo server is to reach, as ratios of CPU per packet.
import { cpuRatio } from '../lib/report.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

const HYBRID = 'ringpoll-hybrid';
const CLAIMS = [
  ['node-dgram', 0.4],
  ['c-recvmmsg', 1.15],
];

/** Every target with its verdict, and the line of the report that says so. */
export function udpTargets(results, cases) {
  return CLAIMS.map(([rival, limit]) => {
    const values = cases.map((name) => [name, cpuRatio(results, name, HYBRID, rival)]);
    const claim = `CPU of hybrid at most ${ratio(limit)} × ${rival}`;
    const target = atMost(claim, limit, Object.fromEntries(values));
    return { ...target, line: verdictLine(target, ratio) };
  });
}
