// ringpoll/register: programs for node:http are served by ringpoll, without a change to them.
//
//   node --import ringpoll/register app.js
//
// Importing this replaces classes of node:http for everything that is loaded later, in CommonJS and
// in ES modules. RINGPOLL_REGISTER chooses: 'net,http' (the default), a part of it, 'dgram' too, or
// 'off'.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import '../later.js';
import { faces } from '../faces.js';
import { wantedFaces } from './wanted.js';

// Little else is imported: a program waits for what it uses, when it uses it.
const require = createRequire(import.meta.url);

const LEFT_OUT = 'RINGPOLL_REGISTER leaves it out';
const OURS = 'ringpoll';

const { faces: wanted, unknown } = wantedFaces(process.env.RINGPOLL_REGISTER);
if (unknown.length > 0) {
  const message = `RINGPOLL_REGISTER: ${unknown.join(', ')} is none of net, http, dgram, off`;
  process.emitWarning(message, { code: 'RINGPOLL_REGISTER' });
}

/** Each tells who serves the module from now on. */
const replace = {
  'node:net'() {
    const { installNet, nativeSide } =
      require('../net/install.js') as typeof import('../net/install.js');
    nativeSide.load = () => require('../net/native_side.js');
    const { active, reason } = installNet();
    return active ? OURS : reason;
  },
  'node:dgram'() {
    const { installDgram } = require('../dgram/index.js') as typeof import('../dgram/index.js');
    const { active, reason } = installDgram();
    return active ? OURS : reason;
  },
  'node:http'() {
    const { createServer, IncomingMessage, nativeSide, Server, ServerResponse, seams } =
      require('../node_http/classes.js') as typeof import('../node_http/classes.js');
    nativeSide.load = () => require('../node_http/native_side.js');
    if (typeof seams === 'string') return `this version of Node lacks ${seams}`;
    const http = process.getBuiltinModule('node:http') as unknown as Record<string, unknown>;
    Object.assign(http, { createServer, IncomingMessage, Server, ServerResponse });
    return OURS;
  },
};

faces.set('node:net', wanted.has('net') ? (replace['node:net']() ?? 'unknown') : LEFT_OUT);
if (wanted.has('dgram')) faces.set('node:dgram', replace['node:dgram']() ?? 'unknown');
faces.set('node:http', wanted.has('http') ? replace['node:http']() : LEFT_OUT);
if (wanted.size > 0) syncBuiltinESMExports();
