/** Keys, whatever they hold: existence, expiry, names. */

import { CommandError, syntaxError } from '../errors.mjs';
import { deadline } from '../expiry.mjs';
import { matches } from '../pattern.mjs';
import { typeName } from '../store.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 */

/** @param {Request} request @param {Reply} reply @param {Client} client */
function remove(request, reply, { store }) {
  let removed = 0;
  for (let index = 1; index < request.count; index += 1) {
    const key = request.text(index);
    if (store.entry(key) !== undefined && store.delete(key)) removed += 1;
  }
  reply.integer(removed);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function exists(request, reply, { store }) {
  let found = 0;
  for (let index = 1; index < request.count; index += 1) {
    if (store.entry(request.text(index)) !== undefined) found += 1;
  }
  reply.integer(found);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function type(request, reply, { store }) {
  const entry = store.entry(request.text(1));
  reply.simple(entry === undefined ? 'none' : typeName(entry.content));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function keys(request, reply, { store }) {
  const pattern = request.text(1);
  const found = [];
  for (const key of store.keys()) {
    if (pattern === '*' || matches(pattern, key)) found.push(key);
  }
  reply.bulks(found);
}

const conditions = new Set(['NX', 'XX', 'GT', 'LT']);

/** @param {Request} request */
function expiryConditions(request) {
  const chosen = new Set();
  for (let index = 3; index < request.count; index += 1) {
    const word = request.text(index).toUpperCase();
    if (!conditions.has(word)) {
      throw new CommandError(`ERR Unsupported option ${request.text(index)}`);
    }
    chosen.add(word);
  }
  if (chosen.has('NX') && chosen.size > 1) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (chosen.has('GT') && chosen.has('LT')) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible');
  }
  return chosen;
}

/** @param {string} name @param {string} unit @returns {Command} */
function expireCommand(name, unit) {
  return {
    name,
    arity: -3,
    flags: ['write', 'fast'],
    summary: 'Sets when a key expires.',
    run(request, reply, { store }) {
      const chosen = expiryConditions(request);
      const now = store.now();
      const time = deadline(request.text(2), unit, now, name, true);
      const key = request.text(1);
      const entry = store.entry(key);
      if (entry === undefined || !allowed(chosen, entry.expires, time)) {
        reply.integer(0);
        return;
      }
      if (time <= now) store.delete(key);
      else store.expire(key, entry, time);
      reply.integer(1);
    },
  };
}

/** @param {Set<string>} chosen @param {number} current 0 for never @param {number} time */
function allowed(chosen, current, time) {
  if (chosen.has('NX') && current !== 0) return false;
  if (chosen.has('XX') && current === 0) return false;
  const currently = current === 0 ? Number.POSITIVE_INFINITY : current;
  if (chosen.has('GT') && time <= currently) return false;
  return !(chosen.has('LT') && time >= currently);
}

/** @param {string} name @param {(left: number) => number} unit @returns {Command} */
function timeToLive(name, unit) {
  return {
    name,
    arity: 2,
    flags: ['readonly', 'fast'],
    summary: 'Returns how long a key has to live.',
    run(request, reply, { store }) {
      const entry = store.entry(request.text(1));
      if (entry === undefined) reply.integer(-2);
      else if (entry.expires === 0) reply.integer(-1);
      else reply.integer(unit(entry.expires - store.now()));
    },
  };
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function persist(request, reply, { store }) {
  const key = request.text(1);
  const entry = store.entry(key);
  const mortal = entry !== undefined && entry.expires !== 0;
  if (mortal) store.expire(key, entry, 0);
  reply.integer(mortal ? 1 : 0);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function flush(request, reply, { store }) {
  const word = request.count > 1 ? request.text(1).toUpperCase() : 'SYNC';
  if (request.count > 2 || (word !== 'SYNC' && word !== 'ASYNC')) throw syntaxError;
  store.clear();
  reply.ok();
}

const read = ['readonly', 'fast'];

/** @type {Command[]} */
export const keyspace = [
  { name: 'del', arity: -2, flags: ['write'], step: 1, summary: 'Deletes keys.', run: remove },
  { name: 'exists', arity: -2, flags: read, step: 1, summary: 'Counts keys.', run: exists },
  { name: 'type', arity: 2, flags: read, summary: 'Names what a key holds.', run: type },
  {
    name: 'keys',
    arity: 2,
    flags: ['readonly'],
    step: 0,
    summary: 'Lists keys that match a pattern.',
    run: keys,
  },
  expireCommand('expire', 'EX'),
  expireCommand('pexpire', 'PX'),
  expireCommand('expireat', 'EXAT'),
  expireCommand('pexpireat', 'PXAT'),
  timeToLive('ttl', (left) => Math.floor((left + 500) / 1000)),
  timeToLive('pttl', (left) => left),
  {
    name: 'persist',
    arity: 2,
    flags: ['write', 'fast'],
    summary: 'Lets a key live for ever.',
    run: persist,
  },
  {
    name: 'dbsize',
    arity: 1,
    flags: read,
    step: 0,
    summary: 'Counts all keys.',
    run: (_request, reply, { store }) => reply.integer(store.size),
  },
  { name: 'flushall', arity: -1, flags: ['write'], step: 0, summary: 'Empties it.', run: flush },
  { name: 'flushdb', arity: -1, flags: ['write'], step: 0, summary: 'Empties it.', run: flush },
];
