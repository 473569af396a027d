// Runs lanes one after the other; meanwhile, with what they leave of the CPUs, what the later ones
// need is compiled.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from './command.mjs';

const LANE_MS_MAX = 1_800_000;
const SILENCE_MS_MAX = 30_000;
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

/** Waits for what is being compiled, and says so. */
async function ready(lane, waiting) {
  const start = Date.now();
  const seconds = () => (Date.now() - start) / 1000;
  const say = () => console.log(`${lane.name}: still compiling ... ${Math.round(seconds())} s`);
  const alive = setInterval(say, SILENCE_MS_MAX);
  const [preparation] = await Promise.all(waiting);
  clearInterval(alive);
  return { preparation, waited: seconds() };
}

/** Resolves with the lanes' results. */
export async function runLanes(lanes) {
  const { prepared, all } = prepareAll(lanes);
  const results = [];
  // Those that nothing may run beside come last.
  const inOrder = [...lanes].sort((a, b) => Number(a.alone ?? false) - Number(b.alone ?? false));
  for (const lane of inOrder) {
    console.log(`\n=== ${lane.name}`);
    const waiting = [prepared.get(lane), lane.alone ? all() : undefined];
    const { preparation, waited } = await ready(lane, waiting);
    const { seconds: compiling = 0, cpuSeconds = 0 } = preparation ?? {};
    if (preparation?.failed) {
      process.stdout.write(preparation.output);
      results.push({ lane, ...preparation, waited, compiling, seconds: 0 });
      continue;
    }
    const result = await startLane(lane, 'run', lane.msMax ?? LANE_MS_MAX, false);
    const cpu = result.cpuSeconds === undefined ? undefined : result.cpuSeconds + cpuSeconds;
    results.push({ lane, ...result, waited, compiling, cpuSeconds: cpu });
  }
  return results;
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
