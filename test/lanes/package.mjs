// The lane that packs the package, installs the tarball into an empty folder without a network or
// a compiler, and runs a server from it on every Node that is supported.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { nodeHeaders } from '../../scripts/node-headers.mjs';
import { findProgram } from '../../scripts/steps.mjs';
import { hostTarget } from '../../scripts/targets.mjs';
import { checkBundles } from '../package/bundles.mjs';
import { Checks, expectOutput, PROGRAMS, printed, program } from '../package/checks.mjs';
import { folder, install, pack, root, step, unpack } from '../package/consumer.mjs';
import { contentComplaints, manifestComplaints } from '../package/contents.mjs';
import { fileComplaints, heavyComplaints } from '../package/loading.mjs';
import { checkManagers } from '../package/managers.mjs';
import { MAJORS, nodeBinary, OTHERS, otherBinary } from '../package/nodes.mjs';
import { compileAsUser, publintComplaints, typeComplaints } from '../package/types.mjs';
import { runBounded } from '../support/command.mjs';

export const name = 'package';

/** Flags that switch Node's permission model on, with all that a server needs. */
function permissionFlags(major) {
  const model = major >= 24 ? '--permission' : '--experimental-permission';
  const net = major >= 25 ? ['--allow-net'] : [];
  return [model, '--allow-fs-read=*', ...net];
}

function flagCases(major) {
  const permission = permissionFlags(major);
  return [
    [
      '--disallow-code-generation-from-strings',
      ['--disallow-code-generation-from-strings'],
      'hello',
    ],
    ['--permission with --allow-addons', [...permission, '--allow-addons'], 'hello'],
    ['--permission without --allow-addons', permission, /--allow-addons/],
  ];
}

async function runPrograms(checks, app) {
  for (const major of MAJORS) {
    const { path, reason } = await nodeBinary(major);
    if (!path) {
      checks.skip(`Node ${major}`, reason);
      continue;
    }
    for (const [what, file, expected] of PROGRAMS) {
      await checks.check(`Node ${major}: ${what}`, async () => {
        expectOutput(await printed(app, path, [], file), expected);
      });
    }
    await checks.none(`Node ${major}: an import loads little`, async () =>
      heavyComplaints(await printed(app, path, [], 'loads.mjs')),
    );
    await checks.check(`Node ${major}: --enable-source-maps`, async () => {
      const output = await printed(app, path, ['--enable-source-maps'], 'trace.mjs');
      expectOutput(output, /lib\/tcp\/listener\.ts:\d+/);
    });
    for (const [what, flags, expected] of flagCases(major)) {
      await checks.check(`Node ${major}: ${what}`, async () => {
        expectOutput((await program(app, path, flags, 'echo.mjs')).output, expected);
      });
    }
  }
}

/** Bun and Deno lack what the addon needs of libuv: they get an error, and their process lives. */
async function checkOtherRuntimes(checks, app) {
  for (const name of Object.keys(OTHERS)) {
    const { path, reason } = await otherBinary(name);
    if (!path) {
      checks.skip(name, reason);
      continue;
    }
    await checks.check(`${name}: one clear error`, async () => {
      const run = name === 'deno' ? [path, 'run', '-A'] : path;
      const expected = /^ERR_RINGPOLL_ENGINE_UNAVAILABLE ringpoll needs Node\.js.*\nalive$/;
      expectOutput(await printed(app, run, [], 'refused.mjs'), expected);
    });
  }
}

/** Pretends to be a machine that nobody made a prebuild for. */
async function checkMissingPrebuild(checks, app) {
  await checks.check('a platform without a prebuild gets one clear error', async () => {
    const env = { npm_config_arch: 'riscv64' };
    const { output } = await program(app, process.execPath, [], 'echo.mjs', env);
    for (const part of ['ERR_RINGPOLL_ENGINE_UNAVAILABLE', 'linux-riscv64', 'npx ringpoll build']) {
      if (!output.includes(part)) throw new Error(`no word of ${part} in:\n${output}`);
    }
    const musl = await program(app, process.execPath, [], 'echo.mjs', { ...env, LIBC: 'musl' });
    if (!musl.output.includes('linux-riscv64-musl')) throw new Error(`no musl in ${musl.output}`);
  });
}

async function checkCommand(checks, app) {
  await checks.check('npx ringpoll doctor --json', async () => {
    const quiet = { npm_config_cache: join(folder, 'empty-cache'), npm_config_loglevel: 'error' };
    const env = { PATH: join(folder, 'bin'), ...quiet };
    const npx = join(folder, 'bin', 'npx');
    const args = ['--no-install', 'ringpoll', 'doctor', '--json'];
    const output = await step('doctor', npx, args, { cwd: app, env });
    if (JSON.parse(output).checks.length === 0) throw new Error(`no checks in ${output}`);
  });
}

