// The same program for node:http, on node:http itself and with ringpoll/register. What serves it is
// all that differs.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { npmPeers } from '../lib/build.mjs';
import { BENCH, PEERS } from '../lib/paths.mjs';

const node = process.execPath;
export const REGISTER = pathToFileURL(join(BENCH, '..', 'dist', 'register', 'index.js')).href;

export const STOCK = 'node-http';
export const FACE = 'ringpoll';
export const NAMES = [STOCK, FACE];

const PROGRAMS = ['raw', 'fastify', 'express', 'koa'];

function entrant(name, program, flags) {
  return {
    name,
    program,
    prepare: npmPeers,
    command: (port) => [node, ...flags, join(PEERS, 'faces.mjs'), String(port), program],
  };
}

export const competitors = PROGRAMS.flatMap((program) => [
  entrant(STOCK, program, []),
  entrant(FACE, program, ['--import', REGISTER]),
]);
