// The lane of Node's own tests of node:dgram, over ringpoll/dgram. It runs when it is named.
// By hand: node test/lanes/faces_dgram.mjs FOLDER [WAY] [PATTERN]
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces dgram';
export const onRequest = true;
export const msMax = 20 * 60 * 1000;

export const run = await suiteLane(import.meta.url, {
  match: /^test-dgram-.*\.m?js$/,
  hook: '../faces/dgram_hook.cjs',
  kept: '../faces/dgram.json',
});
