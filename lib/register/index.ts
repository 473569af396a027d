// ringpoll/register: programs for node:http are served by ringpoll, without a change to them.
//
//   node --import ringpoll/register app.js
//
// Importing this replaces classes of node:http for everything that is loaded later, in CommonJS and
// in ES modules. RINGPOLL_REGISTER chooses: 'net,http' (the default), a part of it, 'dgram' too, or
// 'off'.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { faces } from '../faces.js';
import { installNet } from '../net/install.js';
import {
  createServer,
  IncomingMessage,
  nativeSide,
  Server,
  ServerResponse,
  seams,
} from '../node_http/classes.js';
import { wantedFaces } from './wanted.js';

// Not imported: a program that never listens would wait for most of the package.
const require = createRequire(import.meta.url);
nativeSide.load = () => require('../node_http/native_side.js');

const { faces: wanted, unknown } = wantedFaces(process.env.RINGPOLL_REGISTER);
if (unknown.length > 0) {
  const message = `RINGPOLL_REGISTER: ${unknown.join(', ')} is none of net, http, dgram, off`;
  process.emitWarning(message, { code: 'RINGPOLL_REGISTER' });
}

if (wanted.has('net')) {
  const { active, reason } = installNet();
  faces.set('node:net', active ? 'ringpoll' : (reason ?? 'unknown'));
} else {
  faces.set('node:net', 'RINGPOLL_REGISTER leaves it out');
}

if (wanted.has('dgram')) {
  const { installDgram } = require('../dgram/index.js') as typeof import('../dgram/index.js');
  const { active, reason } = installDgram();
  faces.set('node:dgram', active ? 'ringpoll' : (reason ?? 'unknown'));
}

if (!wanted.has('http')) {
  faces.set('node:http', 'RINGPOLL_REGISTER leaves it out');
} else if (typeof seams === 'string') {
  faces.set('node:http', `this version of Node lacks ${seams}`);
} else {
  const http = process.getBuiltinModule('node:http') as unknown as Record<string, unknown>;
  Object.assign(http, { createServer, IncomingMessage, Server, ServerResponse });
  faces.set('node:http', 'ringpoll');
}
syncBuiltinESMExports();
