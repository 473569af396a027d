// The benchmark runner: `npm run bench -- [suite] [--quick] [--only PATTERN] ...`. A suite is a
// file in bench/suites that exports `describe` and `run`. See bench/README.md.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { commandLine, numberOption, refuse } from '../scripts/command_line.mjs';
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
  minutes: { type: 'string' },
  'warm-up': { type: 'string' },
  'server-cpu': { type: 'string', default: '0' },
  'load-cpu': { type: 'string', default: '1' },
  out: { type: 'string' },
  list: { type: 'boolean', default: false },
};

const log = (text) => console.error(text);

const SECONDS = [0.01, 3600];
const ROUNDS = [1, 1000];
const MINUTES = [0.1, 10_000];

function usageOf(suites) {
  const known = [...suites].map(([name, { describe }]) => `  ${name.padEnd(8)} ${describe}`);
  return [
    'usage: npm run bench -- [SUITE...] [--quick] [--only PATTERN] [--rounds N] [--seconds S]',
    '         [--warm-up S] [--server-cpu N] [--load-cpu N] [--minutes N] [--out FOLDER]',
    '         [--list]',
    ...known,
  ].join('\n');
}

async function loadSuites() {
  const files = readdirSync(join(BENCH, 'suites')).filter((name) => name.endsWith('.mjs'));
  const entries = files
    .sort()
    .map(async (file) => [file.replace(/\.mjs$/, ''), await import(`./suites/${file}`)]);
  return new Map(await Promise.all(entries));
}

/** A suite whose programs V8 compiles late has a `warmUp` of its own, in seconds. */
function settingsOf(values, usage, suite) {
  const { quick } = values;
  const number = (name, range, fallback) => numberOption(values, name, range, usage) ?? fallback;
  return {
    quick,
    rounds: Math.ceil(number('rounds', ROUNDS, quick ? 1 : 5)),
    seconds: number('seconds', SECONDS, quick ? 0.5 : 2),
    warmUp: number('warm-up', SECONDS, quick ? 0.2 : (suite.warmUp ?? 1)),
    minutes: number('minutes', MINUTES, quick ? 1 : 30),
    serverCpu: values['server-cpu'],
    loadCpu: values['load-cpu'],
    pinned: canPin,
  };
}

/** Which trials are wanted: those whose `case/competitor` the pattern matches. */
function filterOf(only, usage) {
  if (only === undefined) return () => true;
  let pattern;
  try {
    pattern = new RegExp(only);
  } catch (error) {
    refuse(`--only: ${error.message}`, usage);
  }
  return (item, competitor) => pattern.test(`${item.name}/${competitor.name}`);
}

async function main() {
  const suites = await loadSuites();
  const usage = usageOf(suites);
  const { values, positionals } = commandLine(usage, { options, allowPositionals: true });
  const unknown = positionals.find((name) => !suites.has(name));
  if (unknown !== undefined) refuse(`no suite '${unknown}'`, usage);
  if (values.list) {
    console.log(usage);
    return 0;
  }
  const wanted = filterOf(values.only, usage);
  if (!canPin) log('taskset is not there: nothing is pinned, and the numbers will wander');
  if (availableParallelism() < 2) log('one CPU only: server and load share it');
  endChildrenWithRunner();

  // A part of a suite or a quick look must not replace the results of a whole run.
  const whole = !values.quick && values.only === undefined;
  const folder = values.out ?? join(whole ? BENCH : BUILD, 'results');
  const usual = [...suites.keys()].filter((name) => suites.get(name).named !== true);
  let failed = false;
  for (const name of positionals.length > 0 ? positionals : usual) {
    const suite = suites.get(name);
    const settings = settingsOf(values, usage, suite);
    const results = new Results(name, describeMachine(), settings);
    const report = await suite.run({ settings, wanted, results, log });
    results.save(folder, `${report}\n`);
    console.log(report);
    failed ||= results.failed;
    log(`kept in ${folder}/${name}.{json,md}`);
  }
  log(`charts in ${writeHtmlReport(folder)}`);
  return failed ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(error.stack);
  process.exitCode = 1;
} finally {
  await stopAll();
}
