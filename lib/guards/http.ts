// Guards around a handler of HTTP requests.
import { invalidArgType } from '../errors.js';
import type { HttpRequest, HttpResponse } from '../http/index.js';
import { checkOptions, optionNames } from '../option_names.js';
import { GuardChain, type GuardCounts, type Refusal } from './chain.js';
import { loopDelayMs } from './delay.js';
import { checkGuards, GUARD_NAMES, type GuardOptions } from './options.js';

export type GuardedHandler = ((request: HttpRequest, response: HttpResponse) => unknown) & {
  /** What the guards have seen. */
  readonly counts: GuardCounts;
};

export interface HttpGuardOptions extends GuardOptions<HttpRequest> {
  /**
   * Answers what a guard refuses, in the place of 429 and 503. Retry-After is set already.
   */
  fallback?(request: HttpRequest, response: HttpResponse, by: Refusal): unknown;
}

const OPTIONS = optionNames<HttpGuardOptions>('guard()', { ...GUARD_NAMES, fallback: true });

const addressOf = (request: HttpRequest) => request.remoteAddress ?? '';
const FAILED_FROM = 500;

/**
 * A handler that is asked only for what the guards let through, in this order: overload (503),
 * rate (429), concurrency (503), priority (503), bulkhead (503), breaker (503), each with
 * Retry-After. A guard that is left out has its defaults; false leaves it away.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function guard(
  handler: (request: HttpRequest, response: HttpResponse) => unknown,
  options: HttpGuardOptions = {},
): GuardedHandler {
  if (typeof handler !== 'function') throw invalidArgType('handler', 'a function', handler);
  checkOptions(OPTIONS, options);
  const { fallback, ...rest } = options;
  if (fallback !== undefined && typeof fallback !== 'function') {
    throw invalidArgType('options.fallback', 'a function', fallback);
  }
  const checked = checkGuards<HttpRequest>(rest);
  const { now, arrived } = checked;
  const hasClock = options.now !== undefined;
  const chain = new GuardChain(checked, addressOf, loopDelayMs);
  const failed = (response: HttpResponse) => response._status >= FAILED_FROM;
  const serveAdmitted = (request: HttpRequest, response: HttpResponse, startedMs: number) => {
    const { held } = chain;
    let answered = false;
    try {
      const result = handler(request, response);
      answered = response.ended;
      return result;
    } finally {
      // Most handlers have answered when they return: then nobody need be told later.
      if (answered && !hasClock && !failed(response)) chain.leaveTogether(held, startedMs);
      else if (answered) chain.leave(held, startedMs, now(), failed(response));
      else response._whenDone(() => chain.leave(held, startedMs, now(), failed(response)));
    }
  };
  const guarded = (request: HttpRequest, response: HttpResponse): unknown => {
    const startedMs = arrived();
    const refused = chain.enter(request, startedMs);
    if (refused !== undefined) {
      response.header('Retry-After', Math.max(1, Math.ceil(refused.retryMs / 1000)));
      if (fallback !== undefined) return fallback(request, response, refused.by);
      response.status(refused.by === 'rate' ? 429 : 503).header('Content-Type', 'text/plain');
      response.end(refused.by === 'rate' ? 'Too Many Requests\n' : 'Service Unavailable\n');
      return undefined;
    }
    return serveAdmitted(request, response, startedMs);
  };
  return Object.defineProperty(guarded, 'counts', { get: () => chain.counts }) as GuardedHandler;
}
