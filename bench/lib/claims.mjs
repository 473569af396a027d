// Claims of a suite: what of ours is at most so many times what of a rival. Each is judged twice,
// for the best of our engines and for the one that is used unless told otherwise.
import { splitUserSystem } from './cpu.mjs';
import { cpuRatio } from './report.mjs';
import { pairedRatio } from './stats.mjs';
import { ratio } from './table.mjs';
import { atMost } from './targets.mjs';

const COMPARE = { CPU: cpuRatio, 'user CPU': userRatio, p99: latencyRatio };

/**
 * A claim is what is compared (a key of COMPARE), the limit, the rival, and in which cases.
 * @returns a target for each claim and contender
 */
export function judgeClaims(results, claims, { engines, hybrid }) {
  const contenders = [
    ['the best engine', (name) => bestOf(results, name, engines)],
    ['hybrid', () => hybrid],
  ];
  return claims.flatMap(([what, limit, rival, cases]) =>
    contenders.map(([who, ours]) => {
      const against = (name) => COMPARE[what](results, name, ours(name), rival);
      const claim = `${what} of ${who} at most ${ratio(limit)} × ${rival}`;
      return atMost(claim, limit, each(cases, against));
    }),
  );
}

export const each = (names, value) => Object.fromEntries(names.map((name) => [name, value(name)]));

/** Of our engines the one with the lowest median CPU per message in a case. */
function bestOf(results, caseName, engines) {
  const medians = results.data.medians[caseName] ?? {};
  const present = engines.filter((name) => medians[name]);
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
