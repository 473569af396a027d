/** What the server tells about itself: COMMAND, CONFIG, INFO. */

import { matches } from '../pattern.mjs';
import { subcommands } from './subcommands.mjs';

/**
 * @typedef {import('../protocol.mjs').Request} Request
 * @typedef {import('../reply.mjs').Reply} Reply
 * @typedef {import('../commands.mjs').Client} Client
 * @typedef {import('../commands.mjs').Command} Command
 */

/** @param {Reply} reply @param {Command | undefined} command */
function describe(reply, command) {
  if (command === undefined) {
    reply.nilArray();
    return;
  }
  const { step = 1 } = command;
  const keyed = step > 0;
  const several = keyed && command.arity < 0 && 'step' in command;
  reply.array(6);
  reply.bulk(command.name);
  reply.integer(command.arity);
  reply.array(command.flags.length);
  for (const flag of command.flags) reply.simple(flag);
  reply.integer(keyed ? 1 : 0);
  reply.integer(several ? -1 : keyed ? 1 : 0);
  reply.integer(step);
}

/** @param {Reply} reply @param {readonly (Command | undefined)[]} commands */
function describeAll(reply, commands) {
  reply.array(commands.length);
  for (const command of commands) describe(reply, command);
}

/**
 * The commands that the words behind COMMAND INFO or COMMAND DOCS name; all when there are none.
 * @param {Request} request
 * @param {Client} client
 */
function namedCommands(request, { server }) {
  if (request.count === 2) return server.commands.list;
  const names = Array.from({ length: request.count - 2 }, (_, index) => request.text(index + 2));
  return names.map((name) => server.commands.named(name));
}

const detailed = subcommands('command', {
  count: {
    arity: 2,
    run: (_request, reply, { server }) => reply.integer(server.commands.list.length),
  },
  list: {
    arity: 2,
    run: (_request, reply, { server }) => reply.bulks(server.commands.list.map(({ name }) => name)),
  },
  info: {
    arity: -2,
    run: (request, reply, client) => describeAll(reply, namedCommands(request, client)),
  },
  docs: {
    arity: -2,
    run(request, reply, client) {
      const known = namedCommands(request, client).filter((command) => command !== undefined);
      reply.array(known.length * 2);
      for (const { name, summary, group } of known) {
        reply.bulk(name);
        reply.bulks(['summary', summary, 'group', group]);
      }
    },
  },
});

/** @param {Request} request @param {Reply} reply @param {Client} client */
function command(request, reply, client) {
  if (request.count === 1) describeAll(reply, client.server.commands.list);
  else detailed(request, reply, client);
}

/** What CONFIG GET tells: the answers that clients look for before they measure. */
function settings({ server }) {
  return new Map([
    ['appendonly', 'no'],
    ['databases', '1'],
    ['io-threads', '1'],
    ['maxmemory', '0'],
    ['proto-max-bulk-len', String(server.limits.bulkBytes)],
    ['save', ''],
  ]);
}

const config = subcommands('config', {
  get: {
    arity: -3,
    run(request, reply, client) {
      const found = new Map();
      for (const [name, value] of settings(client)) {
        for (let index = 2; index < request.count; index += 1) {
          if (matches(request.text(index).toLowerCase(), name)) found.set(name, value);
        }
      }
      reply.bulks([...found].flat());
    },
  },
});

/** @param {Request} request @param {Reply} reply @param {Client} client */
function info(request, reply, { server }) {
  const wanted = new Set();
  for (let index = 1; index < request.count; index += 1) {
    wanted.add(request.text(index).toLowerCase());
  }
  const everything =
    wanted.size === 0 || ['all', 'default', 'everything'].some((word) => wanted.has(word));
  const sections = Object.entries(server.info()).filter(
    ([title]) => everything || wanted.has(title.toLowerCase()),
  );
  const texts = sections.map(([title, fields]) => {
    const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`);
    return `# ${title}\r\n${lines.join('')}`;
  });
  reply.bulk(texts.join('\r\n'));
}

/** @type {Command[]} */
export const introspection = [
  {
    name: 'command',
    arity: -1,
    flags: ['loading', 'stale'],
    step: 0,
    summary: 'Describes the commands.',
    run: command,
  },
  {
    name: 'config',
    arity: -2,
    flags: ['admin', 'loading', 'stale'],
    step: 0,
    summary: 'Returns settings.',
    run: config,
  },
  {
    name: 'info',
    arity: -1,
    flags: ['loading', 'stale'],
    step: 0,
    summary: 'Returns facts and counters.',
    run: info,
  },
];
