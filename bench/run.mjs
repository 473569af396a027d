// The benchmark runner: `npm run bench -- [suite] [--quick] [--only PATTERN] ...`. A suite is a
// file in bench/suites that exports `describe` and `run`. See bench/README.md.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeHtmlReport } from './lib/html.mjs';
import { describeMachine } from './lib/machine.mjs';
import { BENCH, BUILD } from './lib/paths.mjs';
import { canPin, endChildrenWithRunner, stopAll } from './lib/process.mjs';
import { Results } from './lib/results.mjs';

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  'server-cpu': { type: 'string', default: '0' },
  'load-cpu': { type: 'string', default: '1' },
  out: { type: 'string' },
  list: { type: 'boolean', default: false },
};

const log = (text) => console.error(text);

function usage(suites) {
  log('usage: npm run bench -- [SUITE...] [--quick] [--only PATTERN] [--rounds N] [--seconds S]');
  log('         [--warm-up S] [--server-cpu N] [--load-cpu N] [--out FOLDER] [--list]');
  for (const [name, { describe }] of suites) log(`  ${name.padEnd(8)} ${describe}`);
}

async function loadSuites() {
  const files = readdirSync(join(BENCH, 'suites')).filter((name) => name.endsWith('.mjs'));
  const entries = files
    .sort()
    .map(async (file) => [file.replace(/\.mjs$/, ''), await import(`./suites/${file}`)]);
  return new Map(await Promise.all(entries));
}

function positive(text, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`'${text}' is not a number above zero`);
  return value;
}

function settingsOf(values) {
  const { quick } = values;
  return {
    quick,
    rounds: Math.ceil(positive(values.rounds, quick ? 1 : 5)),
    seconds: positive(values.seconds, quick ? 0.5 : 2),
    warmUp: positive(values['warm-up'], quick ? 0.2 : 1),
    serverCpu: values['server-cpu'],
    loadCpu: values['load-cpu'],
    pinned: canPin,
  };
}

/** Which trials are wanted: those whose `case/competitor` the pattern matches. */
function filterOf(only) {
  if (only === undefined) return () => true;
  const pattern = new RegExp(only);
  return (item, competitor) => pattern.test(`${item.name}/${competitor.name}`);
}

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const suites = await loadSuites();
  const unknown = positionals.find((name) => !suites.has(name));
  if (values.list || unknown !== undefined) {
    if (unknown !== undefined) log(`no suite '${unknown}'`);
    usage(suites);
    return unknown === undefined ? 0 : 2;
  }
  const settings = settingsOf(values);
  const wanted = filterOf(values.only);
  if (!canPin) log('taskset is not there: nothing is pinned, and the numbers will wander');
  if (availableParallelism() < 2) log('one CPU only: server and load share it');
  endChildrenWithRunner();

  // A part of a suite or a quick look must not replace the results of a whole run.
  const whole = !settings.quick && values.only === undefined;
  const folder = values.out ?? join(whole ? BENCH : BUILD, 'results');
  for (const name of positionals.length > 0 ? positionals : suites.keys()) {
    const results = new Results(name, describeMachine(), settings);
    const report = await suites.get(name).run({ settings, wanted, results, log });
    results.save(folder, `${report}\n`);
    console.log(report);
    log(`kept in ${folder}/${name}.{json,md}`);
  }
  log(`charts in ${writeHtmlReport(folder)}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(error.stack);
  process.exitCode = 1;
} finally {
  await stopAll();
}
