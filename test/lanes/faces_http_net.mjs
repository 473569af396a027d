// The lane of Node's own tests of node:http where only the sockets are ringpoll's: HTTP is Node's,
// over node:net through ringpoll/register. It runs when it is named.
// By hand: node test/lanes/faces_http_net.mjs FOLDER [WAY] [PATTERN]
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces http over net';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

export const run = await suiteLane(import.meta.url, {
  match: /^test-http-.*\.m?js$/,
  hook: '../../dist/register/require.cjs',
  kept: '../faces/http_net.json',
  env: { RINGPOLL_REGISTER: 'net' },
});
