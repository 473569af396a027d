// The texts of --help.
import type { Command, Option } from './command.js';
import { table } from './output.js';

const INDENT = '  ';
const indented = (text: string) => text.replace(/^(?=.)/gm, INDENT);

function optionName(name: string, { short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

export function overview(commands: ReadonlyMap<string, Command>): string {
  const rows = [...commands].map(([name, { summary }]) => [name, summary]);
  return [
    'Usage: ringpoll COMMAND [OPTIONS]',
    '',
    indented(table(rows)),
    '',
    '`ringpoll COMMAND --help` explains a command. `ringpoll --version` prints the version.',
    'Exit codes: 0 success, 1 a failure or a problem that was found, 2 wrong usage.',
  ].join('\n');
}

export function commandHelp(name: string, command: Command): string {
  const usage = ['Usage: ringpoll', name, command.usage, '[OPTIONS]'].filter(Boolean).join(' ');
  const rows = Object.entries(command.options)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([option, description]) => [optionName(option, description), description.help]);
  rows.push(['-h, --help', 'print this help']);
  const parts = [usage, '', command.summary, ''];
  if (command.details !== undefined) parts.push(command.details, '');
  parts.push(indented(table(rows)), '', 'Examples:');
  parts.push(...command.examples.map((example) => `${INDENT}npx ringpoll ${example}`));
  return parts.join('\n');
}

/** Every command has it. */
export const JSON_OPTION: Option = { type: 'boolean', help: 'print one JSON document' };
