// How much longer a process lives that imports ringpoll than one that does nothing.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from './paths.mjs';
import { run } from './process.mjs';
import { median } from './stats.mjs';
import { number, table } from './table.mjs';

const PAIRS = 21;
const PAIRS_QUICK = 5;
// Inside the checkout, where a package finds itself by its name.
const FOLDER = join(BENCH, 'build', 'import');
const PROGRAMS = {
  '(nothing)': '',
  'node:net': "import 'node:net';",
  ringpoll: "import 'ringpoll';",
  'ringpoll/http': "import 'ringpoll/http';",
};

export const IMPORT_CASE = 'import';

async function lifetimeMs(program, cpu) {
  const start = process.hrtime.bigint();
  await run([process.execPath, program], { cpu });
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/**
 * Starts each program once a round and files how much longer it took than the empty one beside it.
 */
export async function importTrials({ settings, results, log }) {
  mkdirSync(FOLDER, { recursive: true });
  const programs = Object.entries(PROGRAMS).map(([name, text], i) => {
    const path = join(FOLDER, `${i}.mjs`);
    writeFileSync(path, `${text}\n`);
    return [name, path];
  });
  const pairs = settings.quick ? PAIRS_QUICK : PAIRS;
  // Round 0 fills the page cache and is not kept.
  for (let round = 0; round <= pairs; round++) {
    let emptyMs = 0;
    for (const [name, path] of programs) {
      const ms = await lifetimeMs(path, settings.serverCpu);
      if (name === programs[0][0]) emptyMs = ms;
      const entry = { case: IMPORT_CASE, round, competitor: name };
      if (round > 0) results.trial({ ...entry, lifetimeMs: ms, addedMs: ms - emptyMs });
    }
  }
  log(`${IMPORT_CASE}: ${number(importMedians(results).ringpoll?.addedMs)} ms for ringpoll`);
}

/** Medians by program, in milliseconds; empty when there were no trials. */
export function importMedians(results) {
  const entries = Object.keys(PROGRAMS).map((name) => {
    const trials = results.of(IMPORT_CASE, name);
    const of = (key) => median(trials.map((trial) => trial[key]));
    return [name, { pairs: trials.length, lifetimeMs: of('lifetimeMs'), addedMs: of('addedMs') }];
  });
  return Object.fromEntries(entries.filter(([, { pairs }]) => pairs > 0));
}

export function importTable(medians) {
  const rows = Object.entries(medians).map(([name, { pairs, lifetimeMs, addedMs }]) => [
    name,
    number(lifetimeMs),
    number(addedMs),
    pairs,
  ]);
  return table(['imports', 'ms from start to end', 'ms over nothing', 'pairs'], rows);
}
