// What it costs to be watched, in instructions of user space: those of a request with admin() and
// all that it measures, and without. valgrind counts them, so that nothing else that goes on in the
// machine is in it: two slots differ by some thousandths. The kernel's are not counted.
//
//   node bench/micro/admin_instructions.mjs [--warm-up N] [--seconds N] [--slots N] [--json]
//
// A slot is one dump of callgrind. While V8 still compiles, slots get less: the least one counts.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Loop } from 'ringpoll';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { startLoad } from '../lib/load.mjs';
import { plaintext } from '../lib/plaintext.mjs';
import { endChildrenWithRunner, hasCommand, launch } from '../lib/process.mjs';

const USAGE =
  'usage: node bench/micro/admin_instructions.mjs ' +
  '[--warm-up N] [--seconds N] [--slots N] [--json]';
const LOADS = {
  '64 connections': { connections: 64 },
  '64 connections, 16 requests at once': { connections: 64, depth: 16 },
};
const START_MS_MAX = 60_000;
/** Time stands almost still under valgrind: what is done once a second would seem much. */
const INTERVAL_MS = 60_000;

const { values } = commandLine(USAGE, {
  options: {
    'warm-up': { type: 'string', default: '20' },
    seconds: { type: 'string', default: '5' },
    slots: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
    // For itself: the server that is measured.
    serve: { type: 'string' },
  },
});

if (values.serve === undefined) await measure();
else runServer(values.serve === 'watched');

function runServer(watched) {
  const server = serve({ host: '127.0.0.1', port: 0, handler: plaintext });
  if (watched) admin({ port: 0, token: false, interval: INTERVAL_MS });
  process.on('SIGUSR2', () => console.log(`requests ${Loop.current().metrics().httpRequests}`));
  console.log(`ready ${server.port}`);
}

/** Instructions of a request in each slot. */
async function slotsOf(load, kind, { warmUp, seconds, slots }) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-callgrind-'));
  const callgrind = ['--tool=callgrind', '--smc-check=all-non-file'];
  const server = launch([
    ...['valgrind', ...callgrind, `--callgrind-out-file=${folder}/out`],
    // Helper threads would compile and collect at times of their own.
    ...[process.execPath, '--single-threaded', fileURLToPath(import.meta.url), '--serve', kind],
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

async function measure() {
  const settings = {
    warmUp: numberOption(values, 'warm-up', [1, 600], USAGE),
    seconds: numberOption(values, 'seconds', [1, 60], USAGE),
    slots: numberOption(values, 'slots', [1, 100], USAGE),
  };
  if (!hasCommand('valgrind')) throw new Error('valgrind is not installed');
  endChildrenWithRunner();
  const results = [];
  for (const [name, load] of Object.entries(LOADS)) {
    const without = await slotsOf(load, 'alone', settings);
    const watched = await slotsOf(load, 'watched', settings);
    const ratio = Math.min(...watched) / Math.min(...without);
    results.push({ load: name, without, watched, ratio });
    if (values.json) continue;
    const text = (slots) => slots.map((each) => each.toFixed(0)).join(', ');
    console.log(`${name}, instructions a request`);
    console.log(`  without admin(): ${text(without)}`);
    console.log(`  with admin():    ${text(watched)}: ${ratio.toFixed(3)} times`);
  }
  if (values.json) console.log(JSON.stringify(results, null, 2));
}
