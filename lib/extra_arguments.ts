// Arguments that other libraries' methods of the same name take. Ignoring them would lose bytes,
// or a callback that somebody waits for.
import { type ArgumentTypeError, invalidArgValue } from './errors.js';

const TEXT = 'Strings are sent as UTF-8: give Buffer.from(text, encoding) for another encoding. ';

/** What stands for them here, by method. */
const INSTEAD = {
  write: `${TEXT}Instead of a callback await drained() when write() has returned false`,
  end: `${TEXT}Instead of a callback there is the close handler`,
  close:
    'Instead of a callback there are the close handler, and the promise of close() of a listener',
  setTimeout: 'Instead of a callback give a timeout handler to listen() or connect()',
  setKeepAlive: 'The milliseconds before the first probe are its first argument',
};

/** The error for an argument that the method does not have. */
export function extraArgument(method: keyof typeof INSTEAD, value: unknown): ArgumentTypeError {
  return invalidArgValue(
    `A further argument of ${method}()`,
    `left out (${INSTEAD[method]})`,
    value,
  );
}
