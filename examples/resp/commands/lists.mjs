/** Lists. */

import { List } from '../collections.mjs';
import { wrongArguments } from '../errors.mjs';
import { index as parseIndex, positiveCount, range } from '../range.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 */

/**
 * @param {string} name
 * @param {'pushLeft' | 'pushRight'} push
 * @param {boolean} onlyExisting
 * @returns {Command}
 */
function pushCommand(name, push, onlyExisting) {
  return {
    name,
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    summary: onlyExisting ? 'Adds to a list that exists.' : 'Adds to a list.',
    run(request, reply, { store }) {
      const key = request.text(1);
      const list = onlyExisting ? store.collection(key, List) : store.makeCollection(key, List);
      for (let index = 2; list !== undefined && index < request.count; index += 1) {
        list[push](request.value(index));
      }
      reply.integer(list?.length ?? 0);
    },
  };
}

/** @param {string} name @param {'popLeft' | 'popRight'} pop @returns {Command} */
function popCommand(name, pop) {
  return {
    name,
    arity: -2,
    flags: ['write', 'fast'],
    summary: 'Takes from a list.',
    run(request, reply, { store }) {
      if (request.count > 3) throw wrongArguments(name);
      const key = request.text(1);
      const limit = request.count === 3 ? positiveCount(request.text(2)) : undefined;
      const list = store.collection(key, List);
      if (limit === undefined) {
        reply.bulk(list?.[pop]());
      } else if (list === undefined) {
        reply.nilArray();
      } else {
        const count = Math.min(limit, list.length);
        reply.array(count);
        for (let taken = 0; taken < count; taken += 1) reply.bulk(list[pop]());
      }
      if (list?.length === 0) store.delete(key);
    },
  };
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function listRange(request, reply, { store }) {
  const list = store.collection(request.text(1), List);
  const { start, end } = range(request.text(2), request.text(3), list?.length ?? 0);
  reply.array(end - start);
  for (let index = start; index < end; index += 1) reply.bulk(list?.at(index));
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function listIndex(request, reply, { store }) {
  const list = store.collection(request.text(1), List);
  const place = parseIndex(request.text(2), list?.length ?? 0);
  const inside = list !== undefined && place >= 0 && place < list.length;
  reply.bulk(inside ? list.at(place) : undefined);
}

/** @type {Command[]} */
export const lists = [
  pushCommand('lpush', 'pushLeft', false),
  pushCommand('rpush', 'pushRight', false),
  pushCommand('lpushx', 'pushLeft', true),
  pushCommand('rpushx', 'pushRight', true),
  popCommand('lpop', 'popLeft'),
  popCommand('rpop', 'popRight'),
  {
    name: 'lrange',
    arity: 4,
    flags: ['readonly'],
    summary: 'Returns a part of a list.',
    run: listRange,
  },
  {
    name: 'lindex',
    arity: 3,
    flags: ['readonly'],
    summary: 'Returns one element of a list.',
    run: listIndex,
  },
  {
    name: 'llen',
    arity: 2,
    flags: ['readonly', 'fast'],
    summary: 'Counts elements.',
    run: (request, reply, { store }) =>
      reply.integer(store.collection(request.text(1), List)?.length ?? 0),
  },
];
