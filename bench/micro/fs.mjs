// What operations on files cost, beside node:fs/promises: CPU microseconds of the process for each
// operation, all its threads included, and operations per second.
//
//   node bench/micro/fs.mjs [--json] [--rounds N] [--only PATTERN] [--folder PATH]
//
// One process per trial, the ways in turns (A B C A B C), the median of all rounds; ratios are
// taken within each round. Within a trial 32 loops run side by side, each awaiting its operation,
// and what is measured comes after a warm-up. The files lie in --folder, by default the system's
// folder for temporary files, and stay in the page cache.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import nodeFs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { median, pairedRatio } from '../lib/stats.mjs';
import { number, ratio, table } from '../lib/table.mjs';

const FILES = 32;
const FILE_BYTES = 4096;
const RECORD_BYTES = 100;
const PASSES = 3;

const WAYS = {
  node: { module: 'node:fs/promises', env: {} },
  ringpoll: { module: 'ringpoll/fs', env: {} },
  'ringpoll, no ring': { module: 'ringpoll/fs', env: { RINGPOLL_ENGINE: 'poll' } },
  'ringpoll, all by the ring': { module: 'ringpoll/fs', env: { RINGPOLL_FILES: 'ring' } },
};

const pick = () => Math.floor(Math.random() * FILES);
const opened = (fs, names, flags) => Promise.all(names.map((name) => fs.open(name, flags)));

// Each case: operations of a pass, what must hold, and the operation that a loop repeats.
const cases = {
  'read of 4 KB': {
    count: 40_000,
    cpuRatioMin: 3,
    async prepare(fs, names) {
      const handles = await opened(fs, names, 'r');
      const buffers = names.map(() => Buffer.alloc(FILE_BYTES));
      return (loop) => handles[pick()].read(buffers[loop], 0, FILE_BYTES, 0);
    },
  },
  'readFile of 4 KB': {
    count: 10_000,
    cpuRatioMin: 3,
    prepare: (fs, names) => () => fs.readFile(names[pick()]),
  },
  'readFile of 4 KB as text': {
    count: 10_000,
    cpuRatioMin: 3,
    prepare: (fs, names) => () => fs.readFile(names[pick()], 'utf8'),
  },
  stat: {
    count: 20_000,
    prepare: (fs, names) => () => fs.stat(names[pick()]),
  },
  'open and close': {
    count: 10_000,
    prepare: (fs, names) => async () => (await fs.open(names[pick()])).close(),
  },
  'write of 4 KB': {
    count: 10_000,
    async prepare(fs, names) {
      const handles = await opened(fs, names, 'r+');
      const bytes = Buffer.alloc(FILE_BYTES, 'w');
      return (loop) => handles[loop].write(bytes, 0, FILE_BYTES, 0);
    },
  },
  'writeFile of 4 KB': {
    count: 2_000,
    prepare(fs, names) {
      const bytes = Buffer.alloc(FILE_BYTES, 'w');
      return (loop) => fs.writeFile(names[loop], bytes);
    },
  },
  'append and datasync, one file': {
    count: 2_000,
    rateRatioMin: 1,
    async prepare(fs, names) {
      const handle = await fs.open(`${names[0]}.log`, 'a');
      const record = Buffer.alloc(RECORD_BYTES, 'r');
      return async () => {
        await handle.write(record);
        await handle.datasync();
      };
    },
  },
  'append and datasync, 32 files': {
    count: 2_000,
    rateRatioMin: 1,
    async prepare(fs, names) {
      const handles = await opened(
        fs,
        names.map((name) => `${name}.log`),
        'a',
      );
      const record = Buffer.alloc(RECORD_BYTES, 'r');
      return async (loop) => {
        await handles[loop].write(record);
        await handles[loop].datasync();
      };
    },
  },
  'rename there and back': {
    count: 2_000,
    prepare: (fs, names) => async (loop) => {
      await fs.rename(names[loop], `${names[loop]}.moved`);
      await fs.rename(`${names[loop]}.moved`, names[loop]);
    },
  },
};

