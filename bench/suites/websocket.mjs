// WebSocket: echo of small and large messages, many in flight, publishing to many subscribers,
// compressed JSON, and many silent connections with heartbeats.
import { competitors } from '../competitors/websocket.mjs';
import { briefIdle, idleCase, idleTable, idleTrial, summarizeIdle } from '../lib/idle.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { websocketTargets } from '../targets/websocket.mjs';

export const describe =
  'CPU per message of WebSocket: echo, publish, permessage-deflate; idle connections';

const KB = 1024;
const REFERENCES = ['uws', 'bun', 'ws'];
const SUBSCRIBERS = 1000;
// One interval of heartbeats, so that each connection has its ping within it.
const HEARTBEAT_S = 30;

const small = { connections: 64, size: 64 };
const json = { connections: 64, size: KB, path: '/deflate', deflate: true };

const messageCases = [
  ['echo-64x64B', 'Echo, 64 connections × 64 B, binary', small],
  ['echo-64x64B-text', 'Echo, 64 connections × 64 B, text', { ...small, text: true }],
  ['echo-64x64B-16', 'Echo, 64 connections × 64 B, 16 in flight on each', { ...small, depth: 16 }],
  ['echo-64x16KB', 'Echo, 64 connections × 16 KB, binary', { ...small, size: 16 * KB }],
  [
    'publish-1000',
    `Publish 64 B to ${SUBSCRIBERS} subscribers, per delivery`,
    { connections: SUBSCRIBERS, size: 64, path: '/topic', mode: 'publish' },
  ],
  ['deflate-64x1KB', 'Echo of 1 KB of JSON, permessage-deflate without context takeover', json],
].map(([name, title, { mode = 'websocket', ...load }]) => ({
  ...{ name, title, mode, load },
  brief: briefMessages,
}));

export async function run({ settings, wanted, results, log }) {
  const idle = {
    ...idleCase(settings),
    mode: 'websocket-idle',
    brief: briefIdle,
    ...(!settings.quick && { silentSeconds: HEARTBEAT_S }),
  };
  const cases = [...messageCases, idle];
  const entrants = competitors.filter((one) => cases.some((item) => wanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) =>
    item === idle
      ? idleTrial(competitor, item, settings)
      : messageTrial(competitor, item.mode, item.load, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  return report(
    results,
    ready.map(({ name }) => name),
    idle,
  );
}

function report(results, names, idle) {
  const sections = caseSections(results, [...messageCases, idle], names, REFERENCES, {
    [idle.name]: { summary: summarizeIdle, table: idleTable },
  });
  results.data.targets = websocketTargets(results, idle.name);
  return page(results, {
    title: 'WebSocket',
    unit: 'message',
    cases: messageCases,
    competitors: names,
    sections,
  });
}
