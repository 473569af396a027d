// One loop for each thread, also when the package is there more than once: a module registry was
// reset, a server reloads its code, or two folders hold it. Later copies use the first one's addon.
import { RingpollError } from '../errors.js';
import { VERSION } from './version.js';

const KEY = Symbol.for('ringpoll.addon');

interface Loaded<Addon> {
  version: string;
  folder: string;
  addon: Addon;
}

/**
 * The addon that the first copy in this thread has loaded.
 * @throws RingpollError ERR_RINGPOLL_TWO_VERSIONS when that copy is of another version
 */
export function firstAddon<Addon extends { global(): object }>(own: Addon, folder: string): Addon {
  // Not our `globalThis`: a test runner may give each file of tests one of its own.
  const everywhere = own.global() as { [KEY]?: Loaded<Addon> };
  const first = everywhere[KEY];
  if (first === undefined) {
    const value: Loaded<Addon> = { version: VERSION, folder, addon: own };
    Object.defineProperty(everywhere, KEY, { value, configurable: true });
    return own;
  }
  if (first.version !== VERSION) {
    throw new RingpollError(
      'ERR_RINGPOLL_TWO_VERSIONS',
      `ringpoll ${VERSION} (${folder}) cannot run in a thread where ringpoll ${first.version} ` +
        `(${first.folder}) runs: they would share one loop. Install one version for all who ` +
        'need it: `npm ls ringpoll` shows who asks for which, `npm dedupe` may be enough',
    );
  }
  return first.addon;
}
