// A pool of fixed size beside pools that follow a policy, while the load is six times as high for
// ten seconds. One round: what happens in it is a matter of seconds, not of microseconds.
import { ABOUT_BURST, BURST_FACTOR, burstTable, play, pools } from '../lib/burst.mjs';
import { interleave } from '../lib/interleave.mjs';
import { preamble } from '../lib/report.mjs';
import { number } from '../lib/table.mjs';

export const describe = 'the compute pool in a burst: fixed size beside policies';

const cases = [
  {
    name: 'burst',
    roundsMax: 1,
    brief: ({ burstP99Ms, sizeMax }) => `p99 ${number(burstP99Ms)} ms, ${sizeMax} workers`,
  },
];

export async function run({ settings, wanted, results, log }) {
  const lengths = settings.quick ? { quietS: 1, burstS: 3 } : { quietS: 3, burstS: 10 };
  const competitors = Object.entries(pools).map(([name, options]) => ({ name, options }));
  const trial = ({ options }) => play(options, lengths);
  const { rounds } = settings;
  await interleave({ cases, competitors, wanted, rounds, trial, results, log });
  const played = results.of('burst').map(({ competitor, ...outcome }) => [competitor, outcome]);
  const { quietS, burstS } = lengths;
  return [
    '# The compute pool in a burst',
    preamble(results),
    `${quietS} s quiet, ${burstS} s at ${BURST_FACTOR} times the load, ${quietS} s quiet, in the ` +
      `process of the runner itself. ${ABOUT_BURST}`,
    burstTable(Object.fromEntries(played)),
  ].join('\n\n');
}
