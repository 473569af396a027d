/** Commands about the connection itself. */

import { CommandError, notAnInteger, syntaxError, wrongArguments } from '../errors.mjs';
import { parseInteger } from '../integer.mjs';
import { subcommands } from './subcommands.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 */

/** @param {Request} request @param {Reply} reply */
function ping(request, reply) {
  if (request.count > 2) throw wrongArguments('ping');
  if (request.count === 1) reply.simple('PONG');
  else reply.bulk(request.value(1));
}

/** @param {Request} request @param {Reply} reply */
function select(request, reply) {
  const index = parseInteger(request.text(1));
  if (index === undefined) throw notAnInteger;
  if (index !== 0) throw new CommandError('ERR DB index is out of range');
  reply.ok();
}

/** @param {Request} _request @param {Reply} reply @param {Client} client */
function quit(_request, reply, client) {
  reply.ok();
  client.closing = true;
}

/** @param {Client} client @param {string} name */
function setName(client, name) {
  if (!/^[!-~]*$/.test(name)) {
    throw new CommandError(
      'ERR Client names cannot contain spaces, newlines or special characters.',
    );
  }
  client.name = name;
}

/** @param {Request} request @param {Reply} reply @param {Client} client */
function hello(request, reply, client) {
  if (request.count > 1) {
    const version = parseInteger(request.text(1));
    if (version === undefined) {
      throw new CommandError('ERR Protocol version is not an integer or out of range');
    }
    if (version !== 2) throw new CommandError('NOPROTO unsupported protocol version');
  }
  for (let index = 2; index < request.count; index += 2) {
    const known = request.text(index).toUpperCase() === 'SETNAME' && index + 1 < request.count;
    if (!known) {
      throw new CommandError(`ERR Syntax error in HELLO option '${request.text(index)}'`);
    }
    setName(client, request.text(index + 1));
  }
  reply.array(14);
  for (const [field, value] of [
    ['server', 'ringpoll'],
    ['version', client.server.version],
    ['proto', 2],
    ['id', client.id],
    ['mode', 'standalone'],
    ['role', 'master'],
  ]) {
    reply.bulk(String(field));
    if (typeof value === 'number') reply.integer(value);
    else reply.bulk(value);
  }
  reply.bulk('modules');
  reply.array(0);
}

const client = subcommands('client', {
  id: { arity: 2, run: (_request, reply, { id }) => reply.integer(id) },
  getname: {
    arity: 2,
    run: (_request, reply, { name }) => reply.bulk(name === '' ? undefined : name),
  },
  setname: {
    arity: 3,
    run(request, reply, target) {
      setName(target, request.text(2));
      reply.ok();
    },
  },
  setinfo: {
    arity: 4,
    run(request, reply) {
      const attribute = request.text(2);
      if (!/^LIB-(NAME|VER)$/i.test(attribute)) {
        throw new CommandError(`ERR Unrecognized option '${attribute}'`);
      }
      reply.ok();
    },
  },
  info: {
    arity: 2,
    run: (_request, reply, { id, name }) => reply.bulk(`id=${id} name=${name} db=0 resp=2\n`),
  },
  reply: {
    arity: 3,
    run(request, reply) {
      if (request.text(2).toUpperCase() !== 'ON') throw syntaxError;
      reply.ok();
    },
  },
});

const flags = ['fast', 'loading', 'stale'];

/** @type {Command[]} */
export const connection = [
  { name: 'ping', arity: -1, flags, step: 0, summary: 'Answers.', run: ping },
  {
    name: 'echo',
    arity: 2,
    flags,
    step: 0,
    summary: 'Answers the same.',
    run: (request, reply) => reply.bulk(request.value(1)),
  },
  { name: 'select', arity: 2, flags, step: 0, summary: 'Takes database 0 only.', run: select },
  { name: 'quit', arity: -1, flags, step: 0, summary: 'Answers and closes.', run: quit },
  { name: 'hello', arity: -1, flags, step: 0, summary: 'Agrees on RESP 2.', run: hello },
  { name: 'client', arity: -2, flags, step: 0, summary: 'About this connection.', run: client },
];
