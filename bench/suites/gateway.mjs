// HTTP gateways in front of one target: requests in turn, plain in and out, with all guards on.
import { join } from 'node:path';
import { competitors, HYBRID, RIVALS } from '../competitors/gateway.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { BENCH } from '../lib/paths.mjs';
import { proxiedMessages } from '../lib/proxied.mjs';
import { caseSections, cpuRatio, page } from '../lib/report.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';
import { briefMessages } from '../lib/trial.mjs';

export const describe = 'CPU per request of an HTTP gateway, against proxy_pass of nginx';

/** Frameworks and clients in JavaScript are compiled late: seconds pass until their cost is flat. */
export const warmUp = 3;

const LIMIT = 1.3;

const target = {
  name: 'target',
  command: (port) => [
    ...[process.execPath, join(BENCH, 'servers/http-target.mjs'), String(port), 'static'],
  ],
};

const cases = [
  ['c64', '64 connections, one request at a time', { connections: 64, depth: 1 }],
  ['c512', '512 connections, one request at a time', { connections: 512, depth: 1 }],
].map(([name, title, load]) => ({ name, title, load, mode: 'http', brief: briefMessages }));

export async function run({ settings, wanted, results, log }) {
  const ready = await prepareCompetitors(competitors, results, log);
  const trial = (competitor, item) => proxiedMessages(competitor, target, item, settings);
  const { rounds } = settings;
  await interleave({ cases, competitors: ready, wanted, rounds, trial, results, log });
  const names = ready.map(({ name }) => name);
  const sections = caseSections(results, cases, names, RIVALS);
  const values = cases.map(({ name }) => [name, cpuRatio(results, name, HYBRID, 'nginx')]);
  const claim = `CPU of hybrid at most ${ratio(LIMIT)} × proxy_pass of nginx`;
  const judged = atMost(claim, LIMIT, Object.fromEntries(values));
  results.data.targets = [{ ...judged, line: verdictLine(judged, ratio) }];
  return page(results, {
    ...{ title: 'HTTP gateway', unit: 'request', cases },
    ...{ competitors: names, sections },
  });
}
