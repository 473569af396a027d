/** Strings and counters. */

import {
  decrementOverflow,
  notAnInteger,
  overflow,
  stringTooLong,
  syntaxError,
  wrongArguments,
} from '../errors.mjs';
import { deadline, expiryUnits } from '../expiry.mjs';
import { addIntegers, parseInteger } from '../integer.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 * @typedef {string | Buffer} Value
 */

/** @param {Request} request @param {Reply} reply @param {Client} client */
function get(request, reply, client) {
  reply.bulk(client.store.string(request.text(1)));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function set(request, reply, client) {
  const { store } = client;
  const key = request.text(1);
  if (request.count === 3) {
    store.set(key, request.value(2));
    reply.ok();
    return;
  }
  const options = setOptions(request, store.now());
  const entry = store.entry(key);
  const previous = options.get ? store.string(key) : undefined;
  const refused = options.condition === (entry === undefined ? 'XX' : 'NX');
  if (!refused) {
    const expires = options.keep && entry !== undefined ? entry.expires : options.expires;
    store.set(key, request.value(2), expires);
  }
  if (options.get) reply.bulk(previous);
  else if (refused) reply.bulk(undefined);
  else reply.ok();
}

/**
 * @param {Request} request
 * @param {number} now
 */
function setOptions(request, now) {
  const options = { get: false, keep: false, condition: '', expires: 0 };
  for (let index = 3; index < request.count; index += 1) {
    const word = request.text(index).toUpperCase();
    const settled = options.keep || options.expires !== 0;
    if (word === 'GET') {
      options.get = true;
    } else if ((word === 'NX' || word === 'XX') && ['', word].includes(options.condition)) {
      options.condition = word;
    } else if (word === 'KEEPTTL' && !settled) {
      options.keep = true;
    } else if (expiryUnits.has(word) && !settled && index + 1 < request.count) {
      index += 1;
      options.expires = deadline(request.text(index), word, now, 'set');
    } else {
      throw syntaxError;
    }
  }
  return options;
}

/**
 * SETEX and PSETEX: the older form of SET with an expiry.
 * @param {string} name
 * @param {string} unit
 * @returns {Command}
 */
function setWithExpiry(name, unit) {
  return {
    name,
    arity: 4,
    flags: ['write', 'denyoom'],
    summary: 'Sets a string and when it expires.',
    run(request, reply, { store }) {
      const expires = deadline(request.text(2), unit, store.now(), name);
      store.set(request.text(1), request.value(3), expires);
      reply.ok();
    },
  };
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function setIfAbsent(request, reply, { store }) {
  const absent = store.entry(request.text(1)) === undefined;
  if (absent) store.set(request.text(1), request.value(2));
  reply.integer(absent ? 1 : 0);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function getAndSet(request, reply, { store }) {
  reply.bulk(store.string(request.text(1)));
  store.set(request.text(1), request.value(2));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function getAndDelete(request, reply, { store }) {
  reply.bulk(store.string(request.text(1)));
  store.delete(request.text(1));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function setMany(request, reply, { store }) {
  if (request.count % 2 === 0) throw wrongArguments('mset');
  for (let index = 1; index < request.count; index += 2) {
    store.set(request.text(index), request.value(index + 1));
  }
  reply.ok();
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function getMany(request, reply, { store }) {
  reply.array(request.count - 1);
  for (let index = 1; index < request.count; index += 1) {
    const content = store.entry(request.text(index))?.content;
    reply.bulk(typeof content === 'string' || Buffer.isBuffer(content) ? content : undefined);
  }
}

/** @param {Value} value */
function asText(value) {
  return typeof value === 'string' ? value : value.latin1Slice(0, value.length);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function append(request, reply, client) {
  const { store } = client;
  const key = request.text(1);
  const value = store.string(key) ?? '';
  const length = value.length + request.length(2);
  if (length > client.server.limits.bulkBytes) throw stringTooLong;
  store.replace(key, asText(value) + request.text(2));
  reply.integer(length);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function stringLength(request, reply, { store }) {
  reply.integer(store.string(request.text(1))?.length ?? 0);
}

/**
 * @param {Client} client
 * @param {Reply} reply
 * @param {string} key
 * @param {number | bigint} step
 */
function add({ store }, reply, key, step) {
  const value = parseInteger(asText(store.string(key) ?? '0'));
  if (value === undefined) throw notAnInteger;
  const sum = addIntegers(value, step);
  if (sum === undefined) throw overflow;
  store.replace(key, String(sum));
  reply.integer(sum);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function incrementBy(request, reply, client) {
  const step = parseInteger(request.text(2));
  if (step === undefined) throw notAnInteger;
  add(client, reply, request.text(1), step);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function decrementBy(request, reply, client) {
  const step = parseInteger(request.text(2));
  if (step === undefined) throw notAnInteger;
  const negated = addIntegers(0, -step);
  // The lowest integer has no positive twin.
  if (negated === undefined) throw decrementOverflow;
  add(client, reply, request.text(1), negated);
}

const write = ['write', 'denyoom', 'fast'];
const read = ['readonly', 'fast'];

/** @type {Command[]} */
export const strings = [
  { name: 'get', arity: 2, flags: read, summary: 'Returns a string.', run: get },
  { name: 'set', arity: -3, flags: write, summary: 'Sets a string.', run: set },
  {
    name: 'setnx',
    arity: 3,
    flags: write,
    summary: 'Sets a string unless the key exists.',
    run: setIfAbsent,
  },
  setWithExpiry('setex', 'EX'),
  setWithExpiry('psetex', 'PX'),
  {
    name: 'getset',
    arity: 3,
    flags: write,
    summary: 'Sets a string and returns the one before.',
    run: getAndSet,
  },
  {
    name: 'getdel',
    arity: 2,
    flags: ['write', 'fast'],
    summary: 'Returns a string and deletes the key.',
    run: getAndDelete,
  },
  { name: 'mset', arity: -3, flags: write, step: 2, summary: 'Sets strings.', run: setMany },
  { name: 'mget', arity: -2, flags: read, step: 1, summary: 'Returns strings.', run: getMany },
  { name: 'append', arity: 3, flags: write, summary: 'Appends to a string.', run: append },
  { name: 'strlen', arity: 2, flags: read, summary: 'Counts the bytes.', run: stringLength },
  {
    name: 'incr',
    arity: 2,
    flags: write,
    summary: 'Adds one.',
    run: (request, reply, client) => add(client, reply, request.text(1), 1),
  },
  {
    name: 'decr',
    arity: 2,
    flags: write,
    summary: 'Subtracts one.',
    run: (request, reply, client) => add(client, reply, request.text(1), -1),
  },
  { name: 'incrby', arity: 3, flags: write, summary: 'Adds an integer.', run: incrementBy },
  { name: 'decrby', arity: 3, flags: write, summary: 'Subtracts an integer.', run: decrementBy },
];
