// All lanes of `npm test`. One is { name, run(), prepare()?, msMax?, oneCpu?, alone?, onRequest? }:
//   run      resolves with { passed, failed, skipped, notes }, or rejects
//   prepare  compiles what run() needs; without a limit of time, beside other lanes
//   msMax    milliseconds for run(), for one that takes longer than usual
//   oneCpu   it uses one CPU and bounds no time, so that others of its kind may run beside it
//   alone    nothing runs or is compiled beside it, because it measures
//   onRequest  it runs only when it is named
import { readdirSync } from 'node:fs';
import { plainCoreLane, sanitizedCoreLanes } from './core-lane.mjs';
import { conformanceLanes, unitLane } from './vitest-lane.mjs';

/** A file in test/lanes exports what a lane consists of. */
function furtherLanes() {
  const folder = new URL('../lanes/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  return Promise.all(files.sort().map((file) => import(new URL(file, folder).href)));
}

// Those that compile little come first: meanwhile the others are compiled.
export const lanes = [
  unitLane,
  ...conformanceLanes,
  plainCoreLane,
  ...sanitizedCoreLanes,
  ...(await furtherLanes()),
];
