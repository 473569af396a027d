// The lane of Node's own tests of node:net, over ringpoll/net. It runs when it is named.
// By hand: node test/lanes/faces_net.mjs FOLDER [WAY] [PATTERN]
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces net';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

export const run = await suiteLane(import.meta.url, {
  match: /^test-net-.*\.m?js$/,
  hook: '../faces/net_hook.cjs',
  kept: '../faces/net.json',
});
