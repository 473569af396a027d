// The command line of a script: what it understands, or a line that says what it does not.
import { parseArgs } from 'node:util';

/** Ends the process with 2: the command line was not understood. */
export function refuse(message, usage) {
  process.stderr.write(`${message}\n\n${usage}\n`);
  process.exit(2);
}

/**
 * The words behind the script's name, by parseArgs() of node:util. Ends the process with the usage
 * for --help, and with a complaint when something is not understood.
 */
export function commandLine(usage, { options = {}, ...more } = {}) {
  const help = { type: 'boolean', short: 'h' };
  let parsed;
  try {
    parsed = parseArgs({ options: { ...options, help }, ...more });
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    refuse(error.message, usage);
  }
  if (!parsed.values.help) return parsed;
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/** The value of an option as a number from `min` to `max`; undefined when it was not given. */
export function numberOption(values, name, [min, max], usage) {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  return refuse(`--${name} takes a number from ${min} to ${max}, not '${text}'`, usage);
}
