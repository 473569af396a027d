// Instructions of user space that a request costs a server with something and without it, as
// valgrind counts them: nothing else that goes on in the machine is in it, and two slots differ by
// some thousandths. The kernel's are not counted.
//
// A slot is one dump of callgrind. While V8 still compiles, slots get less: the least one counts.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { startLoad } from './load.mjs';
import { endChildrenWithRunner, hasCommand, launch } from './process.mjs';

const START_MS_MAX = 60_000;

/** Instructions of a request in each slot, of the program `file`, which serves as `kind`. */
async function slotsOf(file, load, kind, { warmUp, seconds, slots }) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-callgrind-'));
  const callgrind = ['--tool=callgrind', '--smc-check=all-non-file'];
  const server = launch([
    ...['valgrind', ...callgrind, `--callgrind-out-file=${folder}/out`],
    // Helper threads would compile and collect at times of their own.
    ...[process.execPath, '--single-threaded', file, '--serve', kind],
  ]);
  const lineOf = async (word) => {
    const [said, number] = (await server.line(START_MS_MAX, 'the server')).split(' ');
    if (said !== word) throw new Error(`the server says ${said}, not ${word}`);
    return Number(number);
  };
  try {
    const port = await lineOf('ready');
    const total = warmUp + slots * (seconds + 5);
    const running = await startLoad('http', { ...load, port, seconds: total, warmUp: 0.1 });
    await delay(warmUp * 1000);
    const mark = async () => {
      process.kill(server.pid, 'SIGUSR2');
      const requests = await lineOf('requests');
      execFileSync('callgrind_control', ['-d', String(server.pid)], { stdio: 'ignore' });
      return requests;
    };
    const marks = [await mark()];
    for (let slot = 0; slot < slots; slot++) {
      await delay(seconds * 1000);
      marks.push(await mark());
    }
    await running.stop();
    const numbers = readdirSync(folder).flatMap((name) => /^out\.(\d+)$/.exec(name)?.[1] ?? []);
    const dumps = numbers.map(Number).sort((a, b) => a - b);
    return dumps.slice(-slots).map((dump, slot) => {
      const text = readFileSync(join(folder, `out.${dump}`), 'utf8');
      const instructions = Number(/^(?:totals|summary): (\d+)/m.exec(text)[1]);
      return instructions / (marks[slot + 1] - marks[slot]);
    });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The whole program of such a comparison: measures, or is the server that is measured.
 * @param {object} of
 * @param {string} of.file the program itself
 * @param {string} of.what what the server has or has not
 * @param {Record<string, object>} of.loads by name, as startLoad() takes them
 * @param {(isOn: boolean) => number} of.start starts the server, with it or without; gives its port
 */
export async function compareInstructions({ file, what, loads, start }) {
  const usage =
    `usage: node bench/micro/${file.split('/').at(-1)} ` +
    '[--warm-up N] [--seconds N] [--slots N] [--json]';
  const { values } = commandLine(usage, {
    options: {
      'warm-up': { type: 'string', default: '20' },
      seconds: { type: 'string', default: '5' },
      slots: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
      // For itself: the server that is measured.
      serve: { type: 'string' },
    },
  });
  if (values.serve !== undefined) {
    const port = start(values.serve === 'with');
    process.on('SIGUSR2', () => console.log(`requests ${Loop.current().metrics().httpRequests}`));
    console.log(`ready ${port}`);
    return;
  }
  const settings = {
    warmUp: numberOption(values, 'warm-up', [1, 600], usage),
    seconds: numberOption(values, 'seconds', [1, 60], usage),
    slots: numberOption(values, 'slots', [1, 100], usage),
  };
  if (!hasCommand('valgrind')) throw new Error('valgrind is not installed');
  endChildrenWithRunner();
  const results = [];
  for (const [name, load] of Object.entries(loads)) {
    const without = await slotsOf(file, load, 'without', settings);
    const having = await slotsOf(file, load, 'with', settings);
    const ratio = Math.min(...having) / Math.min(...without);
    results.push({ load: name, without, with: having, ratio });
    if (values.json) continue;
    const text = (slots) => slots.map((each) => each.toFixed(0)).join(', ');
    console.log(`${name}, instructions a request`);
    console.log(`  without ${what}: ${text(without)}`);
    console.log(`  with ${what}:    ${text(having)}: ${ratio.toFixed(3)} times`);
  }
  if (values.json) console.log(JSON.stringify(results, null, 2));
}
