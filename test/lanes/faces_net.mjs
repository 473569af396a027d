// The lane of Node's own tests of node:net, over ringpoll/net. It runs when it is named.
// By hand: node test/lanes/faces_net.mjs FOLDER [WAY] [PATTERN]
import { fileURLToPath } from 'node:url';
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces net';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { run, byHand } = suiteLane({
  match: /^test-net-.*\.m?js$/,
  hook: here('../faces/net_hook.cjs'),
  kept: here('../faces/net.json'),
});

export { run };

if (process.argv[1] === fileURLToPath(import.meta.url)) await byHand(process.argv.slice(2));
