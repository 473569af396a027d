/** The table of commands, and how a request finds its own. */

import { collections } from './commands/collections.mjs';
import { connection } from './commands/connection.mjs';
import { introspection } from './commands/introspection.mjs';
import { keyspace } from './commands/keys.mjs';
import { lists } from './commands/lists.mjs';
import { strings } from './commands/strings.mjs';
import { CommandError, wrongArguments } from './errors.mjs';

/**
 * @typedef {import('./protocol.mjs').Request} Request
 * @typedef {import('./reply.mjs').Reply} Reply
 * @typedef {import('./store.mjs').Store} Store
 *
 * @typedef {object} Command
 * @property {string} name in lower case
 * @property {number} arity words of a request with its name; -n means n or more
 * @property {string[]} flags
 * @property {number} [step] from key to key among the arguments: 0 no keys, absent just one
 * @property {string} summary
 * @property {string} [group] set by the table
 * @property {(request: Request, reply: Reply, client: Client) => void} run
 *
 * @typedef {object} Server what all clients of one server share
 * @property {Store} store
 * @property {string} version
 * @property {typeof import('./protocol.mjs').defaultLimits} limits
 * @property {() => number} random
 * @property {CommandTable} commands
 * @property {() => Record<string, Record<string, string | number>>} info sections of INFO
 *
 * @typedef {object} Client one connection, as the commands see it
 * @property {number} id
 * @property {string} name
 * @property {boolean} closing set by QUIT: answer, then close
 * @property {Server} server
 * @property {Store} store
 */

const namesShownMax = 128;

export class CommandTable {
  /** Commands by a hash of their name. @type {Map<number, Command[]>} */
  #buckets = new Map();
  /** @type {Command[]} */
  list = [];

  /** @param {Command[]} commands */
  constructor(commands) {
    for (const command of commands) {
      const name = Buffer.from(command.name, 'latin1');
      const hash = hashName(name, 0, name.length);
      this.#buckets.set(hash, [...(this.#buckets.get(hash) ?? []), command]);
      this.list.push(command);
    }
  }

  /** @param {string} name in any case */
  named(name) {
    const wanted = name.toLowerCase();
    return this.list.find((command) => command.name === wanted);
  }

  /**
   * The command that the first word of a request names. No string is made for it: this runs for
   * every request.
   * @param {Request} request
   */
  find(request) {
    const { bytes } = request;
    const start = request.starts[0];
    const bucket = this.#buckets.get(hashName(bytes, start, request.ends[0]));
    if (bucket === undefined) return undefined;
    const length = request.length(0);
    return bucket.find(({ name }) => name.length === length && isNamed(bytes, start, name));
  }

  /**
   * Answers one request. What a command refuses becomes an error answer.
   * @param {Request} request
   * @param {Reply} reply
   * @param {Client} client
   */
  execute(request, reply, client) {
    // An empty line or an array of nothing asks for nothing.
    if (request.count === 0) return;
    try {
      const command = this.find(request);
      if (command === undefined) throw unknownCommand(request);
      const { arity } = command;
      if (arity > 0 ? request.count !== arity : request.count < -arity) {
        throw wrongArguments(command.name);
      }
      command.run(request, reply, client);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      reply.error(error.message);
    }
  }
}

export const allCommands = () =>
  new CommandTable([
    ...inGroup('connection', connection),
    ...inGroup('server', introspection),
    ...inGroup('generic', keyspace),
    ...inGroup('string', strings),
    ...inGroup('list', lists),
    ...inGroup('collection', collections),
  ]);

/** @param {string} group @param {Command[]} commands */
function inGroup(group, commands) {
  return commands.map((command) => ({ ...command, group }));
}

/**
 * Setting bit 5 makes ASCII letters lower case; what else it changes only costs a comparison.
 * @param {Buffer} bytes
 * @param {number} start
 * @param {number} end
 */
function hashName(bytes, start, end) {
  let hash = end - start;
  const last = Math.min(end, start + 16);
  for (let at = start; at < last; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] | 0x20)) | 0;
  return hash;
}

/** @param {Buffer} bytes @param {number} start @param {string} name in lower case */
function isNamed(bytes, start, name) {
  for (let index = 0; index < name.length; index += 1) {
    const byte = bytes[start + index];
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** @param {Request} request */
function unknownCommand(request) {
  let shown = '';
  for (let index = 1; index < request.count && shown.length < namesShownMax; index += 1) {
    shown += `'${untilNul(request.text(index)).slice(0, namesShownMax - shown.length)}' `;
  }
  const name = untilNul(request.text(0)).slice(0, namesShownMax);
  return new CommandError(`ERR unknown command '${name}', with args beginning with: ${shown}`);
}

/** @param {string} text */
function untilNul(text) {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
