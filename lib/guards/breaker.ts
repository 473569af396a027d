// A breaker: when too much fails or is too slow, it asks nothing more of who cannot, for a while;
// then a few probes find out. Pure functions of a state.
//
//   closed --the rules say so--> open --openMs--> half-open --probes are good--> closed
//                                 ^                  |
//                                 +--- one is bad ---+

export type BreakerPhase = 'closed' | 'open' | 'half-open';

export interface BreakerRules {
  /** Share of answers that fail in a period, over which it is bad. */
  readonly failedShare: number;
  /** Bad periods in a row until it opens. */
  readonly failedPeriods: number;
  /** Milliseconds of the 95th percentile, over which a period is slow. */
  readonly p95Ms: number;
  /** Slow periods in a row until it opens. */
  readonly slowPeriods: number;
  /** Failures in a row that open it at once. */
  readonly consecutive: number;
  /** Answers in a period below which it says nothing. */
  readonly answersMin: number;
  readonly openMs: number;
  /** Good probes in a row until it closes; so many are let through at a time. */
  readonly probes: number;
}

export interface BreakerState {
  phase: BreakerPhase;
  untilMs: number;
  failedPeriods: number;
  slowPeriods: number;
  consecutive: number;
  probesOut: number;
  probesGood: number;
}

export function closedBreaker(): BreakerState {
  return {
    phase: 'closed',
    untilMs: 0,
    failedPeriods: 0,
    slowPeriods: 0,
    consecutive: 0,
    probesOut: 0,
    probesGood: 0,
  };
}

function open(rules: BreakerRules, state: BreakerState, nowMs: number): void {
  Object.assign(state, closedBreaker(), { phase: 'open', untilMs: nowMs + rules.openMs });
}

/** Whether a request may go on; a probe that may is counted. */
export function admits(rules: BreakerRules, state: BreakerState, nowMs: number): boolean {
  if (state.phase === 'closed') return true;
  if (state.phase === 'open') {
    if (nowMs < state.untilMs) return false;
    state.phase = 'half-open';
    state.probesOut = state.probesGood = 0;
  }
  if (state.probesOut + state.probesGood >= rules.probes) return false;
  state.probesOut++;
  return true;
}

/** A request that was let through in this phase has ended. */
export function answered(
  rules: BreakerRules,
  state: BreakerState,
  nowMs: number,
  failed: boolean,
): void {
  if (state.phase === 'half-open') {
    state.probesOut = Math.max(0, state.probesOut - 1);
    if (failed) open(rules, state, nowMs);
    else if (++state.probesGood >= rules.probes) Object.assign(state, closedBreaker());
    return;
  }
  if (state.phase === 'open') return; // it was under way when that opened
  state.consecutive = failed ? state.consecutive + 1 : 0;
  if (state.consecutive >= rules.consecutive) open(rules, state, nowMs);
}

/** What a period was like. */
export interface Period {
  answers: number;
  failures: number;
  p95Ms: number;
}

export function periodOver(
  rules: BreakerRules,
  state: BreakerState,
  nowMs: number,
  { answers, failures, p95Ms }: Period,
): void {
  if (state.phase !== 'closed' || answers < rules.answersMin) return;
  state.failedPeriods = failures / answers > rules.failedShare ? state.failedPeriods + 1 : 0;
  state.slowPeriods = p95Ms > rules.p95Ms ? state.slowPeriods + 1 : 0;
  const opens =
    state.failedPeriods >= rules.failedPeriods || state.slowPeriods >= rules.slowPeriods;
  if (opens) open(rules, state, nowMs);
}
