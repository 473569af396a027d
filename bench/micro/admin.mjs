// What it costs to be watched: the CPU time of a request with admin() and everything that it
// measures, against the same server without. A B A B, medians of ratios.
//
//   node bench/micro/admin.mjs [--rounds N] [--seconds S] [--json]
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { endChildrenWithRunner } from '../lib/process.mjs';
import { median, medianInterval } from '../lib/stats.mjs';
import { messageTrial } from '../lib/trial.mjs';

const USAGE = 'usage: node bench/micro/admin.mjs [--rounds N] [--seconds S] [--json]';
const LOADS = {
  '64 connections': { connections: 64 },
  '64 connections, 16 requests at once': { connections: 64, depth: 16 },
};
const PROGRAM = 'bench/servers/http-plaintext.mjs';
/** Twice the same server without tells how much of a difference is noise. */
const SERVERS = { off: {}, on: { ADMIN: '0' }, 'off again': {} };

const { values } = commandLine(USAGE, {
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberOption(values, 'rounds', [1, 100], USAGE);
const seconds = numberOption(values, 'seconds', [0.1, 60], USAGE);
endChildrenWithRunner();

const results = [];
for (const [load, options] of Object.entries(LOADS)) {
  const costs = { off: [], on: [], 'off again': [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, env] of Object.entries(SERVERS)) {
      const server = { name, env, command: (port) => [process.execPath, PROGRAM, String(port)] };
      const settings = { seconds, warmUp: 0.5, serverCpu: 0, loadCpu: 1 };
      const { cpuUs } = await messageTrial(server, 'http', options, settings);
      costs[name].push(cpuUs);
    }
  }
  const ratios = (name) => costs[name].map((cost, round) => cost / costs.off[round]);
  results.push({
    load,
    microseconds: Object.fromEntries(
      Object.entries(costs).map(([name, each]) => [name, median(each)]),
    ),
    ratio: { median: median(ratios('on')), ...medianInterval(ratios('on')) },
    noise: { median: median(ratios('off again')), ...medianInterval(ratios('off again')) },
  });
}
if (values.json) {
  console.log(JSON.stringify({ machine: describeMachine(), rounds, seconds, results }, null, 2));
} else {
  const shown = ({ median: middle, low, high }) =>
    `${middle.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  for (const { load, microseconds, ratio, noise } of results) {
    console.log(`${load}: ${microseconds.off.toFixed(3)} µs of CPU a request without`);
    console.log(`  with admin(), as a ratio: ${shown(ratio)}`);
    console.log(`  without, a second time:   ${shown(noise)}`);
  }
}
