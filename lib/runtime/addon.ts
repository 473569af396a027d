// Finds and loads the addon: a build of this machine, or else the prebuild for its platform.
import { fs } from '../builtins.js';
import { RingpollError } from '../errors.js';

interface NodeGypBuild {
  (folder: string): unknown;
  resolve(folder: string): string;
}

const SUPPORTED = 'ringpoll runs on Linux, macOS and FreeBSD.';

/** Such as linux-x64-musl, by the same rules as node-gyp-build: the environment comes first. */
function platformName(): string {
  const { npm_config_platform: platform, npm_config_arch: arch, LIBC } = process.env;
  const name = `${platform ?? process.platform}-${arch ?? process.arch}`;
  const musl = LIBC === undefined ? fs().existsSync('/etc/alpine-release') : LIBC === 'musl';
  return musl && name.startsWith('linux') ? `${name}-musl` : name;
}

function unavailable(message: string, cause: unknown): RingpollError {
  return new RingpollError('ERR_RINGPOLL_ENGINE_UNAVAILABLE', message, { cause });
}

function noAddon(cause: unknown): RingpollError {
  if (process.platform === 'win32') {
    return unavailable(`There is no ringpoll for ${platformName()}. ${SUPPORTED}`, cause);
  }
  return unavailable(
    `There is no prebuilt addon for ${platformName()}. Build it from source: npx ringpoll build`,
    cause,
  );
}

function notLoaded(path: string, cause: unknown): RingpollError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_DISABLED') {
    return unavailable(
      'Node was told not to load addons: with --permission it needs --allow-addons, and ' +
        '--no-addons must not be given',
      cause,
    );
  }
  return unavailable(
    `The addon ${path} does not load on ${platformName()}: ${message}. ` +
      'Build it for this machine: npx ringpoll build',
    cause,
  );
}

/** Others that run npm packages. They imitate libuv, but for what waiting on its behalf needs. */
function otherRuntime(): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? undefined : `Deno ${deno}`;
}

/**
 * The addon of the package whose folder is `top`.
 * @throws RingpollError ERR_RINGPOLL_ENGINE_UNAVAILABLE, with the command that helps
 */
export function loadAddon(top: string): unknown {
  const other = otherRuntime();
  if (other !== undefined) {
    // Before the addon is loaded, which would end their process.
    throw unavailable(
      `ringpoll needs Node.js, and this is ${other}, which lacks uv_backend_fd() of libuv. ` +
        'Run it with `node`',
      undefined,
    );
  }
  const require = process.getBuiltinModule('node:module').createRequire(`${top}package.json`);
  const find = require('node-gyp-build') as NodeGypBuild;
  let path: string;
  try {
    path = find.resolve(top);
  } catch (cause) {
    throw noAddon(cause);
  }
  try {
    return require(path);
  } catch (cause) {
    throw notLoaded(path, cause);
  }
}
