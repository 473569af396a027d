// A breaker: when too much fails or is too slow, it asks nothing more of who cannot, for a while;
// then a few probes find out. Pure functions of a state.
//
//   closed --the rules say so--> open --openMs--> half-open --probes are good--> closed
//                                 ^                  |
//                                 +--- one is bad ---+

export type BreakerPhase = 'closed' | 'open' | 'half-open';

export interface BreakerRules {
  /** Failures in a row that open it at once. */
  readonly consecutive: number;
  readonly openMs: number;
  /** Good probes in a row until it closes; so many are let through at a time. */
  readonly probes: number;
}

export interface BreakerState {
  phase: BreakerPhase;
  untilMs: number;
  consecutive: number;
  probesOut: number;
  probesGood: number;
}

export function closedBreaker(): BreakerState {
  return {
    phase: 'closed',
    untilMs: 0,
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

/** A rule holds. */
export function trip(rules: BreakerRules, state: BreakerState, nowMs: number): void {
  if (state.phase === 'closed') open(rules, state, nowMs);
}
