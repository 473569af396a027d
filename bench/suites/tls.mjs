// HTTPS with TLS 1.3 and AES-128-GCM: requests, full and resumed handshakes, downloads, requests
// while handshakes come, and silent connections.
import { competitors, NAMES } from '../competitors/tls.mjs';
import { briefIdle, idleCase, idleTable, idleTrial, summarizeIdle } from '../lib/idle.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { briefStorm, STORM, stormTable, stormTrial, summarizeStorm } from '../lib/storm.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { tlsTargets } from '../targets/tls.mjs';

export const describe = 'CPU of HTTPS servers: requests, handshakes, downloads, idle connections';

const MEGABYTE = 1024 * 1024;
const REFERENCES = ['uws', 'bun', 'node-https', 'nginx'];
// Each handshake takes a port, which rests for a minute afterwards.
const SOURCES = 64;

const hello = { tls: true, connections: 64, bodyLength: 13 };
const handshakes = { connections: 64, sources: SOURCES };
const bytes = { tls: true, connections: 8, bodyLength: MEGABYTE };

const messageCases = [
  ['hello-c64', 'Hello, 64 connections', 'http', hello],
  ['hello-c64-pipe16', 'Hello, 64 connections, 16 requests in a write', 'http', { depth: 16 }],
  ['handshake-ec', 'Full handshakes, P-256, each with a request', 'handshake', handshakes],
  ['handshake-rsa', 'Full handshakes, RSA-2048, each with a request', 'handshake', handshakes],
  ['resumed', 'Resumed handshakes, P-256, each with a request', 'handshake', { resume: true }],
  ['download-1MB', 'Downloads of 1 MB on 8 connections', 'http', bytes],
].map(([name, title, mode, load]) => ({
  ...{ name, title, mode },
  load: { ...(mode === 'http' ? hello : handshakes), ...load },
  key: name === 'handshake-rsa' ? 'rsa' : 'ec',
  body: name === 'download-1MB' ? 'megabyte' : 'plain',
  brief: briefMessages,
}));

const STORM_CASE = { ...STORM, key: 'ec', body: 'plain', brief: briefStorm };

export async function run({ settings, wanted, results, log }) {
  const idle = {
    ...idleCase(settings),
    mode: 'http-idle',
    load: { tls: true },
    key: 'ec',
    body: 'plain',
    brief: briefIdle,
  };
  const cases = [...messageCases, STORM_CASE, idle];
  const takesPart = (item, one) =>
    item.key === one.key && item.body === one.body && wanted(item, one);
  const entrants = competitors.filter((one) => cases.some((item) => takesPart(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) => {
    if (item === idle) return idleTrial(competitor, item, settings);
    if (item === STORM_CASE) return stormTrial(competitor, settings);
    return messageTrial(competitor, item.mode, item.load, settings);
  };
  const { rounds } = settings;
  const order = { cases, competitors: ready, wanted: takesPart, rounds };
  await interleave({ ...order, trial, results, log });
  return report(results, idle);
}

function report(results, idle) {
  const sections = caseSections(results, [...messageCases, STORM_CASE, idle], NAMES, REFERENCES, {
    [STORM.name]: { summary: summarizeStorm, table: stormTable },
    [idle.name]: { summary: summarizeIdle, table: idleTable },
  });
  results.data.targets = tlsTargets(results, idle.name, STORM.name);
  return page(results, {
    title: 'TLS',
    unit: 'request or handshake',
    cases: messageCases,
    competitors: NAMES,
    sections,
  });
}
