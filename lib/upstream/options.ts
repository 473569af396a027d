// Options of an upstream, checked.
import { integer, milliseconds, within } from '../checks.js';
import {
  type CheckedClient,
  CLIENT_NAMES,
  type ClientOptions,
  checkClient,
} from '../client/settings.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { BALANCES, type Balance } from './balance.js';
import { type Discovery, staticDiscovery, type TargetSpec } from './discovery.js';
import type { HealthRules } from './health.js';
import type { OutlierRules } from './outlier.js';

export interface OutlierOptions {
  /** Answers 5xx, or none, in a row. 0: none is ejected. Default: 5. */
  consecutive5xx?: number;
  /** Milliseconds for which a target is good until an ejection is forgotten. Default: 30,000. */
  interval?: number;
  /** Milliseconds of the first ejection; the n-th lasts n times as long. Default: 60,000. */
  ejection?: number;
  /** Share of the targets that may be out at a time, 0 to 1. Default: 0.5. */
  maxEjected?: number;
}

export interface HealthOptions {
  /** What is asked for, with GET; an answer from 200 to 399 is good. */
  path: string;
  /** Milliseconds between two checks. Default: 10,000. */
  interval?: number;
  /** Milliseconds for the answer. Default: 2,000. */
  timeout?: number;
  /** Good checks in a row until a target is used again. Default: 2. */
  healthy?: number;
  /** Bad checks in a row until it is not. Default: 3. */
  unhealthy?: number;
}

type Passed = Omit<
  ClientOptions,
  'socketPath' | 'proxy' | 'maxPending' | 'maxRequestsPerConnection' | 'timeout' | 'pipelining'
>;

export interface UpstreamOptions extends Passed {
  /** URLs of origins, or objects with `url` and `weight`; or what finds them. */
  targets: readonly (string | TargetSpec)[] | Discovery;
  /** Default: 'round-robin'. */
  balance?: Balance;
  /** To one target. Default: 1,024. */
  maxConnections?: number;
  /** See ClientOptions. Default: 100. */
  maxRequestsPerConnection?: number;
  /** Requests that wait for a connection to one target; more get 503. Default: 200. */
  maxPending?: number;
  outlier?: OutlierOptions;
  /** Active checks. Default: none. */
  health?: HealthOptions;
  /** Milliseconds in which a target that joins, or comes back, gets its share. Default: 0. */
  slowStart?: number;
  /** A discovery could not find out. Default: a warning of the process. */
  error?(error: Error): unknown;
  /** At least 0, below 1. Default: Math.random. */
  random?(): number;
  /** Milliseconds, monotonic. Default: performance.now. */
  now?(): number;
}

const OUTLIER = optionNames<OutlierOptions>('outlier', {
  consecutive5xx: true,
  interval: true,
  ejection: true,
  maxEjected: true,
});
const HEALTH = optionNames<HealthOptions>('health', {
  path: true,
  interval: true,
  timeout: true,
  healthy: true,
  unhealthy: true,
});
/** Names of its own; all others are the client's. */
const OWN = {
  targets: true,
  balance: true,
  outlier: true,
  health: true,
  slowStart: true,
  error: true,
  random: true,
  now: true,
} as const;
const {
  socketPath: _path,
  proxy: _proxy,
  timeout: _timeout,
  pipelining: _pipelining,
  ...PASSED
} = CLIENT_NAMES;
const OPTIONS = optionNames<UpstreamOptions>('Upstream', { ...PASSED, ...OWN });

export interface CheckedUpstream {
  discovery: Discovery;
  balance: Balance;
  client: CheckedClient;
  outlier: OutlierRules;
  forgiveMs: number;
  health: (HealthRules & { path: string; intervalMs: number; timeoutMs: number }) | undefined;
  slowStartMs: number;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkUpstream(options: UpstreamOptions): CheckedUpstream {
  checkOptions(OPTIONS, options);
  const given: Record<string, unknown> = {
    ...{ maxConnections: 1024, maxRequestsPerConnection: 100, maxPending: 200 },
  };
  for (const [name, value] of Object.entries(options)) {
    if (!(name in OWN) && value !== undefined) given[name] = value;
  }
  const { targets, balance = 'round-robin', outlier = {}, health, slowStart } = options;
  if (!BALANCES.includes(balance)) {
    throw invalidArgValue('options.balance', `one of ${BALANCES.join(', ')}`, balance);
  }
  for (const name of ['error', 'random', 'now'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw invalidArgType(`options.${name}`, 'a function', options[name]);
    }
  }
  checkOptions(OUTLIER, outlier, 'options.outlier');
  return {
    discovery: discoveryOf(targets),
    balance,
    client: checkClient(given as ClientOptions),
    outlier: {
      consecutive5xx: integer('options.outlier.consecutive5xx', outlier.consecutive5xx, 0, 1e6, 5),
      ejectionMs: milliseconds('options.outlier.ejection', outlier.ejection, 60_000),
      maxEjected: within('options.outlier.maxEjected', outlier.maxEjected, 0, 1, 0.5),
    },
    forgiveMs: milliseconds('options.outlier.interval', outlier.interval, 30_000),
    health: health === undefined ? undefined : checkHealth(health),
    slowStartMs: milliseconds('options.slowStart', slowStart, 0),
  };
}

function discoveryOf(targets: unknown): Discovery {
  if (Array.isArray(targets)) {
    if (targets.length === 0) throw invalidArgValue('options.targets', 'not empty', targets);
    return staticDiscovery(targets);
  }
  if (typeof (targets as Partial<Discovery> | undefined)?.watch === 'function') {
    return targets as Discovery;
  }
  throw invalidArgType('options.targets', 'an array or a discovery', targets);
}

function checkHealth(health: HealthOptions): NonNullable<CheckedUpstream['health']> {
  checkOptions(HEALTH, health, 'options.health');
  if (typeof health.path !== 'string' || !/^\/[\x21-\x7e]*$/.test(health.path)) {
    throw invalidArgType('options.health.path', 'a path that begins with /', health.path);
  }
  return {
    path: health.path,
    intervalMs: integer('options.health.interval', health.interval, 1, 2 ** 31 - 1, 10_000),
    timeoutMs: milliseconds('options.health.timeout', health.timeout, 2000),
    healthy: integer('options.health.healthy', health.healthy, 1, 1000, 2),
    unhealthy: integer('options.health.unhealthy', health.unhealthy, 1, 1000, 3),
  };
}
