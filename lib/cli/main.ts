#!/usr/bin/env node
// `ringpoll COMMAND`: finds the command, reads its options, and ends with its exit code.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nearestName } from '../option_names.js';
import {
  type Command,
  checkOperands,
  complaintOf,
  EXIT,
  Failure,
  parseConfig,
  UsageError,
  type Values,
} from './command.js';
import { commandHelp, overview } from './help.js';
import { StandardOutput } from './output.js';

// Imported when they are needed: `ringpoll build` has to work where the addon does not load.
const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {
  bench: () => import('./bench/command.js'),
  build: () => import('./build.js'),
  doctor: () => import('./doctor.js'),
  dump: () => import('./dump.js'),
  echo: () => import('./echo.js'),
  explain: () => import('./explain.js'),
  layers: () => import('./layers.js'),
  serve: () => import('./serve.js'),
  shadow: () => import('./shadow.js'),
  top: () => import('./top.js'),
};

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

async function all(): Promise<Map<string, Command>> {
  const entries = Object.entries(COMMANDS).map(
    async ([name, load]) => [name, (await load()).command] as const,
  );
  return new Map(await Promise.all(entries));
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function runCommand(name: string, args: string[]): Promise<number> {
  const { command } = await COMMANDS[name]();
  // What stands behind -- is not for us.
  const ours = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (ours.includes('--help') || ours.includes('-h')) {
    say(commandHelp(name, command));
    return EXIT.ok;
  }
  const options = parseConfig(command);
  let parsed: { values: Values; positionals: string[] };
  try {
    parsed = parseArgs({ args, options, allowPositionals: true }) as typeof parsed;
    checkOperands(command, parsed.positionals);
    return await command.run(
      parsed.values,
      parsed.positionals,
      new StandardOutput(parsed.values.json === true),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!(error instanceof UsageError) && !code?.startsWith('ERR_PARSE_ARGS')) throw error;
    complain(`ringpoll ${name}: ${complaintOf(error as Error, command)}`);
    complain(`Try: ringpoll ${name} --help`);
    return EXIT.usage;
  }
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    say(rest.includes('--json') ? JSON.stringify({ version: version() }) : version());
    return EXIT.ok;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const [wanted] = rest;
    if (wanted !== undefined) return known(wanted) ? runCommand(wanted, ['--help']) : EXIT.usage;
    say(overview(await all()));
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  return known(name) ? runCommand(name, rest) : EXIT.usage;
}

function known(name: string): boolean {
  const found = Object.hasOwn(COMMANDS, name);
  if (!found) {
    const names = Object.keys(COMMANDS);
    const meant = nearestName(name, names);
    const advice = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`;
    complain(`ringpoll: no command '${name}': ${advice}`);
  }
  return found;
}

// Who reads our output may have had enough of it, as `head` does.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exit(code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // Errors with a code are about the world (no addon, address in use); others are defects.
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const expected = code !== undefined || error instanceof Failure;
  complain(expected ? `ringpoll: ${message}` : String(stack ?? error));
  process.exitCode = EXIT.failure;
}
