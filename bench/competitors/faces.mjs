// The same program for node:http or node:net, on these themselves and with ringpoll/register. What
// serves it is all that differs.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { npmPeers } from '../lib/build.mjs';
import { BENCH, PEERS } from '../lib/paths.mjs';

const node = process.execPath;
export const REGISTER = pathToFileURL(join(BENCH, '..', 'dist', 'register', 'index.js')).href;

export const STOCK = 'node';
export const FACE = 'ringpoll';
export const NAMES = [STOCK, FACE];

const HTTP = ['raw', 'fastify', 'express', 'koa', 'nest'];
export const ECHO = 'net-echo';

const FLAGS = { [STOCK]: [], [FACE]: ['--import', REGISTER] };

function server(name, program) {
  const script = program === ECHO ? ['echo-node.mjs'] : ['faces.mjs', program];
  const [file, ...args] = script;
  return {
    ...{ name, program },
    prepare: npmPeers,
    command: (port) => [node, ...FLAGS[name], join(PEERS, file), String(port), ...args],
  };
}

export const servers = NAMES.flatMap((name) =>
  [...HTTP, ECHO].map((program) => server(name, program)),
);

/** Clients of databases: `command` is to be followed by a port, and by connections. */
export const clients = NAMES.map((name) => ({
  name,
  prepare: npmPeers,
  command: (kind) => [node, ...FLAGS[name], join(BENCH, 'clients', 'database.mjs'), kind],
}));
