// The lane that holds counts which do not depend on the machine's mood: system calls, calls into
// JavaScript, allocations, instructions. The bounds are in test/gate/bounds.mjs.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { BOUNDS } from '../gate/bounds.mjs';
import { trial } from '../gate/trial.mjs';
import { failureOf, runBounded, runStep } from '../support/command.mjs';

export const name = 'gate';
export const alone = true;

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'build', 'gate');
const STEP_MS_MAX = 120_000;
// V8 optimises on a thread of its own, and code that it optimises late allocates more: the least of
// a few trials is what the code itself asks for.
const HEAP_ATTEMPTS_MAX = 4;
const LOOP_CALLS = [
  ...['receives', 'receivesEmpty', 'sends', 'sendsByEngine'],
  ...['ringEnters', 'pollWaits', 'epollControls'],
];

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LOADS = {
  'echo, 64 B': { kind: 'echo', text: 'x'.repeat(64), messages: 1 },
  'http, one request at a time': { kind: 'http', text: REQUEST, messages: 1 },
  'http, 16 requests a write': { kind: 'http', text: REQUEST, messages: 16 },
};
const ENGINES = ['poll', 'uring'];

const result = { passed: 0, failed: 0, skipped: 0, notes: [] };

function hold(what, value, bound) {
  const good = value <= bound;
  const line = `${what}: ${value.toFixed(value < 10 ? 3 : 1)} (at most ${bound})`;
  console.log(`${good ? 'ok      ' : 'FAILED  '}${line}`);
  if (good) result.passed++;
  else {
    result.failed++;
    result.notes.push(line);
  }
}

function skip(what, reason) {
  result.skipped++;
  result.notes.push(`${what}: ${reason}`);
}

const step = (what, command, args, options = {}) =>
  runStep(what, command, args, { msMax: STEP_MS_MAX, cwd: root, ...options });

async function ringRefusal() {
  const code = `
    import { Loop } from 'ringpoll';
    const { engines } = Loop.current().capabilities;
    console.log(engines.find(({ name }) => name === 'uring').reason ?? '');
    process.exit();`;
  const args = ['--input-type=module', '--eval', code];
  return (await step('capabilities', process.execPath, args)).trim() || undefined;
}

/** The loop's own system calls and the heap's bytes, over a few thousand messages. */
async function countersOf(engine, load, name) {
  let bytes;
  for (let attempt = 1; attempt <= HEAP_ATTEMPTS_MAX; attempt++) {
    const { before, after, messages } = await trial({ ...load, engine, times: 4000, warmUp: 5000 });
    if (attempt === 1) holdLoopCalls(engine, name, before.metrics, after.metrics, messages);
    if (after.collections > before.collections) continue;
    const each = (after.heapBytes - before.heapBytes) / messages;
    bytes = bytes === undefined ? each : Math.min(bytes, each);
    if (bytes <= BOUNDS.heapBytes[name]) break;
  }
  const what = `${engine}, ${name}, heap bytes`;
  if (bytes === undefined) skip(what, 'garbage was collected in every attempt');
  else hold(what, bytes, BOUNDS.heapBytes[name]);
}

function holdLoopCalls(engine, name, before, after, messages) {
  const calls = LOOP_CALLS.reduce((sum, key) => sum + after[key] - before[key], 0);
  hold(`${engine}, ${name}, loop's system calls`, calls / messages, BOUNDS.loopCalls[name]);
}

/** strace's total for a trial of so many exchanges. */
async function straced(engine, load, times) {
  const file = join(folder, 'strace.txt');
  // Without -f: threads of the compiler and of the collector come and go as they like.
  const prefix = ['strace', '-c', '-q', '-o', file];
  await trial({ ...load, engine, times, warmUp: 100, prefix });
  const [, calls] = /^\s*100\.00\s+\S+\s+\S*\s+(\d+).*total$/m.exec(readFileSync(file, 'utf8'));
  return Number(calls);
}

/** Two trials that differ in nothing but their length: the difference is the messages' own. */
async function allCallsOf(engine, load, name) {
  const [few, many] = [500, 2500];
  const calls = (await straced(engine, load, many)) - (await straced(engine, load, few));
  const messages = (many - few) * load.messages;
  hold(`${engine}, ${name}, all system calls`, calls / messages, BOUNDS.allCalls[name]);
}

async function straceRefusal() {
  if (!findProgram('strace')) return 'strace is not installed';
  const args = ['-c', '-o', '/dev/null', process.execPath, '--version'];
  const ended = await runBounded('strace', args, { msMax: STEP_MS_MAX, capture: true });
  return failureOf(ended, STEP_MS_MAX) && 'strace may not trace here';
}

async function callsIntoJs(engine) {
  const [what] = Object.keys(BOUNDS.jsCallsPerTurn);
  const program = join(root, 'test', 'gate', 'batch.mjs');
  const env = { RINGPOLL_ENGINE: engine };
  const { callsPerRound } = JSON.parse(await step(what, process.execPath, [program], { env }));
  hold(`${engine}, ${what}, calls into JavaScript`, callsPerRound, BOUNDS.jsCallsPerTurn[what]);
}

/** Compiles test/gate/parse_requests.cc when a source of it is newer than the program. */
async function parserProgram() {
  const sources = [
    'test/gate/parse_requests.cc',
    'native/bench/bench_http.cc',
    ...['body_decoder', 'errors', 'framing', 'head_memory', 'methods', 'request_parser'].map(
      (file) => `native/core/http/parser/${file}.cc`,
    ),
    'native/core/http/parser/target.cc',
  ].map((path) => join(root, path));
  const program = join(folder, 'parse_requests');
  const made = existsSync(program) ? statSync(program).mtimeMs : 0;
  if (sources.every((path) => statSync(path).mtimeMs < made)) return program;
  const flags = ['-std=c++20', '-O2', '-I', join(root, 'native')];
  mkdirSync(folder, { recursive: true });
  await runStep('parse_requests.cc', cxxCompiler(), [...flags, ...sources, '-o', program]);
  return program;
}

export async function prepare() {
  if (findProgram('valgrind')) await parserProgram();
}

async function instructions(program, kind, count) {
  const tool = ['--tool=callgrind', `--callgrind-out-file=${join(folder, 'callgrind.out')}`];
  const output = await step('valgrind', 'valgrind', [...tool, program, kind, String(count)]);
  return Number(/Collected : (\d+)/.exec(output)[1]);
}

async function parserInstructions() {
  if (!findProgram('valgrind')) {
    skip('instructions of the parser', 'valgrind is not installed');
    return;
  }
  const program = await parserProgram();
  const [few, many] = [1000, 3000];
  for (const [kind, bound] of Object.entries(BOUNDS.instructions)) {
    const difference =
      (await instructions(program, kind, many)) - (await instructions(program, kind, few));
    hold(`instructions for a ${kind} request`, difference / (many - few), bound);
  }
}

export async function run() {
  mkdirSync(folder, { recursive: true });
  const reason = process.platform === 'linux' ? await ringRefusal() : 'there is no io_uring';
  if (reason) skip('uring', reason);
  const noStrace = await straceRefusal();
  if (noStrace) skip('all system calls', noStrace);
  for (const engine of reason ? ['poll'] : ENGINES) {
    for (const [name, load] of Object.entries(LOADS)) {
      await countersOf(engine, load, name);
      if (!noStrace) await allCallsOf(engine, load, name);
    }
    await callsIntoJs(engine);
  }
  await parserInstructions();
  return result;
}
