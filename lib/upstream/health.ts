// What a series of active checks says of a target: pure functions.

export interface HealthRules {
  /** Good checks in a row until it counts as healthy. */
  readonly healthy: number;
  /** Bad checks in a row until it does not. */
  readonly unhealthy: number;
}

export interface HealthState {
  readonly up: boolean;
  /** Checks in a row that speak against `up`. */
  readonly against: number;
}

export const HEALTHY: HealthState = { up: true, against: 0 };

export function healthAfter(rules: HealthRules, state: HealthState, good: boolean): HealthState {
  if (good === state.up) return state.against === 0 ? state : { up: state.up, against: 0 };
  const against = state.against + 1;
  const needed = state.up ? rules.unhealthy : rules.healthy;
  return against >= needed ? { up: !state.up, against: 0 } : { up: state.up, against };
}
