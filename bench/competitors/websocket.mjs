// Who takes part in the WebSocket suite. Everybody echoes on /, with permessage-deflate on
// /deflate, and gives what comes on /topic to all connections there.
import { join } from 'node:path';
import { bunBinary, npmPeers } from '../lib/build.mjs';
import { PEERS } from '../lib/paths.mjs';
import { ringpoll } from './echo.mjs';

const node = process.execPath;

function onNode(name, script) {
  return {
    name,
    prepare: npmPeers,
    command: (port) => [node, join(PEERS, script), String(port)],
  };
}

export const HYBRID = 'ringpoll-hybrid';
export const ENGINES = ['ringpoll-poll', 'ringpoll-uring', HYBRID];

export const competitors = [
  onNode('uws', 'ws-uws.mjs'),
  {
    name: 'bun',
    prepare: bunBinary,
    command: async (port) => [await bunBinary(), join(PEERS, 'ws-bun.mjs'), String(port)],
  },
  onNode('ws', 'ws-ws.mjs'),
  ...ENGINES.map((name) => ringpoll(name, 'ws-echo.mjs', name.replace('ringpoll-', ''))),
];
