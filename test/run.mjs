// Runs the lanes of tests one after the other and sums them up. The last line is always
// `N passed, N failed, N skipped`; before it stands every skip with its reason.
// Usage: node test/run.mjs [--only unit,poll,...]   (after the builds: `npm test -- --only ...`)
import { existsSync, readdirSync } from 'node:fs';
import { plainCoreLane, sanitizedCoreLanes } from './support/core-lane.mjs';
import { conformanceLanes, unitLane } from './support/vitest-lane.mjs';

const LANE_MS_MAX = 1_800_000;

/**
 * A file in test/lanes exports `name` and `run() -> { passed, failed, skipped, notes }`. With
 * `onRequest` it runs only when it is named, and `msMax` is for one that takes longer than usual.
 */
async function furtherLanes() {
  const folder = new URL('lanes/', import.meta.url);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  return Promise.all(files.sort().map((file) => import(new URL(file, folder).href)));
}

function chosenNames(args) {
  const index = args.findIndex((arg) => arg === '--only' || arg.startsWith('--only='));
  if (index === -1) return undefined;
  const value = args[index].includes('=') ? args[index].split('=')[1] : args[index + 1];
  return (value ?? '').split(',').filter((name) => name !== '');
}

async function runLane({ name, run, msMax = LANE_MS_MAX }) {
  console.log(`\n=== ${name}`);
  let timer;
  const bound = new Promise((_, reject) => {
    const late = () => reject(new Error(`the lane did not end within ${msMax / 1000} s`));
    timer = setTimeout(late, msMax);
  });
  try {
    return await Promise.race([run(), bound]);
  } catch (error) {
    console.log(error.stack);
    return { passed: 0, failed: 1, skipped: 0, notes: [error.message.split('\n')[0]] };
  } finally {
    clearTimeout(timer);
  }
}

const lanes = [
  plainCoreLane,
  unitLane,
  ...conformanceLanes,
  ...sanitizedCoreLanes,
  ...(await furtherLanes()),
];
const usual = lanes.filter(({ onRequest }) => onRequest !== true).map(({ name }) => name);
const names = chosenNames(process.argv.slice(2)) ?? usual;
const unknown = names.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0 || names.length === 0) {
  const known = lanes.map(({ name }) => name).join(', ');
  console.error(`No such lane: ${unknown.join(', ')} (there are ${known})`);
  process.exit(2);
}

const total = { passed: 0, failed: 0, skipped: 0 };
const table = [];
for (const lane of lanes.filter(({ name }) => names.includes(name))) {
  const start = Date.now();
  const { passed, failed, skipped, notes = [] } = await runLane(lane);
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  table.push(`${lane.name.padEnd(12)} ${counts}  (${seconds} s)`);
  table.push(...notes.map((note) => `${' '.repeat(12)}   ${note}`));
}
console.log(`\n${table.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
