// `ringpoll bench`: what the parts of ringpoll cost on this machine, in less than a minute.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { Loop } from '../../index.js';
import { type Command, EXIT, integerOption, UsageError, type Values } from '../command.js';
import { JSON_OPTION } from '../help.js';
import type { Output } from '../output.js';
import { channelCases } from './channel_cases.js';
import { compare } from './compare.js';
import { copyLedger } from './ledger.js';
import { measure } from './measure.js';
import { nativeCases } from './native_cases.js';
import {
  changeTable,
  ledgerTable,
  type MicroReport,
  makeReport,
  readReport,
  resultTable,
} from './report.js';

const ROUNDS_DEFAULT = 31;
const ROUNDS_QUICK = 5;
const ROUNDS_RANGE = [3, 1000] as const;

function machine(): MicroReport['machine'] {
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    engine: Loop.current().engine,
  };
}

function patternOf(values: Values): RegExp {
  try {
    return new RegExp(String(values.only ?? ''), 'i');
  } catch (error) {
    throw new UsageError(`--only: ${(error as Error).message}`);
  }
}

async function run(values: Values, output: Output): Promise<number> {
  const pattern = patternOf(values);
  const fallback = values.quick === true ? ROUNDS_QUICK : ROUNDS_DEFAULT;
  const rounds = integerOption(values, 'rounds', fallback, ROUNDS_RANGE);
  const cases = [...nativeCases(), ...channelCases].filter(({ group, name }) =>
    pattern.test(`${group}/${name}`),
  );
  const withLedger = pattern.test('copies');
  if (cases.length === 0 && !withLedger) throw new UsageError('--only matches no benchmark');
  const results = await measure(cases, rounds, output);
  const report = makeReport(machine(), results, withLedger ? await copyLedger() : []);
  if (values.out !== undefined) {
    writeFileSync(String(values.out), `${JSON.stringify(report, null, 2)}\n`);
  }
  if (output.json) output.document(report);
  else print(report, output);
  return EXIT.ok;
}

function print({ machine, results, ledger }: MicroReport, output: Output): void {
  output.line(Object.values(machine).join(', '));
  output.line();
  if (results.length > 0) output.line(resultTable(results));
  if (ledger.length > 0) {
    output.line();
    output.line(ledgerTable(ledger));
  }
}

function runCompare(files: string[], output: Output): number {
  if (files.length !== 2) throw new UsageError('--compare takes two files, before and after');
  const [before, after] = files.map(readReport);
  const changes = compare(before, after);
  if (output.json) output.document({ before: before.date, after: after.date, changes });
  else output.line(changeTable(changes));
  return changes.some(({ verdict }) => verdict === 'slower') ? EXIT.failure : EXIT.ok;
}

export const command: Command = {
  summary: 'measure what the parts of ringpoll cost on this machine',
  usage: '[--compare BEFORE.json AFTER.json]',
  details:
    'Keep a report with --out, and compare two of them with --compare: a change within the noise ' +
    'of\nboth is called none. Compared, the exit code is 1 when something became slower.',
  options: {
    only: { type: 'string', value: 'PATTERN', help: 'a regular expression on group/name' },
    quick: { type: 'boolean', help: `${ROUNDS_QUICK} rounds in place of ${ROUNDS_DEFAULT}` },
    rounds: { type: 'string', value: 'N', help: 'rounds of some 10 ms for each benchmark' },
    out: { type: 'string', value: 'FILE', help: 'keep the report, as JSON' },
    compare: { type: 'boolean', help: 'measure nothing: compare two kept reports' },
    json: JSON_OPTION,
  },
  run(values, positionals, output) {
    if (values.compare === true) return Promise.resolve(runCompare(positionals, output));
    if (positionals.length > 0) throw new UsageError(`what is '${positionals[0]}'?`);
    return run(values, output);
  },
};
