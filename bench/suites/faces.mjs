// Unchanged programs for node:http and node:net, with and without `--import ringpoll/register`:
// servers (a raw handler, Fastify, Express, Koa, NestJS, an echo), and clients of databases.
import { clients, ECHO, NAMES, STOCK, servers } from '../competitors/faces.mjs';
import { briefClient, clientTrial } from '../lib/client_trial.mjs';
import { databases } from '../lib/databases.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { requestFile } from '../lib/requests.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { faceTargets } from '../targets/faces.mjs';

export const describe = 'CPU of unchanged programs for node:http and node:net, with and without';

/** V8 compiles frameworks and clients late: seconds pass until their cost is flat. */
export const warmUp = 3;

const ONE = { connections: 64, depth: 1 };

const httpCases = [
  ['raw', 'raw', 'A raw handler, hello'],
  ['raw-browser', 'raw', "A raw handler, a browser's request", 'browser'],
  ['fastify-get', 'fastify', 'Fastify, GET'],
  ['fastify-browser', 'fastify', "Fastify, a browser's GET", 'browser'],
  ['fastify-post', 'fastify', 'Fastify, POST of JSON', 'json'],
  ['koa-get', 'koa', 'Koa, GET'],
  ['express-get', 'express', 'Express, GET'],
  ['express-post', 'express', 'Express, POST of JSON', 'json'],
  ['nest-get', 'nest', 'NestJS on Fastify, GET'],
].map(([name, program, title, request]) => ({
  ...{ name, program, title, mode: 'http' },
  load: request === undefined ? ONE : { ...ONE, request: requestFile(request) },
}));

const echoCases = [64, 16 * 1024].map((size) => ({
  ...{ name: `echo-${size}`, program: ECHO, mode: 'echo' },
  title: `A node:net echo, 64 connections, ${size} bytes`,
  load: { connections: 64, size },
}));

const serverCases = [...httpCases, ...echoCases].map((item) => ({ ...item, brief: briefMessages }));

const clientCases = [
  ['pg', 'pg, SELECT 1, one at a time on each of 8 connections', 8],
  ['ioredis', 'ioredis, pipelines of 16 GET, one at a time on each of 8 connections', 8],
].map(([name, title, connections]) => ({ name, title, connections, brief: briefClient }));

async function runServers({ settings, wanted, results, log }) {
  const takesPart = (item, who) => item.program === who.program && wanted(item, who);
  const entrants = servers.filter((who) => serverCases.some((item) => takesPart(item, who)));
  const competitors = await prepareCompetitors(entrants, results, log);
  const trial = (who, { mode, load }) => messageTrial(who, mode, load, settings);
  const { rounds } = settings;
  const asked = { cases: serverCases, competitors, wanted: takesPart, rounds, trial };
  await interleave({ ...asked, results, log });
}

/** Client and database have a CPU each. */
async function runClients({ settings, wanted, results, log }) {
  const competitors = await prepareCompetitors(clients, results, log);
  const { rounds, serverCpu } = settings;
  for (const item of clientCases) {
    if (!competitors.some((who) => wanted(item, who))) continue;
    const database = await databases[item.name]({ cpu: serverCpu });
    if (database.missing !== undefined) {
      results.competitorMissing(item.name, database.missing);
      continue;
    }
    const trial = (who) =>
      clientTrial([...who.command(item.name), database.port, item.connections], settings);
    try {
      await interleave({ cases: [item], competitors, wanted, rounds, trial, results, log });
    } finally {
      await database.stop();
    }
  }
}

export async function run(context) {
  await runServers(context);
  await runClients(context);
  const { results } = context;
  const cases = [...serverCases, ...clientCases];
  const sections = caseSections(results, cases, NAMES, [STOCK], {});
  results.data.targets = faceTargets(results);
  return page(results, {
    title: 'Unchanged programs for node:http and node:net',
    unit: 'request',
    cases,
    competitors: NAMES,
    sections,
  });
}
