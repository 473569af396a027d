// Runs lanes. Those that use all CPUs come first, one after the other; meanwhile, with what they
// leave of the CPUs, what the later ones need is compiled. Then come those that use one CPU, as
// many at a time as there are CPUs, and last those that measure.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from './command.mjs';

const LANE_MS_MAX = 1_800_000;
const SILENCE_MS_MAX = 30_000;
const ROWS_MAX = 4; // of lanes that use one CPU
const root = fileURLToPath(new URL('../../', import.meta.url));
const program = fileURLToPath(new URL('lane-program.mjs', import.meta.url));
const folder = join(root, 'build', 'test');

const FAILED = { passed: 0, failed: 1, skipped: 0 };

async function startLane(lane, what, msMax, capture) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${lane.name.replaceAll(' ', '-')}-${what}.json`);
  rmSync(file, { force: true });
  const start = Date.now();
  const args = [program, lane.name, what, file];
  const ended = await runBounded(process.execPath, args, { msMax, cwd: root, capture });
  const seconds = (Date.now() - start) / 1000;
  const failure = failureOf(ended, msMax);
  const result = failure
    ? { ...FAILED, notes: [`the lane ${failure}`] }
    : JSON.parse(readFileSync(file, 'utf8'));
  return { ...result, seconds, output: ended.output };
}

/** Prepares lanes one after the other; each gets a promise of how that ended. */
function prepareAll(lanes) {
  let last = Promise.resolve();
  const prepared = new Map();
  for (const lane of lanes.filter(({ prepare }) => prepare !== undefined)) {
    last = last.then(() => startLane(lane, 'prepare', undefined, true));
    prepared.set(lane, last);
  }
  return { prepared, all: () => last };
}

/** Waits for something, and says every half minute for what. */
async function waitFor(what, work) {
  const start = Date.now();
  const seconds = () => (Date.now() - start) / 1000;
  const say = () => console.log(`${what} ... ${Math.round(seconds())} s`);
  const alive = setInterval(say, SILENCE_MS_MAX);
  const value = await work;
  clearInterval(alive);
  return { value, waited: seconds() };
}

/** The result of a lane. `captured`: its output is printed when it is over, and in one piece. */
async function runLane(lane, waiting, captured) {
  const head = `\n=== ${lane.name}`;
  if (!captured) console.log(head);
  const { value, waited } = await waitFor(`${lane.name}: still compiling`, Promise.all(waiting));
  const [preparation] = value;
  const { seconds: compiling = 0, cpuSeconds = 0 } = preparation ?? {};
  if (preparation?.failed) {
    process.stdout.write(captured ? `${head}\n${preparation.output}` : preparation.output);
    return { lane, ...preparation, waited, compiling, seconds: 0 };
  }
  const running = startLane(lane, 'run', lane.msMax ?? LANE_MS_MAX, captured);
  const result = captured ? (await waitFor(`${lane.name}: running`, running)).value : await running;
  if (captured) process.stdout.write(`${head}\n${result.output}`);
  const cpu = result.cpuSeconds === undefined ? undefined : result.cpuSeconds + cpuSeconds;
  return { lane, ...result, waited, compiling, cpuSeconds: cpu };
}

/** Resolves with the lanes' results, in their order. */
export async function runLanes(lanes) {
  const { prepared, all } = prepareAll(lanes);
  const results = new Map();
  const run = async (lane, captured = false) => {
    const waiting = [prepared.get(lane), lane.alone ? all() : undefined];
    results.set(lane, await runLane(lane, waiting, captured));
  };
  for (const lane of lanes) if (!lane.alone && !lane.oneCpu) await run(lane);
  const left = lanes.filter(({ oneCpu }) => oneCpu);
  const rows = Math.min(availableParallelism(), ROWS_MAX, left.length);
  const row = async () => {
    for (let lane = left.shift(); lane !== undefined; lane = left.shift()) {
      await run(lane, rows > 1);
    }
  };
  await Promise.all(Array.from({ length: rows }, row));
  for (const lane of lanes) if (lane.alone) await run(lane);
  return lanes.map((lane) => results.get(lane));
}

const number = (value) => (value === undefined ? '' : value.toFixed(1)).padStart(9);

/** Lines for people: counts, times in seconds, and what there is to say. */
export function tableOf(results) {
  const width = Math.max(...results.map(({ lane }) => lane.name.length), 4) + 2;
  const heads = ['compiled', 'waited', 'ran', 'CPU'].map((head) => head.padStart(9)).join('');
  const table = [`${'lane'.padEnd(width)}   passed   failed  skipped${heads}   (s)`];
  for (const { lane, passed, failed, skipped, notes = [], ...times } of results) {
    const counts = [passed, failed, skipped].map((count) => String(count).padStart(9)).join('');
    const { compiling, waited, seconds, cpuSeconds } = times;
    const seconds4 = [compiling, waited, seconds, cpuSeconds].map(number).join('');
    table.push(`${lane.name.padEnd(width)}${counts}${seconds4}`);
    table.push(...notes.map((note) => `${' '.repeat(width)}   ${note}`));
  }
  return table.join('\n');
}
