/** Commands whose second word says what is meant. */

import { CommandError, wrongArguments } from '../errors.mjs';

/** @typedef {import('../commands.mjs').Command} Command */

/**
 * @param {string} name of the command
 * @param {Record<string, Pick<Command, 'arity' | 'run'>>} known by their name in lower case
 * @returns {Command['run']}
 */
export function subcommands(name, known) {
  return (request, reply, client) => {
    const word = request.text(1);
    const found = Object.hasOwn(known, word.toLowerCase()) ? known[word.toLowerCase()] : undefined;
    if (found === undefined) {
      const shown = word.slice(0, 128);
      throw new CommandError(`ERR unknown subcommand '${shown}'. Try ${name.toUpperCase()} HELP.`);
    }
    const { arity } = found;
    if (arity > 0 ? request.count !== arity : request.count < -arity) {
      throw wrongArguments(`${name}|${word.toLowerCase()}`);
    }
    found.run(request, reply, client);
  };
}
