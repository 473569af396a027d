// What polling before a wait is to bring. Where a blocking round trip is slow, more is asked.
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

const SLOW_P50_US = 200;
const P50_SLOW = 0.3;
const P50 = 0.7;
const P99 = 0.6;

/** Every target with its verdict, and the line of the report that says so. */
export function waitingTargets(results, cases) {
  const medians = (name) => results.data.medians[name] ?? {};
  return ['poll', 'hybrid'].flatMap((engine) => {
    const slow = cases.some(({ name }) => medians(name)[`${engine}-block`]?.p50Us > SLOW_P50_US);
    return [
      ['p50', 'p50Us', slow ? P50_SLOW : P50],
      ['p99', 'p99Us', P99],
    ].map(([label, key, limit]) => {
      const values = cases.map(({ name }) => {
        const adaptive = medians(name)[`${engine}-adaptive`]?.[key];
        const block = medians(name)[`${engine}-block`]?.[key];
        return [name, adaptive === undefined || !block ? undefined : adaptive / block];
      });
      const claim = `${label} of ${engine}-adaptive at most ${ratio(limit)} × ${engine}-block`;
      const target = atMost(claim, limit, Object.fromEntries(values));
      return { ...target, line: verdictLine(target, ratio) };
    });
  });
}
