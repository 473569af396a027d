// What the strategies of loop.wait cost and bring: a closed loop on few connections, where every
// message finds the server waiting, and requests that come now and then.
import { competitors as echo, ringpoll } from '../competitors/echo.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { waitingTargets } from '../targets/waiting.mjs';

export const describe = 'latency and CPU of few connections, by how the loop waits';

const REFERENCE = 'c-epoll';

const cases = [1, 4].map((connections) => ({
  name: `${connections}x64B`,
  title: `Closed loop, ${connections} × 64B`,
  load: { connections, size: 64 },
  brief: (outcome) =>
    `${briefMessages(outcome)}, p50 ${outcome.p50Us} µs, p99 ${outcome.p99Us} µs, ` +
    `${Math.round(outcome.cpuShare * 100)} % of a core`,
}));

const strategies = ['block', 'adaptive', 'spin'];
const ours = ['poll', 'hybrid'].flatMap((engine) =>
  strategies.map((wait) => {
    const one = ringpoll(`${engine}-${wait}`, 'tcp-echo.mjs', engine);
    return { ...one, env: { ...one.env, RINGPOLL_WAIT: wait } };
  }),
);
const competitors = [...echo.filter(({ name }) => name === REFERENCE), ...ours];

export async function run({ settings, wanted, results, log }) {
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) => messageTrial(competitor, 'echo', item.load, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  const names = ready.map(({ name }) => name);
  const sections = caseSections(results, cases, names, ['poll-block', 'hybrid-block']);
  results.data.targets = waitingTargets(results, cases);
  return page(results, {
    title: 'How the loop waits',
    unit: 'message',
    cases,
    competitors: names,
    sections,
  });
}
