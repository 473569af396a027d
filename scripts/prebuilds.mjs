// `npm run prebuilds [-- TARGET...]`: makes prebuilt addons in prebuilds/. Without a target: every
// one that this machine can make. `-- --list` shows the targets; `-- --core-tests` also builds
// core_test for each, in build/prebuild/TARGET.
import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandLine } from './command_line.mjs';
import { compilerDefinitions, liburingDefinitions, nodeApiIncludes } from './cross.mjs';
import { addon, buildNative, dropForeignCache, jobs, prepare } from './setup.mjs';
import { inRoot, main, run, StepError, say } from './steps.mjs';
import { hostTarget, prebuildPath, TARGETS } from './targets.mjs';

const USAGE = `usage: npm run prebuilds [-- TARGET...] [-- --list] [-- --core-tests]
  addons for the targets that are named, or for all; --list prints the targets`;
const { values, positionals } = commandLine(USAGE, {
  options: { list: { type: 'boolean' }, 'core-tests': { type: 'boolean' } },
  allowPositionals: true,
});

/** Moves a built addon to its place without its debugging symbols. */
async function place(built, target, strip) {
  const path = inRoot(...prebuildPath(target));
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  copyFileSync(built, fresh);
  // macOS signs what it links; stripping locals alone keeps what Node looks up.
  if (strip) await run('', strip, [process.platform === 'darwin' ? '-x' : '-s', fresh]);
  renameSync(fresh, path);
  say(`${prebuildPath(target).join('/')}: ${Math.ceil(statSync(path).size / 1024)} KB`);
}

async function crossBuild(target) {
  const description = TARGETS[target];
  const folder = inRoot('build', 'prebuild', target);
  dropForeignCache(folder);
  const tools = inRoot('build', 'tools', target);
  const definitions = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_JS_VERSION: 'prebuild',
    CMAKE_JS_INC: nodeApiIncludes(),
    NODE_UV_INCLUDE: '',
    ...(values['core-tests'] ? { RINGPOLL_CORE_TESTS: 'ON' } : {}),
    ...(await compilerDefinitions(description, tools)),
    ...(description.debian ? await liburingDefinitions(description.debian) : {}),
  };
  // Symbols are stripped by the linker: the machine's own strip does not know other targets.
  const flags = definitions.CMAKE_SHARED_LINKER_FLAGS ?? '';
  definitions.CMAKE_SHARED_LINKER_FLAGS = `${flags} -s`.trim();
  const args = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  await run(`${target}: cmake`, 'cmake', ['-S', inRoot(), '-B', folder, ...args]);
  const targets = ['ringpoll', ...(values['core-tests'] ? ['core_test'] : [])];
  const build = ['--build', folder, '--target', ...targets, '--parallel', jobs()];
  await run(`${target}: compiling`, 'cmake', build);
  await place(join(folder, 'ringpoll.node'), target);
}

async function hostBuild(target) {
  await buildNative({ show: false });
  await place(addon, target, 'strip');
}

async function build(target) {
  try {
    if (target === hostTarget() && !values['core-tests']) await hostBuild(target);
    else await crossBuild(target);
    return undefined;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return error.message.trim();
  }
}

await main(async () => {
  const host = hostTarget();
  const known = [...new Set([host, ...Object.keys(TARGETS)])];
  if (values.list) {
    for (const target of known) say(`${target}${target === host ? ' (this machine)' : ''}`);
    return;
  }
  const unknown = positionals.find((target) => !known.includes(target));
  if (unknown) throw new StepError(`No such target: ${unknown} (${known.join(', ')})`);
  const wanted = positionals.length > 0 ? positionals : known;
  const refused = [];
  await prepare(async () => {
    for (const target of wanted) {
      const reason = await build(target);
      if (reason) refused.push(`${target}: ${reason}`);
    }
  });
  for (const line of refused) say(`not made: ${line}`);
  // Asked for by name, a target that cannot be made is a failure; otherwise it is news.
  if (refused.length === wanted.length || (positionals.length > 0 && refused.length > 0)) {
    process.exitCode = 1;
  }
});
