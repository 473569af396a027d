// When a client connects again, and how long it waits before it does.
import { integer, milliseconds, within } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';

export interface ReconnectOptions {
  /** Milliseconds before the first attempt, 1 or more. Default: 1,000. */
  minDelay?: number;
  /** Milliseconds that no attempt waits longer than. Default: 30,000. */
  maxDelay?: number;
  /** What the delay is multiplied by after each attempt that failed, 1 to 10. Default: 2. */
  factor?: number;
  /**
   * The share of the delay that is left to chance, 0 to 1, so that many clients do not come back
   * in the same moment. Default: 0.5: an attempt waits between half of the delay and all of it.
   */
  jitter?: number;
  /** Attempts in a row that may fail; then the client is over. Default: no limit. */
  attempts?: number;
  /**
   * Whether to connect again after a close with this code. By default all but 1000, 1002, 1003,
   * 1007, 1008, 1009, 1010 and 3000 to 4999: after those another attempt would end as this one.
   */
  when?: (code: number) => boolean;
}

export interface Reconnection {
  minDelay: number;
  maxDelay: number;
  factor: number;
  jitter: number;
  attempts: number;
  when: (code: number) => boolean;
}

const OPTIONS = optionNames<ReconnectOptions>('reconnect', {
  minDelay: true,
  maxDelay: true,
  factor: true,
  jitter: true,
  attempts: true,
  when: true,
});

const MIN_DELAY_MS = 1000;
const MAX_DELAY_MS = 30_000;
const FACTOR_MAX = 10;
const ATTEMPTS_MAX = 2 ** 31 - 1;
/** Normal closure, and what says that this client or its messages are wrong. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010]);

function goesOn(code: number): boolean {
  return code < 3000 && !FINAL_CODES.has(code);
}

/** Undefined: never. */
export function checkReconnect(value: unknown): Reconnection | undefined {
  if (value === undefined || value === false) return undefined;
  const given: ReconnectOptions = value === true ? {} : (value as ReconnectOptions);
  if (typeof given !== 'object' || given === null) {
    throw invalidArgType('options.reconnect', 'a boolean or an object', value);
  }
  checkOptions(OPTIONS, given, 'options.reconnect');
  const name = (option: keyof ReconnectOptions) => `options.reconnect.${option}`;
  const minDelay = Math.max(1, milliseconds(name('minDelay'), given.minDelay, MIN_DELAY_MS));
  const { when } = given;
  if (when !== undefined && typeof when !== 'function') {
    throw invalidArgType(name('when'), 'a function', when);
  }
  return {
    minDelay,
    maxDelay: Math.max(minDelay, milliseconds(name('maxDelay'), given.maxDelay, MAX_DELAY_MS)),
    factor: within(name('factor'), given.factor, 1, FACTOR_MAX, 2),
    jitter: within(name('jitter'), given.jitter, 0, 1, 0.5),
    attempts: integer(name('attempts'), given.attempts, 1, ATTEMPTS_MAX, ATTEMPTS_MAX),
    when: when ?? goesOn,
  };
}

/** Milliseconds before the next attempt, after `failed` of them in a row. `random` is in [0, 1). */
export function delayBefore(
  { minDelay, maxDelay, factor, jitter }: Reconnection,
  failed: number,
  random: number,
): number {
  const whole = Math.min(maxDelay, minDelay * factor ** failed);
  return Math.ceil(whole * (1 - jitter * random));
}
