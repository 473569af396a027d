// The order of trials: within a case every competitor has its turn before any has its next, so
// A B C A B C. A drift of the machine then falls on all of them alike.
import { Unavailable } from './build.mjs';

const FAILURES_MAX = 2; // in a row, within one case: it will not get better

/**
 * Finds out which competitors this machine has. Gives those that can run, and tells of the others.
 */
export async function prepareCompetitors(competitors, results, log) {
  const ready = [];
  for (const competitor of competitors) {
    try {
      await competitor.prepare?.();
      ready.push(competitor);
    } catch (error) {
      const reason = error instanceof Unavailable ? error.message : `${error.message}`;
      results.competitorMissing(competitor.name, reason);
      log(`without ${competitor.name}: ${firstLine(reason)}`);
    }
  }
  return ready;
}

/**
 * Runs `trial(competitor, item)` for each case, round and competitor, and files what it returns. A
 * trial that throws is filed as a failure, and the others go on.
 */
export async function interleave({ cases, competitors, wanted, rounds, trial, results, log }) {
  for (const item of cases) {
    const entrants = competitors.filter((competitor) => wanted(item, competitor));
    const failures = new Map();
    for (let round = 1; round <= Math.min(rounds, item.roundsMax ?? rounds); round++) {
      for (const competitor of entrants) {
        if ((failures.get(competitor) ?? 0) >= FAILURES_MAX) continue;
        const where = { case: item.name, round, competitor: competitor.name };
        try {
          const outcome = await trial(competitor, item);
          results.trial({ ...where, ...outcome });
          failures.delete(competitor);
          log(`${item.name} round ${round} ${competitor.name}: ${item.brief(outcome)}`);
        } catch (error) {
          results.trial({ ...where, error: error.message });
          failures.set(competitor, (failures.get(competitor) ?? 0) + 1);
          log(
            `${item.name} round ${round} ${competitor.name}: FAILED: ${firstLine(error.message)}`,
          );
        }
      }
    }
    results.keep();
  }
}

const firstLine = (text) => text.split('\n')[0].slice(0, 300);
