// Runs the lanes of tests and sums them up. The last line is always
// `N passed, N failed, N skipped`; before it stands a table with every skip and its reason, and
// every failure with its error.
// Usage: node test/run.mjs [--list] [--only unit,poll,...]   (after the builds: `npm test -- ...`)
import { testArguments } from './support/arguments.mjs';
import { lanes } from './support/lanes.mjs';
import { runLanes, tableOf } from './support/run-lanes.mjs';

const usual = lanes.filter(({ onRequest }) => onRequest !== true).map(({ name }) => name);
const { list, only: names = usual } = testArguments();
if (list) {
  for (const { name, onRequest } of lanes) {
    console.log(onRequest === true ? `${name}  (only when it is named)` : name);
  }
  process.exit(0);
}
const unknown = names.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0 || names.length === 0) {
  const known = lanes.map(({ name }) => name).join(', ');
  console.error(`No such lane: ${unknown.join(', ')} (there are ${known})`);
  process.exit(2);
}

const start = Date.now();
const results = await runLanes(lanes.filter(({ name }) => names.includes(name)));
console.log(`\n${tableOf(results)}\n\nall lanes: ${Math.round((Date.now() - start) / 1000)} s`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exit(sum('failed') > 0 ? 1 : 0);
