// Where the package lies. Bundled and not, this module is two folders below its top.
import { fs } from '../builtins.js';
import { RingpollError } from '../errors.js';

// Bundlers take `new URL('...', import.meta.url)` as it is written for a file to bring along, and
// leave nothing here when they make CommonJS.
const here: string | undefined = import.meta.url;

/**
 * The folder of package.json, as a URL with a slash at its end.
 * @throws RingpollError ERR_RINGPOLL_BUNDLED when this code was moved out of the package
 */
export function packageFolder(): URL {
  const folder = here === undefined ? undefined : new URL('../../', here);
  if (folder === undefined || !isOurs(folder)) {
    const where = here === undefined ? '' : ` (${here})`;
    const message =
      `ringpoll runs from a bundle${where}, which has neither its addon nor its ` +
      'workers. Mark the package as external: esbuild --external:ringpoll, ' +
      'rolldown and rollup external: /^ringpoll/, webpack externals, ncc --external ringpoll; ' +
      'docs/bundling.md has each';
    throw new RingpollError('ERR_RINGPOLL_BUNDLED', message);
  }
  return folder;
}

function isOurs(folder: URL): boolean {
  try {
    const text = fs().readFileSync(new URL('package.json', folder), 'utf8');
    return (JSON.parse(text) as { name?: unknown }).name === 'ringpoll';
  } catch {
    return false;
  }
}
