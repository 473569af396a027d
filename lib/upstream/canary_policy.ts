// Whether a release may get more requests: pure functions of what it and the one before it
// answered.
//
//   5 % for 30 s --> 50 % for 60 s --> all (done)
//        \               \--- it fails more often, or is slower ---> none (rolled back)

export interface CanaryStep {
  /** Share of the requests, over 0 and at most 1. */
  readonly share: number;
  /** Milliseconds. */
  readonly time: number;
}

export interface CanaryRules {
  readonly steps: readonly CanaryStep[];
  /** By how much its share of failures may be over that of the others. */
  readonly maxFailedShare: number;
  /** How many times as long its 95th percentile may be; that many times 10 ms always may. */
  readonly maxSlower: number;
  /** Failures in a row that end it at once. */
  readonly consecutive: number;
  /** Answers in a step below which it says nothing, and the step goes on. */
  readonly answersMin: number;
}

export interface CanaryState {
  readonly phase: 'stepping' | 'done' | 'rolled-back';
  /** Of `steps`. */
  readonly step: number;
  readonly sinceMs: number;
}

/** What was seen in a step. */
export interface Seen {
  readonly answers: number;
  readonly failures: number;
  /** In a row, until now. */
  readonly consecutive: number;
  readonly p95Ms: number;
}

/** Below this nobody is slow: a few milliseconds are chance. */
const FAST_MS = 10;

/** Why the release has to go back; undefined: nothing speaks against it. */
export function faultOf(rules: CanaryRules, candidate: Seen, stable: Seen): string | undefined {
  if (candidate.consecutive >= rules.consecutive) {
    return `${candidate.consecutive} failures in a row`;
  }
  if (candidate.answers < rules.answersMin) return undefined;
  const failed = candidate.failures / candidate.answers;
  const usual = stable.answers === 0 ? 0 : stable.failures / stable.answers;
  if (failed > usual + rules.maxFailedShare) {
    return `${percent(failed)} fail, ${percent(usual)} of the others`;
  }
  if (stable.answers < rules.answersMin) return undefined;
  const limitMs = rules.maxSlower * Math.max(stable.p95Ms, FAST_MS);
  if (candidate.p95Ms <= limitMs) return undefined;
  const [slow, others] = [candidate.p95Ms, stable.p95Ms].map((ms) => ms.toFixed(1));
  return `the 95th percentile is ${slow} ms, ${others} ms of the others`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The share of the requests that the release gets. */
export function shareOf({ steps }: CanaryRules, { phase, step }: CanaryState): number {
  if (phase === 'rolled-back') return 0;
  return phase === 'done' ? 1 : steps[step].share;
}

/** The state when a step has had its time, and enough answers. */
export function stepAfter(
  rules: CanaryRules,
  state: CanaryState,
  nowMs: number,
  answers: number,
): CanaryState {
  if (state.phase !== 'stepping') return state;
  const { time } = rules.steps[state.step];
  if (nowMs - state.sinceMs < time || answers < rules.answersMin) return state;
  if (state.step + 1 < rules.steps.length) {
    return { phase: 'stepping', step: state.step + 1, sinceMs: nowMs };
  }
  return { phase: 'done', step: state.step, sinceMs: nowMs };
}
