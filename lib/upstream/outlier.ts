// Which targets are left out for a while because of what they have answered: pure functions.

export interface OutlierRules {
  /** Answers 5xx, or none, in a row. 0: no target is ejected. */
  readonly consecutive5xx: number;
  /** Milliseconds of the first ejection; the n-th lasts n times as long, up to ten times. */
  readonly ejectionMs: number;
  /** Share of all targets that may be out at a time, 0 to 1. */
  readonly maxEjected: number;
}

const EJECTIONS_COUNTED_MAX = 10;

/** Whether a target goes out, that has failed `failures` times in a row. */
export function ejects(
  rules: OutlierRules,
  failures: number,
  ejected: number,
  targets: number,
): boolean {
  if (rules.consecutive5xx === 0 || failures < rules.consecutive5xx) return false;
  return ejected + 1 <= targets * rules.maxEjected;
}

/** How long it stays out, for the `nth` time. */
export function ejectionMs(rules: OutlierRules, nth: number): number {
  return rules.ejectionMs * Math.min(Math.max(nth, 1), EJECTIONS_COUNTED_MAX);
}

/** Ejections that are remembered, when a target has been good for one interval more. */
export function forgiven(ejections: number): number {
  return Math.max(0, ejections - 1);
}
