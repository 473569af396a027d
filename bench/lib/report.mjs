// The parts of a report that every suite has.

import { splitUserSystem } from './cpu.mjs';
import { median, medianInterval, pairedRatio, pairedRatios, spread } from './stats.mjs';
import { number, percent, ratio, table, thousands } from './table.mjs';

/** Medians of a competitor in a case of messages, or undefined when no trial of it went well. */
export function summarize(results, caseName, competitor) {
  const trials = results.of(caseName, competitor);
  if (trials.length === 0) return undefined;
  const of = (key) => median(trials.map((trial) => trial[key]));
  const cpuUs = of('cpuUs');
  return {
    trials: trials.length,
    messagesPerSecond: of('messagesPerSecond'),
    cpuUs,
    ...splitUserSystem(cpuUs, trials),
    cpuSpread: spread(trials.map((trial) => trial.cpuUs)),
    cpuShare: of('cpuShare'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
  };
}

/** The ratio of two competitors' CPU per message in a case, paired by round. */
export function cpuRatio(results, caseName, a, b) {
  if (!a || !b) return undefined;
  const read = (trial) => trial.cpuUs;
  return pairedRatio(results.byRound(caseName, a, read), results.byRound(caseName, b, read));
}

/** The same, and between which bounds it lies. */
export function cpuRatioWithin(results, caseName, a, b) {
  if (!a || !b) return undefined;
  const of = (name) => results.byRound(caseName, name, (trial) => trial.cpuUs);
  const ratios = pairedRatios(of(a), of(b));
  return { value: median(ratios), ...medianInterval(ratios) };
}

/** One table for a case: a row for each competitor, ratios against the `references`. */
export function messageTable(results, caseName, competitors, references) {
  const head = ['', 'messages/s', 'CPU µs', 'user', 'system', 'spread', 'p50 µs', 'p99 µs'];
  const rows = [];
  for (const name of competitors) {
    const summary = results.data.medians[caseName]?.[name];
    if (!summary) continue;
    const traced = results.data.syscalls[caseName]?.[name]?.total;
    rows.push([
      name,
      thousands(summary.messagesPerSecond),
      number(summary.cpuUs),
      number(summary.userUs),
      number(summary.systemUs),
      percent(summary.cpuSpread),
      number(summary.p50Us),
      number(summary.p99Us),
      ...references.map((reference) => ratio(cpuRatio(results, caseName, name, reference))),
      number(traced),
    ]);
  }
  return table([...head, ...references.map((name) => `÷ ${name}`), 'syscalls'], rows);
}

/**
 * A section for each case that somebody has run, and its medians into the results. A case of
 * `others` is not of messages: there the entry has a `summary` and a `table` of its own.
 */
export function caseSections(results, cases, competitors, references, others = {}) {
  const medians = {};
  results.data.medians = medians;
  const sections = [];
  for (const { name, title } of cases) {
    const summary = others[name]?.summary ?? summarize;
    const all = competitors.map((one) => [one, summary(results, name, one)]);
    const found = all.filter(([, median]) => median);
    if (found.length === 0) continue;
    medians[name] = Object.fromEntries(found);
    const present = references.filter((one) => medians[name][one]);
    const drawn = others[name]?.table ?? messageTable;
    sections.push(`## ${title}`, drawn(results, name, competitors, present));
  }
  return sections;
}

/** CPU per message of everybody in every case. */
export function overview(results, cases, competitors) {
  const rows = competitors.map((name) => [
    name,
    ...cases.map((item) => number(results.data.medians[item.name]?.[name]?.cpuUs)),
  ]);
  return table(['CPU µs per message', ...cases.map((item) => item.name)], rows);
}

export function machineLine(machine) {
  const parts = [
    `${machine.cpu}, ${machine.cores} cores${machine.virtual ? ' (virtual)' : ''}`,
    `${machine.memoryGiB} GiB`,
    `${machine.system} ${machine.kernel} ${machine.architecture}`,
    `Node ${machine.node}`,
    machine.date.slice(0, 10),
  ];
  return parts.join(', ');
}

function pinning({ pinned, serverCpu, loadCpu }) {
  return pinned ? `Server on CPU ${serverCpu}, load on CPU ${loadCpu}` : 'Nothing pinned';
}

/** How it was measured, and what is missing from it. */
export function preamble(results) {
  const { machine, settings, missing } = results.data;
  const lines = [
    `${machineLine(machine)}.`,
    '',
    `${pinning(settings)}, one server process per trial, rounds of all competitors in turn ` +
      `(${settings.rounds}), ${settings.seconds} s measured ` +
      `after ${settings.warmUp} s of warm-up. Values are medians; a ratio is the median of the ` +
      'ratios within each round, in brackets its 95 % interval (of few rounds, their range). ' +
      'CPU is the server process alone; its split into user and system is sampled. ' +
      'Spread is (highest − lowest) / median of CPU.',
  ];
  for (const [name, reason] of Object.entries(missing)) {
    lines.push('', `Without ${name}: ${reason.split('\n')[0]}`);
  }
  const failures = results.failures();
  if (failures.length > 0) lines.push('', `${failures.length} trials failed; the JSON says why.`);
  return lines.join('\n');
}

/** The page of a suite, whose targets and medians the results have already. */
export function page(results, { title, unit, cases, competitors, sections }) {
  const measured = cases.filter((item) => results.data.medians[item.name]);
  return [
    `# ${title}`,
    preamble(results),
    '## Targets',
    results.data.targets.map(({ line }) => line).join('\n'),
    `## CPU per ${unit}`,
    overview(results, measured, competitors),
    ...sections,
  ].join('\n\n');
}
