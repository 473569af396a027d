// ringpoll/register: programs for node:http are served by ringpoll, without a change to them.
//
//   node --import ringpoll/register app.js
//
// Importing this replaces classes of node:http for everything that is loaded later, in CommonJS and
// in ES modules. RINGPOLL_REGISTER chooses: 'net,http' (the default), a part of it, 'dgram' too, or
// 'off'. RINGPOLL_ADMIN says where admin() is to listen.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { faces } from '../faces.js';
import { later } from '../later.js';
import { wantedFaces } from './wanted.js';
import { wantedAdmin } from './wanted_admin.js';

// Little else is imported: a program waits for what it uses, when it uses it.
const require = createRequire(import.meta.url);

const LEFT_OUT = 'RINGPOLL_REGISTER leaves it out';
const OURS = 'ringpoll';

const { faces: wanted, unknown } = wantedFaces(process.env.RINGPOLL_REGISTER);
if (unknown.length > 0) {
  const message = `RINGPOLL_REGISTER: ${unknown.join(', ')} is none of net, http, dgram, off`;
  process.emitWarning(message, { code: 'RINGPOLL_REGISTER' });
}

const place = wantedAdmin(process.env);
let isShown = false;

/** When the first server of the program listens, or will. Its port goes before that of admin(). */
function showOnce(): void {
  const { isMainThread } = process.getBuiltinModule('node:worker_threads');
  if (isShown || place === undefined || !isMainThread) return;
  isShown = true;
  try {
    const { admin } = require('../admin/index.js') as typeof import('../admin/index.js');
    const { host, port, token } = place;
    const { url } = admin({ port, ...(host && { host }), ...(token && { token }) }).unref();
    // A token that somebody has chosen is known to them, and stays out of logs.
    console.error(`ringpoll: admin on ${token === undefined ? url : url.replace(/\?.*/, '')}`);
  } catch (error) {
    warnOfAdmin((error as Error).message);
  }
}

function warnOfAdmin(message: string): void {
  process.emitWarning(`RINGPOLL_ADMIN: ${message}`, { code: 'RINGPOLL_ADMIN' });
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
    nativeSide.load = () => {
      if (place !== undefined) later(showOnce);
      return require('../node_http/native_side.js');
    };
    if (typeof seams === 'string') return `this version of Node lacks ${seams}`;
    const http = process.getBuiltinModule('node:http') as unknown as Record<string, unknown>;
    Object.assign(http, { createServer, IncomingMessage, Server, ServerResponse });
    return OURS;
  },
};

faces.set('node:net', wanted.has('net') ? (replace['node:net']() ?? 'unknown') : LEFT_OUT);
if (wanted.has('dgram')) faces.set('node:dgram', replace['node:dgram']() ?? 'unknown');
faces.set('node:http', wanted.has('http') ? replace['node:http']() : LEFT_OUT);
if (place !== undefined && wanted.size > 0 && faces.get('node:http') !== OURS) {
  warnOfAdmin(`node:http is Node's: ${faces.get('node:http')}`);
}
if (wanted.size > 0) syncBuiltinESMExports();
