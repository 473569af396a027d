// Options of the scheduler: defaults, and the check of each at the door.
import { renamedOption } from '../deprecation.js';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import { type Clock, systemClock } from './clock.js';
import type { Fairness } from './ready_queue.js';
import { CLASS_INDEX, CLASS_NAMES } from './task.js';
import type { DebugOptions, SchedulerOptions, TaskClass, TaskOptions } from './types.js';

/** HybridScheduler has one more. */
export const SCHEDULER: NamesOf<SchedulerOptions> = {
  weights: true,
  quantum: true,
  decay: true,
  floor: true,
  starveAfter: true,
  boost: true,
  slice: true,
  check: true,
  turn: true,
  debug: true,
  captureSites: true,
  trace: true,
  traceTo: true,
  clock: true,
  random: true,
};
const TASK_OPTIONS = optionNames<TaskOptions>(
  'run() and spawn()',
  { class: true, key: true, timeout: true, deadline: true, signal: true, name: true },
  { priority: 'class' },
  { deadline: 'timeout' },
);
const DEBUG_OPTIONS = optionNames<DebugOptions>('debug', {
  stall: true,
  leak: true,
  interval: true,
});

const WEIGHTS: Readonly<Record<TaskClass, number>> = { connection: 4, request: 2, business: 1 };
const FAIRNESS = { quantum: 1, decay: 0.95, floor: 0.25, starveAfter: 3, boost: 3 };
const DEBUG: Required<DebugOptions> = { stall: 2000, leak: 60_000, interval: 500 };
const SLICE_MS = 50;
const CHECK_MS = 10;
const TURN_MS = 10;

export interface ResolvedOptions {
  weights: readonly number[];
  fairness: Fairness;
  slice: number;
  check: number;
  turn: number;
  debug: Required<DebugOptions> | null;
  captureSites: boolean;
  trace: number;
  traceTo: (line: string) => void;
  clock: Clock;
  random: () => number;
}

/** Checks that `value` is a number within the bounds and returns it. */
export function numberIn(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!(value >= min && value <= max)) throw outOfRange(name, `${min} to ${max}`, value);
  return value;
}

export function integerIn(name: string, value: unknown, min: number, max: number): number {
  const checked = numberIn(name, value, min, max);
  if (!Number.isInteger(checked) && checked !== Number.POSITIVE_INFINITY) {
    throw outOfRange(name, 'an integer', value);
  }
  return checked;
}

/** The same, without 0. */
export function above0(name: string, value: unknown, max = Number.MAX_VALUE): number {
  const checked = numberIn(name, value, 0, max);
  if (checked === 0) throw outOfRange(name, 'above 0', value);
  return checked;
}

function fairnessOf(options: SchedulerOptions, slice: number): Fairness {
  return {
    roundMs: slice,
    quantum: above0('options.quantum', options.quantum ?? FAIRNESS.quantum),
    decay: above0('options.decay', options.decay ?? FAIRNESS.decay, 1),
    floor: above0('options.floor', options.floor ?? FAIRNESS.floor, 1),
    starveAfter: integerIn(
      'options.starveAfter',
      options.starveAfter ?? FAIRNESS.starveAfter,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    boost: numberIn('options.boost', options.boost ?? FAIRNESS.boost, 1, Number.MAX_VALUE),
  };
}

function debugOf(debug: SchedulerOptions['debug']): Required<DebugOptions> | null {
  const given = debug ?? process.env.RINGPOLL_CHECK === '1';
  if (given === false) return null;
  if (given === true) return DEBUG;
  if (typeof given !== 'object' || given === null) {
    throw invalidArgType('options.debug', 'a boolean or an object', given);
  }
  checkOptions(DEBUG_OPTIONS, given, 'options.debug');
  return {
    stall: above0('options.debug.stall', given.stall ?? DEBUG.stall),
    leak: above0('options.debug.leak', given.leak ?? DEBUG.leak),
    interval: above0('options.debug.interval', given.interval ?? DEBUG.interval),
  };
}

function traceOf(trace: number | undefined): number {
  if (trace !== undefined) return numberIn('options.trace', trace, 0, Number.MAX_VALUE);
  const fromEnvironment = Number(process.env.RINGPOLL_SCHEDTRACE ?? 0);
  return fromEnvironment > 0 ? fromEnvironment : 0;
}

export function checkRandom(random: (() => number) | undefined): (() => number) | undefined {
  if (random === undefined || typeof random === 'function') return random;
  throw invalidArgType('options.random', 'a function', random);
}

export function resolveOptions(options: SchedulerOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgType('options', 'an object', options);
  }
  const weights = { ...WEIGHTS, ...options.weights };
  for (const name of Object.keys(weights)) {
    if (!Object.hasOwn(CLASS_INDEX, name)) {
      throw invalidArgValue('options.weights', CLASS_NAMES.join(', '), name);
    }
  }
  const slice = above0('options.slice', options.slice ?? SLICE_MS);
  return {
    weights: CLASS_NAMES.map((name) => above0(`options.weights.${name}`, weights[name])),
    fairness: fairnessOf(options, slice),
    slice,
    check: above0('options.check', options.check ?? CHECK_MS),
    turn: above0('options.turn', options.turn ?? TURN_MS),
    debug: debugOf(options.debug),
    captureSites: options.captureSites ?? false,
    trace: traceOf(options.trace),
    traceTo: options.traceTo ?? ((line) => void process.stderr.write(`${line}\n`)),
    clock: options.clock ?? systemClock,
    random: checkRandom(options.random) ?? Math.random,
  };
}

/** Milliseconds that a task, a handler or a job may take; `deadline` is the old name of it. */
export function timeoutOf(
  of: string,
  options: { timeout?: number; deadline?: number },
): number | undefined {
  return renamedOption(of, options, 'timeout', 'deadline');
}

/** Checks what `run()` was given besides the task; returns the index of the class. */
export function checkTaskOptions(options: TaskOptions): number {
  checkOptions(TASK_OPTIONS, options);
  const { class: className = 'business', signal, name } = options;
  if (!Object.hasOwn(CLASS_INDEX, className)) {
    throw invalidArgValue('options.class', CLASS_NAMES.join(', '), className);
  }
  const timeout = timeoutOf('run() and spawn()', options);
  if (timeout !== undefined) above0('options.timeout', timeout);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  if (name !== undefined && typeof name !== 'string') {
    throw invalidArgType('options.name', 'a string', name);
  }
  return CLASS_INDEX[className];
}
