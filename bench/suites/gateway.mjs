// HTTP gateways in front of one target: requests in turn, with all guards on, plain or with TLS
// towards clients (TLS 1.3, AES-128-GCM, P-256). And what the guards cost a server that does next
// to nothing.
import { join } from 'node:path';
import { BARE, competitors, HYBRID, RIVALS } from '../competitors/gateway.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { BENCH } from '../lib/paths.mjs';
import { proxiedMessages } from '../lib/proxied.mjs';
import { caseSections, cpuRatio, page } from '../lib/report.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';

export const describe = 'CPU per request of an HTTP gateway, against proxy_pass of nginx';

/** V8 compiles frameworks and clients late: seconds pass until their cost is flat. */
export const warmUp = 3;

const LIMIT = 1.3;
const LIMIT_NODE = 0.3;
const LIMIT_GUARDS = 1.03;

const target = {
  name: 'target',
  command: (port) => [
    ...[process.execPath, join(BENCH, 'servers/http-target.mjs'), String(port), 'static'],
  ],
};

const GUARDS = 'guards-c64';

const cases = [
  ['c64', '64 connections, one request at a time', 'plain', { connections: 64, depth: 1 }],
  ['c512', '512 connections, one request at a time', 'plain', { connections: 512, depth: 1 }],
  ['tls-c64', 'TLS in, plain out: 64 connections', 'tls', { connections: 64, depth: 1, tls: true }],
  [GUARDS, 'A server with all guards, and without', 'guards', { connections: 64, depth: 1 }],
].map(([name, title, kind, load]) => ({
  ...{ name, title, kind, load },
  mode: 'http',
  brief: briefMessages,
}));
const takesPart = (item, one) => item.kind === one.kind;

export async function run({ settings, wanted, results, log }) {
  const isWanted = (item, one) => takesPart(item, one) && wanted(item, one);
  const entrants = competitors.filter((one) => cases.some((item) => isWanted(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) =>
    item.kind === 'guards'
      ? messageTrial(competitor, item.mode, item.load, settings)
      : proxiedMessages(competitor, target, item, settings);
  const { rounds } = settings;
  const order = { cases, competitors: ready, wanted: isWanted, rounds };
  await interleave({ ...order, trial, results, log });
  const names = [...new Set(ready.map(({ name }) => name))];
  const sections = caseSections(results, cases, names, [...RIVALS, BARE]);
  const judge = (claim, limit, rival, some) => {
    const values = some.map(({ name }) => [name, cpuRatio(results, name, HYBRID, rival)]);
    const judged = atMost(claim, limit, Object.fromEntries(values));
    return { ...judged, line: verdictLine(judged, ratio) };
  };
  const gateways = cases.filter(({ name }) => name !== GUARDS);
  const guards = cases.filter(({ name }) => name === GUARDS);
  results.data.targets = [
    judge(`CPU of hybrid at most ${ratio(LIMIT)} × proxy_pass of nginx`, LIMIT, 'nginx', gateways),
    ...['http-proxy', 'fast-proxy'].map((rival) =>
      judge(`CPU of hybrid at most ${LIMIT_NODE} × ${rival}`, LIMIT_NODE, rival, gateways),
    ),
    judge(`CPU with all guards at most ${LIMIT_GUARDS} × without`, LIMIT_GUARDS, BARE, guards),
  ];
  return page(results, {
    ...{ title: 'HTTP gateway', unit: 'request', cases },
    ...{ competitors: names, sections },
  });
}
