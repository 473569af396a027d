/** Sets, hashes and sorted sets: the commands that everyday clients and load generators use. */

import { MemberSet, SortedSet } from '../collections.mjs';
import { CommandError, notAFloat, syntaxError, wrongArguments } from '../errors.mjs';
import { positiveCount, range } from '../range.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 */

/** @param {Request} request @param {Reply} reply @param {Client} client */
function setAdd(request, reply, { store }) {
  const set = store.makeCollection(request.text(1), MemberSet);
  let added = 0;
  for (let index = 2; index < request.count; index += 1) {
    if (set.add(request.text(index))) added += 1;
  }
  reply.integer(added);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function setPop(request, reply, { store, server }) {
  if (request.count > 3) throw syntaxError;
  const key = request.text(1);
  const counted = request.count === 3;
  const limit = counted ? positiveCount(request.text(2)) : 1;
  const set = store.collection(key, MemberSet);
  const popped = [];
  while (set !== undefined && popped.length < limit && set.size > 0) {
    popped.push(set.pop(server.random()));
  }
  if (set?.size === 0) store.delete(key);
  if (counted) reply.bulks(popped);
  else reply.bulk(popped[0]);
}

/**
 * Takes members or fields away, and the key with the last of them.
 * @param {new () => { delete(member: string): boolean, size: number } & any} kind
 * @returns {Command['run']}
 */
function removeFrom(kind) {
  return (request, reply, { store }) => {
    const key = request.text(1);
    const collection = store.collection(key, kind);
    let removed = 0;
    for (let index = 2; collection !== undefined && index < request.count; index += 1) {
      if (collection.delete(request.text(index))) removed += 1;
    }
    if (collection?.size === 0) store.delete(key);
    reply.integer(removed);
  };
}

/** @param {new () => { size: number } & any} kind @returns {Command['run']} */
function sizeOf(kind) {
  return (request, reply, { store }) =>
    reply.integer(store.collection(request.text(1), kind)?.size ?? 0);
}

/** @param {new () => { has(member: string): boolean } & any} kind @returns {Command['run']} */
function hasIn(kind) {
  return (request, reply, { store }) =>
    reply.integer(store.collection(request.text(1), kind)?.has(request.text(2)) ? 1 : 0);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function hashSet(request, reply, { store }) {
  if (request.count % 2 !== 0) throw wrongArguments('hset');
  const hash = store.makeCollection(request.text(1), Map);
  const before = hash.size;
  for (let index = 2; index < request.count; index += 2) {
    hash.set(request.text(index), request.value(index + 1));
  }
  reply.integer(hash.size - before);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function hashGetAll(request, reply, { store }) {
  reply.bulks([...(store.collection(request.text(1), Map) ?? [])].flat());
}

/** @param {string} text */
function parseScore(text) {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (!/^[+-]?inf(inity)?$/i.test(text)) throw notAFloat;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** @param {number} score */
function formatScore(score) {
  return Number.isFinite(score) ? String(score) : score > 0 ? 'inf' : '-inf';
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function sortedAdd(request, reply, { store }) {
  const options = new Set();
  let first = 2;
  while (first < request.count && /^(NX|XX|CH)$/i.test(request.text(first))) {
    options.add(request.text(first).toUpperCase());
    first += 1;
  }
  const words = request.count - first;
  if (words === 0 || words % 2 !== 0) throw syntaxError;
  if (options.has('NX') && options.has('XX')) {
    throw new CommandError('ERR XX and NX options at the same time are not compatible');
  }
  const pairs = [];
  for (let index = first; index < request.count; index += 2) {
    pairs.push({ score: parseScore(request.text(index)), member: request.text(index + 1) });
  }
  const key = request.text(1);
  const set = store.makeCollection(key, SortedSet);
  let changed = 0;
  for (const { score, member } of pairs) {
    const known = set.score(member);
    if (options.has(known === undefined ? 'XX' : 'NX')) continue;
    const added = set.set(member, score);
    if (added || (options.has('CH') && known !== score)) changed += 1;
  }
  if (set.size === 0) store.delete(key);
  reply.integer(changed);
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function sortedScore(request, reply, { store }) {
  const score = store.collection(request.text(1), SortedSet)?.score(request.text(2));
  reply.bulk(score === undefined ? undefined : formatScore(score));
}

/** @param {Reply} reply @param {import('../collections.mjs').Ranked[]} ranked */
function replyRanked(reply, ranked) {
  reply.bulks(ranked.flatMap(({ member, score }) => [member, formatScore(score)]));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function sortedRange(request, reply, { store }) {
  const scored = request.count === 5 && request.text(4).toUpperCase() === 'WITHSCORES';
  if (request.count > 4 && !scored) throw syntaxError;
  const set = store.collection(request.text(1), SortedSet);
  const { start, end } = range(request.text(2), request.text(3), set?.size ?? 0);
  const ranked = set?.slice(start, end) ?? [];
  if (scored) replyRanked(reply, ranked);
  else reply.bulks(ranked.map(({ member }) => member));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function sortedPopLowest(request, reply, { store }) {
  if (request.count > 3) throw syntaxError;
  const key = request.text(1);
  const limit = request.count === 3 ? positiveCount(request.text(2)) : 1;
  const set = store.collection(key, SortedSet);
  const lowest = set?.slice(0, limit) ?? [];
  for (const { member } of lowest) set?.delete(member);
  if (set?.size === 0) store.delete(key);
  replyRanked(reply, lowest);
}

const write = ['write', 'denyoom', 'fast'];
const take = ['write', 'fast'];
const read = ['readonly', 'fast'];

/** @type {Command[]} */
export const collections = [
  { name: 'sadd', arity: -3, flags: write, summary: 'Adds members to a set.', run: setAdd },
  {
    name: 'srem',
    arity: -3,
    flags: take,
    summary: 'Removes members from a set.',
    run: removeFrom(MemberSet),
  },
  { name: 'spop', arity: -2, flags: take, summary: 'Takes random members.', run: setPop },
  { name: 'scard', arity: 2, flags: read, summary: 'Counts members.', run: sizeOf(MemberSet) },
  {
    name: 'sismember',
    arity: 3,
    flags: read,
    summary: 'Tells whether a set has a member.',
    run: hasIn(MemberSet),
  },
  {
    name: 'smembers',
    arity: 2,
    flags: ['readonly'],
    summary: 'Lists the members of a set.',
    run: (request, reply, { store }) =>
      reply.bulks(store.collection(request.text(1), MemberSet)?.members() ?? []),
  },
  { name: 'hset', arity: -4, flags: write, summary: 'Sets fields of a hash.', run: hashSet },
  {
    name: 'hget',
    arity: 3,
    flags: read,
    summary: 'Returns a field of a hash.',
    run: (request, reply, { store }) =>
      reply.bulk(store.collection(request.text(1), Map)?.get(request.text(2))),
  },
  { name: 'hdel', arity: -3, flags: take, summary: 'Deletes fields.', run: removeFrom(Map) },
  { name: 'hlen', arity: 2, flags: read, summary: 'Counts fields.', run: sizeOf(Map) },
  { name: 'hexists', arity: 3, flags: read, summary: 'Looks for a field.', run: hasIn(Map) },
  {
    name: 'hgetall',
    arity: 2,
    flags: ['readonly'],
    summary: 'Lists fields and values.',
    run: hashGetAll,
  },
  { name: 'zadd', arity: -4, flags: write, summary: 'Adds scored members.', run: sortedAdd },
  {
    name: 'zrem',
    arity: -3,
    flags: take,
    summary: 'Removes scored members.',
    run: removeFrom(SortedSet),
  },
  { name: 'zcard', arity: 2, flags: read, summary: 'Counts members.', run: sizeOf(SortedSet) },
  { name: 'zscore', arity: 3, flags: read, summary: 'Returns a score.', run: sortedScore },
  {
    name: 'zrange',
    arity: -4,
    flags: ['readonly'],
    summary: 'Lists members by rank.',
    run: sortedRange,
  },
  {
    name: 'zpopmin',
    arity: -2,
    flags: take,
    summary: 'Takes the members with the lowest scores.',
    run: sortedPopLowest,
  },
];
