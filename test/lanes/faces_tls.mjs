// The lane of Node's own tests of node:https and node:tls, with ringpoll/register. It runs when it
// is named. By hand: node test/lanes/faces_tls.mjs FOLDER [WAY] [PATTERN]
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces tls';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

export const run = await suiteLane(import.meta.url, {
  match: /^test-(https|tls)-.*\.m?js$/,
  hook: '../../dist/register/require.cjs',
  kept: '../faces/tls.json',
});
