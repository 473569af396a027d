// What the triggers of loop.trigger cost on the engine that knows them, epoll: few connections and
// many, small messages and bursts, and connections that live for one byte.
import { competitors as echo, ringpoll } from '../competitors/echo.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, cpuRatioWithin, page } from '../lib/report.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';

export const describe = 'edges, levels and both by the adaptive rules, on epoll';

const KB = 1024;
const REFERENCE = 'c-epoll';
const TRIGGERS = ['edge', 'level', 'adaptive'];

const brief = (outcome) =>
  `${briefMessages(outcome)}, mean ${Math.round(outcome.meanUs)} µs, p99 ${outcome.p99Us} µs`;
const messages = (connections, size, label) => ({
  name: `${connections}x${label}`,
  title: `Closed loop, ${connections} × ${label}`,
  mode: 'echo',
  load: { connections, size },
  brief,
});
const cases = [
  messages(1, 64, '64B'),
  messages(64, 64, '64B'),
  messages(64, 16 * KB, '16KB'),
  messages(1000, 64, '64B'),
  messages(10_000, 64, '64B'),
  {
    name: 'connect',
    title: 'Connections that live for one byte, 16 at a time; latency from connect to the byte',
    mode: 'accept',
    // Many source addresses, for each has its closed connections to wait out.
    load: { connections: 16, sources: 32 },
    brief,
  },
];

const ours = TRIGGERS.map((trigger) => {
  const one = ringpoll(`poll-${trigger}`, 'tcp-echo.mjs', 'poll');
  return { ...one, env: { ...one.env, RINGPOLL_TRIGGER: trigger } };
});
const competitors = [...echo.filter(({ name }) => name === REFERENCE), ...ours];

async function trial(competitor, item, settings) {
  const outcome = await messageTrial(competitor, item.mode, item.load, settings);
  // Closed loop: by Little's law.
  const meanUs = (item.load.connections / outcome.messagesPerSecond) * 1e6;
  return { ...outcome, meanUs };
}

export async function run({ settings, wanted, results, log }) {
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const one = (competitor, item) => trial(competitor, item, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial: one, results, log });
  const names = ready.map(({ name }) => name);
  const sections = caseSections(results, cases, names, ['poll-edge', REFERENCE]);
  const claim = (trigger) => {
    const values = cases.map(({ name }) => [
      name,
      cpuRatioWithin(results, name, `poll-${trigger}`, 'poll-edge'),
    ]);
    const target = atMost(`CPU of ${trigger} ≤ that of edge`, 1, Object.fromEntries(values));
    return { ...target, line: verdictLine(target, ratio) };
  };
  results.data.targets = ['level', 'adaptive'].map(claim);
  return page(results, {
    title: 'How epoll tells of connections',
    unit: 'message',
    cases,
    competitors: names,
    sections,
  });
}