async function pass(count, operation) {
  let left = count;
  const loop = async (index) => {
    while (left-- > 0) await operation(index);
  };
  await Promise.all(Array.from({ length: FILES }, (_, index) => loop(index)));
}

/** One trial, in this process: prints CPU microseconds and operations per second. */
async function trial(name, module, folder) {
  const fs = module === 'node:fs/promises' ? nodeFs : await import(module);
  const names = Array.from({ length: FILES }, (_, index) => join(folder, `file${index}`));
  for (const path of names) writeFileSync(path, Buffer.alloc(FILE_BYTES, 'f'));
  const { count, prepare } = cases[name];
  const operation = await prepare(fs, names);
  await pass(count, operation);
  const cpu = [];
  const rate = [];
  for (let i = 0; i < PASSES; i += 1) {
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    await pass(count, operation);
    const seconds = (performance.now() - before) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpu.push((user + system) / count);
    rate.push(count / seconds);
  }
  console.log(JSON.stringify({ cpu: median(cpu), rate: median(rate) }));
  process.exit();
}

async function measure({ rounds, only, folder: parent }) {
  const wanted = Object.keys(cases).filter((name) => new RegExp(only).test(name));
  const results = new Map(wanted.map((name) => [name, new Map()]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of wanted) {
      for (const [way, { module, env }] of Object.entries(WAYS)) {
        const folder = mkdtempSync(join(parent, 'ringpoll-bench-'));
        const args = [fileURLToPath(import.meta.url), '--trial', name, '--module', module];
        const { stdout } = await promisify(execFile)(
          process.execPath,
          [...args, '--folder', folder],
          { env: { ...process.env, ...env } },
        );
        rmSync(folder, { recursive: true });
        const { cpu, rate } = JSON.parse(stdout);
        const ofWay = results.get(name).get(way) ?? { cpu: new Map(), rate: new Map() };
        ofWay.cpu.set(round, cpu);
        ofWay.rate.set(round, rate);
        results.get(name).set(way, ofWay);
      }
    }
  }
  return results;
}

/** How many times as well as node: its CPU over ours, our rate over its. */
function summary(results) {
  return [...results].flatMap(([name, ways]) => {
    const node = ways.get('node');
    return [...ways].map(([way, { cpu, rate }]) => ({
      case: name,
      way,
      cpuMicroseconds: median([...cpu.values()]),
      perSecond: median([...rate.values()]),
      cpuRatio: pairedRatio(node.cpu, cpu),
      rateRatio: pairedRatio(rate, node.rate),
    }));
  });
}

function misses(rows) {
  return rows.flatMap(({ case: name, way, cpuRatio, rateRatio }) => {
    const { cpuRatioMin = 0, rateRatioMin = 0 } = way === 'ringpoll' ? cases[name] : {};
    const missed = cpuRatio < cpuRatioMin || rateRatio < rateRatioMin;
    return missed ? [`${name}: ${ratio(cpuRatio)} of CPU, ${ratio(rateRatio)} of rate`] : [];
  });
}

const USAGE =
  'usage: node bench/micro/fs.mjs [--rounds N] [--only PATTERN] [--folder FOLDER] [--json]';
const { values } = commandLine(USAGE, {
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '.' },
    folder: { type: 'string', default: tmpdir() },
    trial: { type: 'string' },
    module: { type: 'string' },
  },
});

if (values.trial !== undefined) await trial(values.trial, values.module, values.folder);
const results = await measure({
  ...values,
  rounds: numberOption(values, 'rounds', [1, 1000], USAGE),
});
const rows = summary(results);
if (values.json) {
  console.log(JSON.stringify({ machine: describeMachine(), rounds: values.rounds, rows }, null, 2));
} else {
  const head = ['case', 'way', 'CPU µs', '1/s', 'node CPU ÷', 'rate ÷ node'];
  const lines = rows.map((row) => [
    row.case,
    row.way,
    number(row.cpuMicroseconds),
    Math.round(row.perSecond),
    ratio(row.cpuRatio),
    ratio(row.rateRatio),
  ]);
  console.log(table(head, lines));
  for (const miss of misses(rows)) console.log(`missed: ${miss}`);
}
