/** An answer that begins with a minus sign: a code, then words. Thrown by commands. */
export class CommandError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'CommandError';
  }
}

/** @param {string} command */
export const wrongArguments = (command) =>
  new CommandError(`ERR wrong number of arguments for '${command}' command`);

/** @param {string} command */
export const invalidExpiry = (command) =>
  new CommandError(`ERR invalid expire time in '${command}' command`);

// Errors that every command words alike are made once: a stack trace for each would cost more than
// the command itself.
export const notAnInteger = new CommandError('ERR value is not an integer or out of range');
export const notPositive = new CommandError('ERR value is out of range, must be positive');
export const notAFloat = new CommandError('ERR value is not a valid float');
export const syntaxError = new CommandError('ERR syntax error');
export const overflow = new CommandError('ERR increment or decrement would overflow');
export const decrementOverflow = new CommandError('ERR decrement would overflow');
export const stringTooLong = new CommandError(
  'ERR string exceeds maximum allowed size (proto-max-bulk-len)',
);
