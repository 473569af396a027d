// Options of a lifecycle, its functions and its servers, checked.
import { INT32_MAX, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Clock, systemClock } from '../scheduler/clock.js';
import { PHASES, type Phase, type ShutdownFailure } from './phases.js';

export interface LifecycleOptions {
  /**
   * Milliseconds that a function of a phase may take when it does not say so itself. Default:
   * 5,000 for accept, 10,000 for drain, 5,000 for release.
   */
  timeouts?: { accept?: number; drain?: number; release?: number };
  /**
   * Signals that begin the shutdown, and end the process after it. They are listened to while
   * anything is registered. Default: SIGTERM and SIGINT.
   */
  signals?: readonly NodeJS.Signals[];
  /** Told of each function that failed. Default: a process warning. */
  error?(failure: ShutdownFailure): void;
  /** Called when a shutdown by a signal is over. Default: process.exit. */
  exit?(code: number): void;
  /** Default: the system's. */
  clock?: Clock;
}

export interface OnShutdownOptions {
  /** Milliseconds that the function may take. Default: the one of its phase. */
  timeout?: number;
  /** What reports call it. Default: the function's own name. */
  name?: string;
}

export interface ShutdownWithOptions {
  /**
   * Milliseconds for which the server accepts connections after readiness is gone, so that load
   * balancers have time to notice. Default: 0.
   */
  delay?: number;
  /** Milliseconds for what is under way; then it is reset. Default: the timeout of `drain`. */
  timeout?: number;
  /** What reports call it. Default: the name of its class. */
  name?: string;
}

export interface ShutdownOptions {
  /** Why, for functions and the report. Default: 'shutdown'. */
  reason?: string;
  /** Waits for nothing: all functions are called, with a signal that is aborted. Default: false. */
  force?: boolean;
}

const LIFECYCLE = optionNames<LifecycleOptions>('Lifecycle', {
  timeouts: true,
  signals: true,
  error: true,
  exit: true,
  clock: true,
});
const TIMEOUTS = optionNames<NonNullable<LifecycleOptions['timeouts']>>('timeouts', {
  accept: true,
  drain: true,
  release: true,
});
const ON_SHUTDOWN = optionNames<OnShutdownOptions>('onShutdown()', { timeout: true, name: true });
const SHUTDOWN_WITH = optionNames<ShutdownWithOptions>('shutdownWith()', {
  delay: true,
  timeout: true,
  name: true,
});
const SHUTDOWN = optionNames<ShutdownOptions>('shutdown()', { reason: true, force: true });

const TIMEOUT_MS: Readonly<Record<Phase, number>> = { accept: 5000, drain: 10_000, release: 5000 };
const SIGNAL_NAME = /^SIG[A-Z0-9]+$/;
// No process can listen to these.
const UNCATCHABLE = ['SIGKILL', 'SIGSTOP'];

export interface CheckedLifecycle {
  timeouts: Readonly<Record<Phase, number>>;
  signals: readonly NodeJS.Signals[];
  error: ((failure: ShutdownFailure) => void) | undefined;
  exit: (code: number) => void;
  clock: Clock;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkLifecycle(options: LifecycleOptions): CheckedLifecycle {
  checkOptions(LIFECYCLE, options);
  const { timeouts = {}, signals = ['SIGTERM', 'SIGINT'], clock = systemClock } = options;
  checkOptions(TIMEOUTS, timeouts, 'options.timeouts');
  for (const name of ['error', 'exit'] as const) {
    const value: unknown = options[name];
    if (value !== undefined) checkFunction(`options.${name}`, value);
  }
  if (!Array.isArray(signals)) throw invalidArgType('options.signals', 'an array', signals);
  for (const name of signals as unknown[]) {
    if (typeof name !== 'string' || !SIGNAL_NAME.test(name) || UNCATCHABLE.includes(name)) {
      throw invalidArgValue('options.signals', 'made of names of signals, such as SIGHUP', name);
    }
  }
  if (typeof clock?.setTimer !== 'function') {
    throw invalidArgType('options.clock', 'a Clock', clock);
  }
  const timeout = (phase: Phase) =>
    milliseconds(`options.timeouts.${phase}`, timeouts[phase], TIMEOUT_MS[phase]);
  return {
    timeouts: {
      accept: timeout('accept'),
      drain: timeout('drain'),
      release: timeout('release'),
    },
    signals,
    error: options.error,
    exit: options.exit ?? ((code) => process.exit(code)),
    clock,
  };
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidArgType(name, 'a function', value);
}

export function checkPhase(phase: unknown): asserts phase is Phase {
  if (!(PHASES as readonly unknown[]).includes(phase)) {
    throw invalidArgValue('phase', "'accept', 'drain' or 'release'", phase);
  }
}

function checkName(name: unknown): void {
  if (name !== undefined && typeof name !== 'string') {
    throw invalidArgType('options.name', 'a string', name);
  }
}

export function checkOnShutdown(options: OnShutdownOptions, timeoutMs: number): number {
  checkOptions(ON_SHUTDOWN, options);
  checkName(options.name);
  return milliseconds('options.timeout', options.timeout, timeoutMs);
}

export function checkShutdownWith(options: ShutdownWithOptions, timeoutMs: number) {
  checkOptions(SHUTDOWN_WITH, options);
  checkName(options.name);
  return {
    delayMs: milliseconds('options.delay', options.delay, 0),
    timeoutMs: milliseconds('options.timeout', options.timeout, timeoutMs),
  };
}

export function checkShutdown(options: ShutdownOptions): Required<ShutdownOptions> {
  checkOptions(SHUTDOWN, options);
  const { reason = 'shutdown', force = false } = options;
  if (typeof reason !== 'string') throw invalidArgType('options.reason', 'a string', reason);
  if (typeof force !== 'boolean') throw invalidArgType('options.force', 'a boolean', force);
  return { reason, force };
}

/** A sum of two durations that a timer can still hold. */
export const sumOfMs = (a: number, b: number): number => Math.min(a + b, INT32_MAX);
