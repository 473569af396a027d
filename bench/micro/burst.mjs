// A burst on the compute pool, see bench/lib/burst.mjs.
//
//   node bench/micro/burst.mjs [--json] [--quick] [--only PATTERN]
import { commandLine } from '../../scripts/command_line.mjs';
import {
  ABOUT_BURST,
  BURST_FACTOR,
  burstTable,
  play,
  pools,
  QUIET_PER_S,
  WORK,
} from '../lib/burst.mjs';
import { describeMachine } from '../lib/machine.mjs';

const USAGE = 'usage: node bench/micro/burst.mjs [--quick] [--only NAME] [--json]';
const { values } = commandLine(USAGE, {
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const lengths = values.quick ? { quietS: 2, burstS: 3 } : { quietS: 5, burstS: 10 };
const results = {};
for (const [name, options] of Object.entries(pools)) {
  if (name.includes(values.only)) results[name] = await play(options, lengths);
}
if (values.json) {
  const settings = { ...WORK, ...lengths, QUIET_PER_S, BURST_FACTOR };
  console.log(JSON.stringify({ machine: describeMachine(), settings, results }, null, 2));
} else {
  const { quietS, burstS } = lengths;
  const burst = `${burstS} s at ${BURST_FACTOR} times the load`;
  console.log(
    `${quietS} s quiet, ${burst}, ${quietS} s quiet. ${ABOUT_BURST}\n\n${burstTable(results)}`,
  );
}
