// `ringpoll bench`: what the parts of ringpoll cost on this machine, in less than a minute.
import { openSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Loop } from '../../index.js';
import { native } from '../../runtime/native.js';
import { packageFolder } from '../../runtime/package_folder.js';
import { type Command, EXIT, Failure, integerOption, UsageError, type Values } from '../command.js';
import { JSON_OPTION } from '../help.js';
import type { Output } from '../output.js';
import { channelCases } from './channel_cases.js';
import { compare } from './compare.js';
import { copyLedger } from './ledger.js';
import { isMeasured, measure } from './measure.js';
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
/** Unless a number of rounds was asked for: on a busy machine there are fewer. */
const MS_MAX = 45_000;

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
  // Without the addon itself nothing can be measured: that is said at once.
  native();
  const { cases: nativeOnes, missing } = nativeCases(fileURLToPath(packageFolder()));
  if (missing !== undefined) output.note(missing);
  const cases = [...nativeOnes, ...channelCases].filter(({ group, name }) =>
    pattern.test(`${group}/${name}`),
  );
  const withLedger = pattern.test('copies');
  if (cases.length === 0 && !withLedger) throw new UsageError('--only matches no benchmark');
  // Before the work: a report that cannot be kept should not cost a minute.
  const out = values.out === undefined ? undefined : openSync(String(values.out), 'w');
  const msMax = values.rounds === undefined ? MS_MAX : undefined;
  const results = await measure(cases, { rounds, msMax }, output);
  const report = makeReport(machine(), results, withLedger ? await copyLedger(output) : []);
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
  if (output.json) output.document(report);
  else print(report, output);
  return hasFailed(report) ? EXIT.failure : EXIT.ok;
}

function hasFailed({ results, ledger }: MicroReport): boolean {
  const cases = results.some((result) => !isMeasured(result) && result.failed === true);
  return cases || ledger.some(({ copied }) => copied === undefined);
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
  const changes = compare(before.results, after.results);
  if (changes.length === 0) throw new Failure(`${files.join(' and ')} have no benchmark in common`);
  if (output.json) output.document({ before: before.date, after: after.date, changes });
  else output.line(changeTable(changes));
  return changes.some(({ verdict }) => verdict === 'slower') ? EXIT.failure : EXIT.ok;
}

export const command: Command = {
  summary: 'measure what the parts of ringpoll cost on this machine',
  usage: '[--compare BEFORE.json AFTER.json]',
  operandsMax: 2,
  details:
    '--out keeps a report, and --compare compares two of them. A change smaller than the\n' +
    'noise counts as none. With --compare, the exit code is 1 if something became slower.\n' +
    'Otherwise it is 1 if a benchmark did not finish. A benchmark that this machine cannot run\n' +
    'is skipped.',
  examples: [
    'bench --quick --only "ring engine"',
    'bench --out before.json',
    'bench --compare before.json after.json',
  ],
  options: {
    only: {
      type: 'string',
      value: 'PATTERN',
      help: 'run what matches: a regular expression on group/name',
    },
    quick: { type: 'boolean', help: `${ROUNDS_QUICK} rounds instead of ${ROUNDS_DEFAULT}` },
    rounds: {
      type: 'string',
      value: 'N',
      help: `rounds of about 10 ms each (default ${ROUNDS_DEFAULT})`,
    },
    out: { type: 'string', value: 'FILE', help: 'write the report to this file, as JSON' },
    compare: { type: 'boolean', help: 'compare two reports, and measure nothing' },
    json: JSON_OPTION,
  },
  async run(values, operands, output) {
    if (values.compare === true) return runCompare(operands, output);
    if (operands.length > 0) {
      throw new UsageError(`'${operands[0]}' goes with --compare, or with --only as a pattern`);
    }
    return run(values, output);
  },
};
