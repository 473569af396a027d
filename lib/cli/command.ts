// What a command of `ringpoll` is made of.
import type { ParseArgsConfig } from 'node:util';
import { nearestName } from '../option_names.js';
import type { Output } from './output.js';

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export interface Option {
  type: 'string' | 'boolean';
  short?: string;
  /** What stands for the value in the help, for options that take one. */
  value?: string;
  help: string;
  /** It is for ringpoll itself, and left out of the help. */
  hidden?: boolean;
}

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** What follows the name, such as "[DIR]". */
  usage?: string;
  /** How many arguments it needs, and takes, beside its options. Default: 0. */
  operandsMin?: number;
  operandsMax?: number;
  /** Further lines of the help. */
  details?: string;
  /** Command lines, without `ringpoll`. */
  examples: string[];
  options: Record<string, Option>;
  /** Resolves with the exit code. */
  run(values: Values, operands: string[], output: Output): Promise<number>;
}

/** 0: all is well; 1: the work failed, or found a problem; 2: the command was not understood. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** The command line cannot be understood; the message says why. */
export class UsageError extends Error {}

/** The work failed, and the message says all there is to say: no stack is printed for it. */
export class Failure extends Error {}

export function parseConfig(command: Command): ParseArgsConfig['options'] {
  const entries = Object.entries(command.options).map(([name, { type, short }]) => [
    name,
    short === undefined ? { type } : { type, short },
  ]);
  return Object.fromEntries(entries) as ParseArgsConfig['options'];
}

/** A complaint of parseArgs(), and the option that was probably meant. */
export function complaintOf(error: Error, { options }: Command): string {
  const [, name] = /^Unknown option '--([^'=]+)/.exec(error.message) ?? [];
  const meant = name === undefined ? undefined : nearestName(name, Object.keys(options));
  if (name === undefined) return error.message;
  return `Unknown option '--${name}'${meant === undefined ? '' : `: did you mean --${meant}?`}`;
}

/** The value of an option as an integer within bounds. */
export function integerOption(
  values: Values,
  name: string,
  fallback: number,
  [min, max]: readonly [number, number],
): number {
  const text = values[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} takes an integer from ${min} to ${max}, not '${text}'`);
}

/** @throws UsageError when there are fewer or more arguments than the command takes */
export function checkOperands(command: Command, operands: readonly string[]): void {
  const { operandsMin = 0, operandsMax = 0, usage } = command;
  if (operands.length < operandsMin) throw new UsageError(`it needs ${usage}`);
  if (operands.length <= operandsMax) return;
  const most = operandsMax === 0 ? 'no argument' : `at most ${operandsMax}`;
  throw new UsageError(`it takes ${most} beside its options, not '${operands[operandsMax]}'`);
}
