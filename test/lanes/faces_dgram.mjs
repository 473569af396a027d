// The lane of Node's own tests of node:dgram, over ringpoll/dgram. It runs when it is named.
// By hand: node test/lanes/faces_dgram.mjs FOLDER [WAY] [PATTERN]
import { fileURLToPath } from 'node:url';
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces dgram';
export const onRequest = true;
export const msMax = 20 * 60 * 1000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { run, byHand } = suiteLane({
  match: /^test-dgram-.*\.m?js$/,
  hook: here('../faces/dgram_hook.cjs'),
  kept: here('../faces/dgram.json'),
});

export { run };

if (process.argv[1] === fileURLToPath(import.meta.url)) await byHand(process.argv.slice(2));
