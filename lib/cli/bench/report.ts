// The report of `ringpoll bench`: its shape, reading it back, and its tables.
import { readFileSync } from 'node:fs';
import { UsageError } from '../command.js';
import { table } from '../output.js';
import type { Change } from './compare.js';
import type { LedgerRow } from './ledger.js';
import { isMeasured, type Result } from './measure.js';

const KIND = 'ringpoll micro';

export interface MicroReport {
  kind: typeof KIND;
  version: 1;
  date: string;
  machine: Record<string, string | number>;
  results: Result[];
  ledger: LedgerRow[];
}

export function makeReport(
  machine: MicroReport['machine'],
  results: Result[],
  ledger: LedgerRow[],
): MicroReport {
  return { kind: KIND, version: 1, date: new Date().toISOString(), machine, results, ledger };
}

/** @throws UsageError when the file is no such report */
export function readReport(path: string): MicroReport {
  let report: MicroReport;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as MicroReport;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
  if (report?.kind !== KIND || !Array.isArray(report.results))
    throw new UsageError(`${path} is not a report of ringpoll bench`);
  return report;
}

function duration(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(ns < 10 ? 1 : 0)} ns`;
  return `${(ns / 1000).toFixed(ns < 10_000 ? 2 : 1)} us`;
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const signed = (share: number) => `${share < 0 ? '' : '+'}${percent(share)}`;

function grouped<Row extends { group: string }>(
  rows: readonly Row[],
  cells: (row: Row) => string[],
): string[][] {
  let group = '';
  return rows.flatMap((row) => {
    const head = row.group === group ? [] : [[row.group]];
    group = row.group;
    return [...head, cells(row)];
  });
}

export function resultTable(results: readonly Result[]): string {
  const cells = (result: Result) => {
    const name = `  ${result.name}`;
    if (!isMeasured(result)) {
      return [name, result.failed === true ? 'FAILED' : 'not here', '', '', result.refused];
    }
    const { megabytesPerSecond: rate } = result;
    const bytes = rate === undefined ? '' : `${rate.toFixed(0)} MB/s`;
    return [name, duration(result.ns), `+-${percent(result.noise)}`, bytes];
  };
  return table([['', 'each', 'noise', ''], ...grouped(results, cells)], [1, 2, 3]);
}

export function ledgerTable(rows: readonly LedgerRow[]): string {
  const cells = rows.map(({ api, bytes, copied, copies }) => [
    api,
    String(bytes),
    copied === undefined ? 'FAILED' : String(copied),
    String(copies),
  ]);
  return table([['copies by', 'bytes', 'copied', 'documented'], ...cells], [1, 2, 3]);
}

export function changeTable(changes: readonly Change[]): string {
  const cells = (change: Change) => [
    `  ${change.name}`,
    duration(change.beforeNs),
    duration(change.afterNs),
    signed(change.change),
    `+-${percent(change.noise)}`,
    change.verdict === 'same' ? '' : change.verdict,
  ];
  return table(
    [['', 'before', 'after', 'change', 'noise', '']].concat(grouped(changes, cells)),
    [1, 2, 3, 4],
  );
}
