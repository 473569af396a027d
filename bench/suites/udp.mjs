// UDP echo: closed loops of several sizes, with few and with many datagrams under way.
import { competitors } from '../competitors/udp.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { udpTargets } from '../targets/udp.mjs';

export const describe = 'CPU per packet of a UDP echo server';

const REFERENCES = ['c-recvmmsg', 'node-dgram'];
/** Sockets, datagrams under way on each, bytes of one. */
const SHAPES = [
  [1, 1, 64],
  [1, 64, 64],
  [64, 1, 64],
  [64, 16, 64],
  [64, 1, 1400],
  [16, 1, 32_768],
];
/** For these the targets hold: with one packet a turn, the turn costs more than the packet. */
const TARGETS = ['1x64x64B', '64x1x64B', '64x16x64B'];

const cases = SHAPES.map(([connections, depth, size]) => ({
  name: `${connections}x${depth}x${size}B`,
  title: `${connections} sockets with ${depth} × ${size} bytes under way`,
  load: { connections, depth, size },
  brief: briefMessages,
}));

export async function run({ settings, wanted, results, log }) {
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const { rounds } = settings;
  const trial = (competitor, item) => messageTrial(competitor, 'datagram', item.load, settings);
  const fits = (item, { sizeMax = Infinity }) => item.load.size <= sizeMax;
  const enters = (item, one) => fits(item, one) && wanted(item, one);
  await interleave({ cases, competitors: ready, wanted: enters, rounds, trial, results, log });
  const names = ready.map(({ name }) => name);
  const sections = caseSections(results, cases, names, REFERENCES);
  results.data.targets = udpTargets(results, TARGETS);
  return page(results, {
    title: 'UDP echo',
    unit: 'packet',
    cases,
    competitors: names,
    sections,
  });
}
