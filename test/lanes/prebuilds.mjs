// The lane that makes every prebuild that this machine can make, and tries each as far as it can:
// its table of symbols, the core's tests, and the packed package on Node for arm64 in an emulator.
// It takes minutes, so it runs when it is asked for: npm test -- --only prebuilds
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../scripts/steps.mjs';
import { hostTarget, prebuildPath, TARGETS } from '../../scripts/targets.mjs';
import { Checks, expectOutput, PROGRAMS, printed } from '../package/checks.mjs';
import { install, pack, root, step } from '../package/consumer.mjs';
import { MAJORS, nodeBinary } from '../package/nodes.mjs';
import { failureOf, runBounded } from '../support/command.mjs';
import { parseCounts } from '../support/core-lane.mjs';

export const name = 'prebuilds';
export const onRequest = true;
export const msMax = 10_800_000; // most of it is compiling, for four targets

const CORE_MS_MAX = 400_000;
const EMULATOR = 'qemu-aarch64';
// Where Debian's cross compiler has the libraries of the other machine.
const ARM64_ROOT = '/usr/aarch64-linux-gnu';
const NOT_HERE = /was not found|Install the Zig compiler|needs apt-get|npm ci of/;

/** Makes a prebuild, with core_test beside it; false when the tools for it are not here. */
async function make(checks, target) {
  const wishes = target === hostTarget() ? [] : ['--core-tests'];
  const args = [join(root, 'scripts', 'prebuilds.mjs'), target, ...wishes];
  const ended = await runBounded(process.execPath, args, { cwd: root, capture: true });
  const failure = failureOf(ended);
  if (failure && NOT_HERE.test(ended.output)) {
    checks.skip(target, ended.output.trim().split('\n').at(-1));
    return false;
  }
  await checks.check(`${target}: made`, async () => {
    if (failure) throw new Error(`${failure}\n${ended.output}`);
  });
  return !failure;
}

/** The words before a program of the target, or undefined when it cannot be run here. */
function launcherFor(target) {
  const [platform, arch] = target.split('-');
  if (platform === process.platform && arch === process.arch) return [];
  if (platform !== 'linux' || arch !== 'arm64' || !findProgram(EMULATOR)) return undefined;
  // What Zig links for musl is static, and needs no libraries.
  return target.endsWith('glibc') ? [EMULATOR, '-L', ARM64_ROOT] : [EMULATOR];
}

async function runCoreTests(checks, target) {
  const launcher = launcherFor(target);
  if (!launcher) {
    checks.skip(`${target}: the core's tests`, `${EMULATOR} is not here`);
    return;
  }
  await checks.check(`${target}: the core's tests`, async () => {
    const file = join(root, 'build', 'prebuild', target, 'core_test');
    const [command, ...args] = [...launcher, file];
    const options = { msMax: CORE_MS_MAX, cwd: root, capture: true };
    const ended = await runBounded(command, args, options);
    const failure = failureOf(ended, CORE_MS_MAX);
    const counts = parseCounts(ended.output);
    if (failure || !counts) throw new Error(`${failure ?? 'no counts'}\n${ended.output}`);
    console.log(`        ${counts.passed} passed, ${counts.skipped} skipped`);
  });
}

async function checkSymbols(checks, targets) {
  await checks.check('tables of symbols', async () => {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', '--project', 'unit', 'test/unit/exports.test.ts'];
    const output = await step('vitest', process.execPath, [...args, '--reporter', 'verbose']);
    for (const target of targets) {
      const file = prebuildPath(target).join('/');
      if (!output.includes(file)) throw new Error(`no word of ${file} in:\n${output}`);
    }
  });
}

/** The package, on Node for arm64. The emulator has no io_uring: what runs is the fallback. */
async function runEmulated(checks) {
  const launcher = launcherFor('linux-arm64-glibc');
  const [major] = MAJORS;
  const { path, reason } = launcher ? await nodeBinary(major, 'arm64') : {};
  if (!path) {
    checks.skip(`Node ${major} for arm64`, reason ?? `${EMULATOR} is not here`);
    return;
  }
  const { tarball } = await pack();
  const app = await install(tarball);
  cpSync(join(root, 'test', 'package', 'programs'), app, { recursive: true });
  const node = [...launcher, path];
  for (const [what, file, expected] of PROGRAMS) {
    await checks.check(`Node ${major} for arm64: ${what}`, async () => {
      expectOutput(await printed(app, node, [], file), expected);
    });
  }
  await checks.check(`Node ${major} for arm64: falls back to epoll, and says why`, async () => {
    const file = join('node_modules', 'ringpoll', 'dist', 'cli', 'main.js');
    const [command, ...args] = [...node, join(app, file), 'explain', '--json'];
    const { engine, engines } = JSON.parse(await step('explain', command, args, { cwd: app }));
    const { available, reason } = engines.find(({ name }) => name === 'uring');
    if (engine === 'poll' && !available && reason) console.log(`        ${reason}`);
    else throw new Error(`${engine} runs, and the ring says: ${reason}`);
  });
}

export async function run() {
  const checks = new Checks();
  const made = [];
  for (const target of Object.keys(TARGETS)) if (await make(checks, target)) made.push(target);
  await checkSymbols(checks, made);
  for (const target of made) if (target !== hostTarget()) await runCoreTests(checks, target);
  if (made.includes('linux-arm64-glibc')) await runEmulated(checks);
  return checks.result;
}
