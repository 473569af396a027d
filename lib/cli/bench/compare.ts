// Two reports beside each other: what changed, and what is noise. Pure.
import { isMeasured, type Measured, type Result } from './measure.js';

/** A change within this many standard errors of both medians is noise. */
const ERRORS_MAX = 4;
/** Below this much nothing is called a change: code moves in memory from build to build. */
const CHANGE_MIN = 0.05;
/** The standard error of a median, in those of a mean. */
const MEDIAN_ERROR = 1.2533;

export type Verdict = 'faster' | 'slower' | 'same';

export interface Change {
  group: string;
  name: string;
  beforeNs: number;
  afterNs: number;
  /** afterNs / beforeNs - 1. */
  change: number;
  /** How large a change may be by chance. */
  noise: number;
  verdict: Verdict;
}

const errorOf = ({ noise, rounds }: Measured) => (MEDIAN_ERROR * noise) / Math.sqrt(rounds);

export function compare(before: readonly Result[], after: readonly Result[]): Change[] {
  const key = ({ group, name }: { group: string; name: string }) => `${group}\0${name}`;
  const known = new Map(before.filter(isMeasured).map((result) => [key(result), result]));
  return after.filter(isMeasured).flatMap((now) => {
    const then = known.get(key(now));
    if (then === undefined) return [];
    const change = now.ns / then.ns - 1;
    const noise = Math.max(CHANGE_MIN, ERRORS_MAX * Math.hypot(errorOf(now), errorOf(then)));
    const verdict = Math.abs(change) <= noise ? 'same' : change < 0 ? 'faster' : 'slower';
    const { group, name } = now;
    return [{ group, name, beforeNs: then.ns, afterNs: now.ns, change, noise, verdict }];
  });
}
