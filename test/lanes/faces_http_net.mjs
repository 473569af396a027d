// The lane of Node's own tests of node:http where only the sockets are ringpoll's: HTTP is Node's,
// over node:net through ringpoll/register. It runs when it is named.
// By hand: node test/lanes/faces_http_net.mjs FOLDER [WAY] [PATTERN]
import { fileURLToPath } from 'node:url';
import { suiteLane } from '../faces/lane.mjs';

export const name = 'faces http over net';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { run, byHand } = suiteLane({
  match: /^test-http-.*\.m?js$/,
  hook: here('../../dist/register/require.cjs'),
  kept: here('../faces/http_net.json'),
  env: { RINGPOLL_REGISTER: 'net' },
});

export { run };

if (process.argv[1] === fileURLToPath(import.meta.url)) await byHand(process.argv.slice(2));
