// The lane of Node's own tests of node:https and node:tls, with ringpoll/register. It runs when it
// is named. By hand: node test/lanes/faces_tls.mjs FOLDER [WAY] [PATTERN]
import { fileURLToPath } from 'node:url';
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces tls';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { run, byHand } = suiteLane({
  match: /^test-(https|tls)-.*\.m?js$/,
  hook: here('../../dist/register/require.cjs'),
  kept: here('../faces/tls.json'),
});

export { run };

if (process.argv[1] === fileURLToPath(import.meta.url)) await byHand(process.argv.slice(2));
