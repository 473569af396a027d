// Options of proxy(), checked once for each object of them.
import { boolean, integer, milliseconds, within } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { HttpRequest } from '../http/request.js';
import { checkOptions, optionNames } from '../option_names.js';
import { Canary } from './canary.js';
import type { Difference } from './comparison.js';
import { FORWARDED_STYLES, type ForwardedStyle } from './forwarded.js';
import { Upstream } from './upstream.js';

export interface RetryOptions {
  /** Targets that are tried, 1 to 10. Default: 2. */
  attempts?: number;
  /** Statuses from 500 to 599 of which another target may know better. Default: none. */
  statuses?: readonly number[];
}

export interface MirrorOptions {
  upstream: Upstream;
  /** Share of the requests without a body, 0 to 1. Default: 1. */
  share?: number;
  /** Compares the answers, and is told of those that differ in status, content-type or body. */
  differs?(difference: Difference): unknown;
}

export interface ProxyOptions {
  /** False: one target is tried. Default: 2 targets, when the request can be sent twice. */
  retry?: boolean | RetryOptions;
  /** Milliseconds for the head of the answer. Default: the upstream's headTimeout. */
  timeout?: number;
  /**
   * Milliseconds for which no byte moves on a connection that was upgraded, until it is closed; 0:
   * no limit. Default: 600,000.
   */
  tunnelTimeout?: number;
  /**
   * Milliseconds for which no byte of the answer comes after the client has ended its side, until
   * it counts as gone; 0: at once. Default: 1,000.
   */
  halfCloseTimeout?: number;
  /** Also sends a share of the requests elsewhere, and drops the answers. */
  mirror?: MirrorOptions;
  /** A release that gets a share of the requests. */
  canary?: Canary;
  /** What the target is told of the client. Default: 'both'. */
  forwarded?: ForwardedStyle;
  /** The peer is a proxy of ours: what it says of the client is passed on. Default: false. */
  trustForwarded?: boolean;
  /** What Host says. Default: what the client has sent. */
  host?: string;
  /** What stays with one target, for ip-hash. Default: the address of the client. */
  key?(request: HttpRequest): string;
}

const TUNNEL_MS = 600_000;
const HALF_CLOSE_MS = 1_000;

const OPTIONS = optionNames<ProxyOptions>('proxy()', {
  retry: true,
  timeout: true,
  tunnelTimeout: true,
  halfCloseTimeout: true,
  mirror: true,
  canary: true,
  forwarded: true,
  trustForwarded: true,
  host: true,
  key: true,
});
const RETRY = optionNames<RetryOptions>('retry', { attempts: true, statuses: true });
const MIRROR = optionNames<MirrorOptions>('mirror', {
  ...{ upstream: true, share: true, differs: true },
});

export interface CheckedMirror {
  readonly upstream: Upstream;
  readonly share: number;
  readonly differs: ((difference: Difference) => unknown) | undefined;
}

export interface CheckedProxy {
  readonly attempts: number;
  readonly retryOn: readonly number[];
  readonly timeoutMs: number | undefined;
  readonly tunnelMs: number;
  readonly halfCloseMs: number;
  readonly mirror: CheckedMirror | undefined;
  readonly canary: Canary | undefined;
  readonly forwarded: ForwardedStyle;
  readonly trustForwarded: boolean;
  readonly host: string | undefined;
  readonly key: ((request: HttpRequest) => string) | undefined;
}

/**
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 */
export function checkProxy(options: ProxyOptions): CheckedProxy {
  checkOptions(OPTIONS, options);
  const { retry = true, timeout, mirror, canary, forwarded = 'both', host, key } = options;
  if (!FORWARDED_STYLES.includes(forwarded)) {
    throw invalidArgValue('options.forwarded', `one of ${FORWARDED_STYLES.join(', ')}`, forwarded);
  }
  if (host !== undefined && (typeof host !== 'string' || !/^[\w.~:[\]-]+$/.test(host))) {
    throw invalidArgType('options.host', 'host or host:port', host);
  }
  if (key !== undefined && typeof key !== 'function') {
    throw invalidArgType('options.key', 'a function', key);
  }
  if (canary !== undefined && !(canary instanceof Canary)) {
    throw invalidArgType('options.canary', 'a Canary', canary);
  }
  return {
    ...checkRetry(retry),
    timeoutMs: timeout === undefined ? undefined : milliseconds('options.timeout', timeout, 0),
    tunnelMs: milliseconds('options.tunnelTimeout', options.tunnelTimeout, TUNNEL_MS),
    halfCloseMs: milliseconds('options.halfCloseTimeout', options.halfCloseTimeout, HALF_CLOSE_MS),
    mirror: mirror === undefined ? undefined : checkMirror(mirror),
    canary,
    forwarded,
    trustForwarded: boolean('options.trustForwarded', options.trustForwarded, false),
    host,
    key,
  };
}

function checkRetry(retry: boolean | RetryOptions): {
  attempts: number;
  retryOn: readonly number[];
} {
  if (typeof retry === 'boolean') return { attempts: retry ? 2 : 1, retryOn: [] };
  checkOptions(RETRY, retry, 'options.retry');
  const { statuses = [] } = retry;
  if (!Array.isArray(statuses)) {
    throw invalidArgType('options.retry.statuses', 'an array', statuses);
  }
  const retryOn = statuses.map((status) => integer('options.retry.statuses', status, 500, 599, 0));
  return { attempts: integer('options.retry.attempts', retry.attempts, 1, 10, 2), retryOn };
}

function checkMirror(mirror: MirrorOptions): CheckedMirror {
  checkOptions(MIRROR, mirror, 'options.mirror');
  if (!(mirror.upstream instanceof Upstream)) {
    throw invalidArgType('options.mirror.upstream', 'an Upstream', mirror.upstream);
  }
  const { upstream, differs } = mirror;
  if (differs !== undefined && typeof differs !== 'function') {
    throw invalidArgType('options.mirror.differs', 'a function', differs);
  }
  return { upstream, share: within('options.mirror.share', mirror.share, 0, 1, 1), differs };
}