/** As `npx ringpoll bench` in the installed package; resolves with all that it prints. */
async function benchOutput(app) {
  const args = ['--no-install', 'ringpoll', 'bench', '--rounds', '3', '--only', 'arena|scheduler'];
  return (await runBounded('npx', args, { cwd: app, capture: true })).output;
}

/** The native benchmarks are not in the tarball, but their sources are. */
async function checkBenchmarks(checks, app) {
  const cure = 'npx ringpoll build --bench';
  await checks.check('npx ringpoll bench: JavaScript alone, and how to get the rest', async () => {
    const output = await benchOutput(app);
    for (const part of [cure, 'channel']) {
      if (!output.includes(part)) throw new Error(`no word of ${part} in:\n${output}`);
    }
    if (output.includes('arena')) throw new Error(`native code of the shipped addon:\n${output}`);
  });
  await checks.check(`${cure}: the others run too`, async () => {
    const args = ['--no-install', 'ringpoll', 'build', '--bench'];
    await step(cure, 'npx', args, { cwd: app, env: sourceEnv(), msMax: undefined });
    const output = await benchOutput(app);
    if (!output.includes('arena') || output.includes(cure)) throw new Error(output);
    expectOutput(await printed(app, process.execPath, [], 'echo.mjs'), 'hello');
  });
}

/** `ringpoll build` in the installed package, without its prebuild, in the two ways there are. */
async function checkSourceBuilds(checks, app) {
  // Its tools come from the registry, as a user's do: in the package there are none.
  const top = join(app, 'node_modules', 'ringpoll');
  for (const [tool, flags] of [
    ['cmake-js', []],
    ['node-gyp', ['--gyp']],
  ]) {
    await checks.check(`npx ringpoll build ${flags.join(' ')}: ${tool}, and it runs`, async () => {
      for (const folder of ['build', 'prebuilds']) {
        rmSync(join(top, folder), { recursive: true, force: true });
      }
      const before = (await program(app, process.execPath, [], 'echo.mjs')).output;
      if (!before.includes('npx ringpoll build')) throw new Error(`not asked for:\n${before}`);
      const args = ['--no-install', 'ringpoll', 'build', ...flags];
      const output = await step(tool, 'npx', args, {
        cwd: app,
        env: sourceEnv(),
        msMax: undefined, // it compiles
      });
      if (!/^built .*ringpoll\.node$/m.test(output)) throw new Error(`nothing built:\n${output}`);
      expectOutput(await printed(app, process.execPath, [], 'echo.mjs'), 'hello');
    });
  }
}

// ccache makes the second run of this lane a short one, wherever the sources were unpacked.
function sourceEnv() {
  const env = { CCACHE_BASEDIR: tmpdir(), CCACHE_NOHASHDIR: '1', JOBS: '2' };
  // Headers that are already here need not be downloaded.
  const headers = nodeHeaders();
  if (headers !== undefined) env.npm_config_nodedir = resolve(headers, '..', '..');
  if (process.env.CXX === undefined && findProgram('ccache')) env.CXX = 'ccache c++';
  return env;
}

export async function run() {
  const checks = new Checks();
  mkdirSync(folder, { recursive: true });
  const target = hostTarget();
  const script = join(root, 'scripts', 'prebuilds.mjs');
  await step('prebuild', process.execPath, [script, target], { msMax: undefined });
  const { tarball, files } = await pack();
  console.log(`${basename(tarball)}: ${files.length} files`);

  const top = await unpack(tarball);
  await checks.none('the tarball holds what it should, and nothing else', () =>
    contentComplaints(files, target),
  );
  await checks.none('package.json keeps its promises', () => manifestComplaints(top, files));
  await checks.none('each entry is few files', () => fileComplaints(top));
  await checks.none('publint', () => publintComplaints(tarball));
  await checks.none('arethetypeswrong', () => typeComplaints(tarball));

  const app = await install(tarball);
  cpSync(join(root, 'test', 'package', 'programs'), app, { recursive: true });
  for (const kind of ['nodenext', 'bundler']) {
    await checks.check(`types under ${kind}`, () => compileAsUser(app, kind));
  }
  await runPrograms(checks, app);
  await checkMissingPrebuild(checks, app);
  await checkOtherRuntimes(checks, app);
  await checkCommand(checks, app);
  await checkBundles(checks, app);
  await checkManagers(checks, tarball);
  await checkBenchmarks(checks, app);
  await checkSourceBuilds(checks, app);
  return checks.result;
}
