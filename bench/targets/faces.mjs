// What unchanged programs are to gain: ratios of CPU per request to the same program without.
import { FACE, STOCK } from '../competitors/faces.mjs';
import { judgeClaims } from '../lib/claims.mjs';
import { ratio } from '../lib/table.mjs';
import { verdictLine } from '../lib/targets.mjs';

/** What is compared, the limit, the rival, and in which cases. */
const CLAIMS = [
  ['CPU', 0.5, STOCK, ['raw', 'raw-browser']],
  ['CPU', 0.62, STOCK, ['fastify-get', 'fastify-browser', 'koa-get']],
  ['CPU', 0.68, STOCK, ['fastify-post']],
  ['CPU', 0.7, STOCK, ['express-get']],
  ['CPU', 0.75, STOCK, ['nest-get']],
  ['CPU', 0.8, STOCK, ['express-post']],
  ['CPU', 0.7, STOCK, ['echo-64']],
  ['CPU', 0.95, STOCK, ['echo-16384']],
  ['CPU', 0.85, STOCK, ['pg', 'ioredis']],
  ['p99', 1, STOCK, ['raw', 'fastify-get', 'fastify-post', 'koa-get', 'express-get', 'nest-get']],
];

/** Every target with its verdict, and the line of the report that says so. */
export function faceTargets(results) {
  const targets = judgeClaims(results, CLAIMS, { engines: [FACE], hybrid: FACE });
  // One engine: what the best of them does is what it does.
  const once = targets.filter(({ claim }) => claim.includes('the best engine'));
  return once.map((target) => {
    const claim = target.claim.replace('the best engine', 'ringpoll');
    return { ...target, claim, line: verdictLine({ ...target, claim }, ratio) };
  });
}
