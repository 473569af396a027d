// A limit of concurrency that finds itself: pure functions. By Little's law, work that is under way
// is rate times time; when the time grows and the rate does not, more of it only waits.

export interface GradientRules {
  readonly min: number;
  readonly max: number;
  /** How much longer than usual an answer may take before the limit falls: 2 is twice. */
  readonly tolerance: number;
}

export interface Gradient {
  limit: number;
  /** What an answer usually takes, in milliseconds, over a long time. */
  usualMs: number;
}

/** Of what is usual, so much is what was measured last. */
const LONG_SHARE = 0.002;
/** Of the limit, so much is what was worked out last. */
const LIMIT_SHARE = 0.2;
/** The limit falls at most by half at a time, before it is smoothed. */
const GRADIENT_MIN = 0.5;

/**
 * The state after a period in which answers took `tookMs` on average, and at most `mostActive` were
 * under way. The limit grows only when it was nearly used: an idle server learns nothing.
 */
export function gradientAfter(
  rules: GradientRules,
  { limit, usualMs }: Gradient,
  tookMs: number,
  mostActive: number,
): Gradient {
  const before = usualMs === 0 ? tookMs : usualMs;
  // It gets used to slow times slowly, and forgets them fast.
  const usual = tookMs < before ? (before + tookMs) / 2 : before + (tookMs - before) * LONG_SHARE;
  const gradient = Math.max(
    GRADIENT_MIN,
    Math.min(1, (rules.tolerance * before) / Math.max(tookMs, 1e-6)),
  );
  if (gradient === 1 && mostActive < limit / 2) return { limit, usualMs: usual };
  const room = Math.sqrt(limit);
  const wanted = limit * gradient + (gradient === 1 ? room : 0);
  const smoothed = limit * (1 - LIMIT_SHARE) + wanted * LIMIT_SHARE;
  return { limit: Math.min(rules.max, Math.max(rules.min, smoothed)), usualMs: usual };
}
