// ringpoll/guards: a server that stays up when its clients, or what is behind it, do not.
export type { GuardCounts, Refusal } from './chain.js';
export { ConnectionGuard, type Guardable } from './connections.js';
export { type GuardedHandler, guard, type HttpGuardOptions } from './http.js';
export type {
  BreakerOptions,
  BulkheadOptions,
  ConcurrencyOptions,
  GuardOptions,
  OverloadOptions,
  RateOptions,
} from './options.js';
export { defaultRules } from './options.js';
export {
  type GuardRule,
  prometheusRules,
  type RuleAction,
  type RuleMetric,
} from './rules.js';
export type { Priority } from './shedding.js';
