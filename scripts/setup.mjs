// Makes a checkout ready to run: packages, toolchain, addon, dist. Each step runs only when its
// inputs changed since it last succeeded.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { bundle } from './bundle.mjs';
import { nodeHeaders } from './node-headers.mjs';
import { sourcesOf } from './sources.mjs';
import { hashOf, inRoot, isMain, main, run, StepError, stamp, withBuildLock } from './steps.mjs';
import { ensureToolchain } from './toolchain.mjs';

const NODE_VERSION_MIN = [20, 19];
const machine = [process.platform, process.arch];
export const addon = inRoot('build', 'Release', 'ringpoll.node');
// Not beside the other: node-gyp-build takes the first addon that it finds in build/Release.
const benchAddon = inRoot('build', 'bench', 'ringpoll_bench.node');

const stamps = {
  packages: stamp(inRoot('node_modules', '.ringpoll-stamp')),
  native: stamp(inRoot('build', '.stamp', 'native')),
  ts: stamp(inRoot('build', '.stamp', 'ts')),
};

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = NODE_VERSION_MIN;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    const needed = NODE_VERSION_MIN.join('.');
    throw new StepError(`ringpoll needs Node ${needed} or newer; this is ${process.version}.`);
  }
}

function npm(label, args) {
  const flags = ['--include=dev', '--no-audit', '--no-fund'];
  const { npm_execpath: path } = process.env;
  if (path && basename(path) === 'npm-cli.js') {
    return run(label, process.execPath, [path, ...args, ...flags]);
  }
  return run(label, 'npm', [...args, ...flags]);
}

async function installPackages() {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(inRoot('package.json'), 'utf8'),
  );
  const words = [...machine, dependencies, devDependencies];
  const hash = () => hashOf(['package-lock.json'], words);
  if (stamps.packages.matches(hash())) return;
  if (existsSync(inRoot('node_modules'))) {
    await npm('npm install', ['install']);
  } else {
    // `npm ci` refuses a lock file that package.json has outgrown; `npm install` repairs it.
    await npm('npm ci', ['ci']).catch(() => npm('npm install', ['install']));
  }
  stamps.packages.write(hash());
}

function nativeHash() {
  const { CXX, CXXFLAGS, LDFLAGS } = process.env;
  const inputs = ['native', 'CMakeLists.txt', 'package-lock.json', 'scripts/node-headers.mjs'];
  return hashOf(inputs, [...machine, CXX, CXXFLAGS, LDFLAGS]);
}

/** A cache that was configured for another folder (a moved or copied checkout) is of no use. */
export function dropForeignCache(folder) {
  const cache = join(folder, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const [, home] = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8')) ?? [];
  if (home === realpathSync(inRoot())) return;
  rmSync(folder, { recursive: true, force: true });
}

export function jobs() {
  return process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
}

export async function buildNative(options) {
  const hash = nativeHash();
  if (stamps.native.matches(hash) && existsSync(addon) && existsSync(benchAddon)) return;
  if (sourcesOf('binding').length === 0) {
    throw new StepError('native/sources.txt lists no binding source: there is no addon to build.');
  }
  await compileAddon('cmake', 'Release', options);
  stamps.native.write(hash);
}

/**
 * Not optimised, with symbols, in the place of the usual addon. It leaves no stamp, so that the
 * next build of any other kind replaces it.
 */
export async function buildDebug(options) {
  stamps.native.clear();
  await compileAddon('cmake-debug', 'Debug', options, ['--debug']);
}

async function compileAddon(name, type, options, flags = []) {
  await ensureToolchain();
  const folder = inRoot('build', name);
  dropForeignCache(folder);
  const program = inRoot('node_modules', 'cmake-js', 'bin', 'cmake-js');
  const args = [program, 'build', '--out', folder, '--parallel', jobs(), ...flags];
  await run('building the addon', process.execPath, args, options);
  for (const place of [addon, benchAddon]) putInPlace(join(folder, type, basename(place)), place);
}

/** Renamed into place: a process that has the old file mapped keeps it whole. */
function putInPlace(built, place) {
  mkdirSync(dirname(place), { recursive: true });
  copyFileSync(built, `${place}.new`);
  renameSync(`${place}.new`, place);
}

/** The second way to the addon. It leaves no stamp, so that the first takes over next time. */
export async function buildGyp(options) {
  await ensureToolchain();
  stamps.native.clear();
  rmSync(addon, { force: true });
  const program = inRoot('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const args = [program, 'configure', 'build', '--jobs', jobs()];
  // Headers that are already here need not be downloaded.
  const headers = nodeHeaders();
  if (headers) args.push('--nodedir', resolve(headers, '..', '..'));
  await run('building the addon with node-gyp', process.execPath, args, options);
}

export async function buildTs(options) {
  const inputs = ['lib', 'tsconfig.json', 'package-lock.json', 'scripts/bundle.mjs'];
  const hash = hashOf(inputs);
  const dist = inRoot('dist');
  if (stamps.ts.matches(hash) && existsSync(dist)) return;
  const fresh = inRoot('build', 'dist-new');
  const old = inRoot('build', 'dist-old');
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  const program = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--emitDeclarationOnly', '--outDir', fresh, '--pretty', 'false'];
  const args = [program, '-p', inRoot('tsconfig.json'), ...flags];
  await bundle(fresh, dist);
  cpSync(inRoot('lib', 'admin', 'page'), join(fresh, 'admin', 'page'), { recursive: true });
  try {
    await run('compiling lib', process.execPath, args, options);
    stamps.ts.write(hash);
  } finally {
    // Type errors do not keep the code from running. Swapping whole folders leaves nothing of
    // deleted files.
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  }
}

export function prepare(...steps) {
  checkNode();
  return withBuildLock(async () => {
    await installPackages();
    for (const step of steps) await step();
  });
}

export const setup = () => prepare(buildNative, buildTs);

if (isMain(import.meta.url)) await main(setup);
