// What the TCP proxy is to reach: CPU for the same bytes, and the rate of pgbench through it.
import { HYBRID, RIVALS } from '../competitors/proxy.mjs';
import { cpuRatio } from '../lib/report.mjs';
import { pairedRatio } from '../lib/stats.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

/** Its rate is to be at least this share of nginx's, so nginx's at most the inverse. */
const RATE_SHARE = 0.97;

/** Every target with its verdict, and the line of the report that says so. */
export function proxyTargets(results, bulk, pgbench) {
  const claims = RIVALS.map((rival) => {
    const values = bulk.map((name) => [name, cpuRatio(results, name, HYBRID, rival)]);
    return atMost(`CPU per GB of hybrid at most ${rival}'s`, 1, Object.fromEntries(values));
  });
  const rate = (name) => results.byRound(pgbench, name, ({ tps }) => tps);
  const share = pairedRatio(rate('nginx-stream'), rate(HYBRID));
  const claim = `pgbench's rate through nginx-stream at most 1 / ${RATE_SHARE} of hybrid's`;
  claims.push(atMost(claim, 1 / RATE_SHARE, { [pgbench]: share }));
  return claims.map((target) => ({ ...target, line: verdictLine(target, ratio) }));
}
