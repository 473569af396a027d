// Unchanged programs for node:http: a raw handler, Fastify, Express and Koa, on node:http and with
// `--import ringpoll/register`.
import { competitors, NAMES, STOCK } from '../competitors/faces.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { requestFile } from '../lib/requests.mjs';
import { briefMessages, messageTrial } from '../lib/trial.mjs';
import { faceTargets } from '../targets/faces.mjs';

export const describe = 'CPU per request of unchanged programs for node:http, with and without';

/** V8 compiles frameworks and clients late: seconds pass until their cost is flat. */
export const warmUp = 3;

const ONE = { connections: 64, depth: 1 };

const cases = [
  ['raw', 'raw', 'A raw handler, hello'],
  ['raw-browser', 'raw', "A raw handler, a browser's request", 'browser'],
  ['fastify-get', 'fastify', 'Fastify, GET'],
  ['fastify-browser', 'fastify', "Fastify, a browser's GET", 'browser'],
  ['fastify-post', 'fastify', 'Fastify, POST of JSON', 'json'],
  ['koa-get', 'koa', 'Koa, GET'],
  ['express-get', 'express', 'Express, GET'],
  ['express-post', 'express', 'Express, POST of JSON', 'json'],
].map(([name, program, title, request]) => ({
  ...{ name, program, title, request },
  brief: briefMessages,
}));

const loadOf = ({ request }) =>
  request === undefined ? ONE : { ...ONE, request: requestFile(request) };

export async function run({ settings, wanted, results, log }) {
  const takesPart = (item, who) => item.program === who.program && wanted(item, who);
  const entrants = competitors.filter((who) => cases.some((item) => takesPart(item, who)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) => messageTrial(competitor, 'http', loadOf(item), settings);
  const { rounds } = settings;
  const asked = { cases, competitors: ready, wanted: takesPart, rounds, trial, results, log };
  await interleave(asked);
  const sections = caseSections(results, cases, NAMES, [STOCK], {});
  results.data.targets = faceTargets(results);
  return page(results, {
    title: 'Unchanged programs for node:http',
    unit: 'request',
    cases,
    competitors: NAMES,
    sections,
  });
}
