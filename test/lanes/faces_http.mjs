// The lane of Node's own tests of node:http, through ringpoll/register. It runs when it is named.
// By hand: node test/lanes/faces_http.mjs FOLDER [WAY] [PATTERN]
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces http';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

export const run = await suiteLane(import.meta.url, {
  match: /^test-http-.*\.m?js$/,
  hook: '../../dist/register/require.cjs',
  kept: '../faces/http.json',
  // Node's own sockets beside it: what is not served natively is plain Node.
  env: { RINGPOLL_REGISTER: 'http' },
});
