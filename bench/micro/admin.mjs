// What it costs to be watched: the CPU time of a request with admin() and all that it measures,
// against the same server without. It is turned on and off many times in one process, so that what
// else goes on in the machine meets both alike. Each slot is compared with its neighbours.
//
//   node bench/micro/admin.mjs [--slots N] [--ms N] [--json]
import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { startLoad } from '../lib/load.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { plaintext } from '../lib/plaintext.mjs';
import { endChildrenWithRunner } from '../lib/process.mjs';
import { median, medianInterval } from '../lib/stats.mjs';

const USAGE = 'usage: node bench/micro/admin.mjs [--slots N] [--ms N] [--json]';
const LOADS = {
  '64 connections': { connections: 64 },
  '64 connections, 16 requests at once': { connections: 64, depth: 16 },
};
/** Behind each change, until what the change itself does is over. */
const SETTLE_MS = 50;
const WARM_UP_S = 1;

const { values } = commandLine(USAGE, {
  options: {
    slots: { type: 'string', default: '40' },
    ms: { type: 'string', default: '250' },
    json: { type: 'boolean', default: false },
  },
});
const slots = numberOption(values, 'slots', [4, 1000], USAGE);
const slotMs = numberOption(values, 'ms', [50, 10_000], USAGE);
endChildrenWithRunner();

/** Microseconds of CPU of a request, over one slot. */
async function slot() {
  const requests = () => Loop.current().metrics().httpRequests;
  await delay(SETTLE_MS);
  const before = requests();
  const cpu = process.cpuUsage();
  await delay(slotMs);
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / (requests() - before);
}

/** Ratios of each slot in between to the mean of its neighbours. */
const ratios = (costs, first) =>
  costs.flatMap((cost, at) => {
    const isOne = at % 2 === first && at > 0 && at < costs.length - 1;
    return isOne ? [(2 * cost) / (costs[at - 1] + costs[at + 1])] : [];
  });

const results = [];
const server = serve({ host: '127.0.0.1', port: 0, handler: plaintext });
for (const [name, options] of Object.entries(LOADS)) {
  const seconds = WARM_UP_S + ((slots + 1) * (slotMs + 2 * SETTLE_MS)) / 1000 + 1;
  const load = await startLoad('http', { ...options, port: server.port, seconds, warmUp: 0.1 });
  await delay(WARM_UP_S * 1000);
  const costs = [];
  for (let at = 0; at < slots; at++) {
    const observed = at % 2 === 1 ? admin({ port: 0, token: false }) : undefined;
    costs.push(await slot());
    await observed?.stop();
  }
  await load.stop();
  const on = ratios(costs, 1);
  // The same of slots without, among themselves: what is no more than chance.
  const without = costs.filter((_, at) => at % 2 === 0);
  const off = ratios(without, 1);
  results.push({
    load: name,
    microseconds: median(without),
    ratio: { median: median(on), ...medianInterval(on) },
    chance: { median: median(off), ...medianInterval(off) },
  });
}
server.destroy();
if (values.json) {
  console.log(JSON.stringify({ machine: describeMachine(), slots, slotMs, results }, null, 2));
} else {
  const text = ({ median: middle, low, high }) =>
    `${middle.toFixed(3)} times (${low.toFixed(3)} to ${high.toFixed(3)})`;
  for (const { load, microseconds, ratio, chance } of results) {
    console.log(`${load}: ${microseconds.toFixed(3)} µs of CPU a request`);
    console.log(`  with admin(): ${text(ratio)}`);
    console.log(`  without, against without: ${text(chance)}`);
  }
}
