// What is left of a request's time: said by the client, or by the server, and answered by 504.
import { milliseconds } from '../checks.js';
import { invalidArgType, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { findHeader } from './head.js';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';

export interface DeadlineOptions {
  /** Milliseconds for requests that do not say how long they have. Default: 0, no limit. */
  timeout?: number;
  /** The most that a request may say, in milliseconds; 0: no limit. Default: 300,000. */
  max?: number;
}

/** Answers, like a Handler, and may look at what is left. undefined: there is no limit. */
export type DeadlineHandler = (
  request: HttpRequest,
  response: HttpResponse,
  deadline: Deadline | undefined,
) => unknown;

const OPTIONS = optionNames<DeadlineOptions>('withDeadline()', { timeout: true, max: true });
const MAX_MS = 300_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Fields by which clients say how long they wait. */
export const DEADLINE_FIELDS = ['x-timeout-ms', 'x-request-timeout', 'grpc-timeout'] as const;
const MILLISECONDS = /^\d{1,10}$/;
/** Of gRPC: at most eight digits, and a unit. */
const GRPC = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  ...{ H: 3_600_000, M: 60_000, S: 1000 },
  ...{ m: 1, u: 1e-3, n: 1e-6 },
};

/** When a request must be answered. */
export class Deadline {
  readonly #atMs: number;
  readonly #request: HttpRequest;
  #control: AbortController | undefined;
  #passed: RingpollError | undefined;

  /** @internal */
  constructor(request: HttpRequest, ms: number) {
    this.#atMs = performance.now() + ms;
    this.#request = request;
  }

  /** Milliseconds that are left; 0 when it has passed. */
  get remaining(): number {
    return Math.max(0, this.#atMs - performance.now());
  }

  /**
   * Aborts when the deadline passes, with ERR_RINGPOLL_DEADLINE, or when the client leaves. For
   * what a handler waits for. Without withDeadline() only the client's leaving aborts it.
   */
  get signal(): AbortSignal {
    if (this.#control === undefined) {
      const control = new AbortController();
      this.#control = control;
      const { signal } = this.#request;
      const left = () => control.abort(signal.reason);
      if (this.#passed !== undefined) control.abort(this.#passed);
      else if (signal.aborted) left();
      else signal.addEventListener('abort', left, { once: true });
    }
    return this.#control.signal;
  }

  /** @internal */
  get _over(): boolean {
    return this.#passed !== undefined;
  }

  /** @internal */
  _pass(): void {
    this.#passed = new RingpollError('ERR_RINGPOLL_DEADLINE', 'The deadline of a request is over');
    this.#control?.abort(this.#passed);
  }
}

const known = new WeakMap<HttpRequest, Deadline>();

/** What a request says itself, in milliseconds: the least of it. Infinity: nothing that counts. */
export function saidTimeout(request: HttpRequest): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const name of DEADLINE_FIELDS) {
    const said = findHeader(request, name);
    if (said === undefined) continue;
    if (name !== 'grpc-timeout') {
      if (MILLISECONDS.test(said)) leastMs = Math.min(leastMs, Number(said));
      continue;
    }
    const [, digits, unit] = GRPC.exec(said) ?? [];
    if (unit !== undefined) leastMs = Math.min(leastMs, Number(digits) * UNIT_MS[unit]);
  }
  return leastMs;
}

/**
 * The deadline of a request: that of withDeadline(), or what the request says, counted from the
 * first call on. undefined: it has none.
 */
export function deadlineOf(request: HttpRequest): Deadline | undefined {
  const before = known.get(request);
  if (before !== undefined) return before;
  return begin(request, saidTimeout(request));
}

function begin(request: HttpRequest, ms: number): Deadline | undefined {
  if (ms === Number.POSITIVE_INFINITY) return undefined;
  const deadline = new Deadline(request, ms);
  known.set(request, deadline);
  return deadline;
}

/**
 * A handler whose requests have a deadline: what X-Timeout-Ms, X-Request-Timeout (milliseconds) or
 * grpc-timeout say, at most `max`, or else `timeout`. When it passes, the deadline's signal aborts
 * and the client gets 504; a body that has begun breaks off. What the handler answers later goes
 * nowhere: header(), write(), end() and the like do nothing. proxy() tells targets what is left.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function withDeadline(
  handler: DeadlineHandler,
  options: DeadlineOptions = {},
): (request: HttpRequest, response: HttpResponse) => unknown {
  if (typeof handler !== 'function') throw invalidArgType('handler', 'a function', handler);
  checkOptions(OPTIONS, options);
  const usualMs = milliseconds('options.timeout', options.timeout, 0) || Number.POSITIVE_INFINITY;
  const mostMs = milliseconds('options.max', options.max, MAX_MS) || Number.POSITIVE_INFINITY;
  return (request, response) => {
    const saidMs = saidTimeout(request);
    const ms = saidMs === Number.POSITIVE_INFINITY ? usualMs : Math.min(saidMs, mostMs);
    const deadline = begin(request, ms);
    if (deadline === undefined) return handler(request, response, undefined);
    watch(deadline, response);
    const result = handler(request, response, deadline);
    if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return result;
    return Promise.resolve(result).then(undefined, (error: unknown) => {
      // The client has its answer: what its signal brought about is no error of the handler.
      if (!deadline._over) throw error;
    });
  };
}

/** Answers when the deadline passes, unless the response is over before. */
function watch(deadline: Deadline, response: HttpResponse): void {
  const pass = () => {
    deadline._pass();
    if (response.ended) return;
    if (!response._replace(504, 'Gateway Timeout', false)) response._outlet.breakOff(response);
    response._tooLate();
  };
  const timer = setTimeout(pass, Math.min(deadline.remaining, TIMER_MS_MAX));
  response._whenDone(() => clearTimeout(timer));
}
