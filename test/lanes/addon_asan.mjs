// The lane that runs the addon itself under AddressSanitizer and UBSan. It is built beside the
// core's tests of the lane asan, from the same objects. An ordinary Node loads it for a bounded
// stress on each engine. Leaks are not its business: Node itself leaves memory behind.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeApiIncludes } from '../../scripts/cross.mjs';
import { dropForeignCache, jobs } from '../../scripts/setup.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded, runStep } from '../support/command.mjs';

export const name = 'addon_asan';
export const oneCpu = true;

const root = fileURLToPath(new URL('../../', import.meta.url));
// As the lane asan has them, whose objects these are.
const SANITIZERS = 'address,undefined';
const folder = join(root, 'build', 'asan');
// Where node-gyp-build looks instead of at the top, for build/Release/ringpoll.node.
const home = join(root, 'build', 'addon-asan');
const STRESS_MS_MAX = 120_000;

const CONFIGURATIONS = [
  { RINGPOLL_ENGINE: 'poll' },
  { RINGPOLL_ENGINE: 'uring', RINGPOLL_RECEIVE: 'readiness' },
  { RINGPOLL_ENGINE: 'uring', RINGPOLL_RECEIVE: 'completion' },
  { RINGPOLL_ENGINE: 'hybrid' },
  { RINGPOLL_ENGINE: 'hybrid', RINGPOLL_CHECK: '1' },
];

/** The runtime that has to be loaded before everything else, or undefined when there is none. */
function asanRuntime() {
  if (process.platform !== 'linux') return undefined;
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const args = ['-print-file-name=libasan.so'];
  const found = execFileSync(cxxCompiler(), args, options).trim();
  return isAbsolute(found) ? found : undefined;
}

export async function prepare() {
  if (asanRuntime() === undefined) return;
  dropForeignCache(folder);
  const definitions = [
    ...['-DRINGPOLL_CORE_TESTS=ON', `-DRINGPOLL_SANITIZE=${SANITIZERS}`],
    ...['-DCMAKE_JS_VERSION=none', `-DCMAKE_JS_INC=${nodeApiIncludes()}`],
  ];
  await runStep('cmake', 'cmake', ['-S', root, '-B', folder, ...definitions]);
  const args = ['--build', folder, '--target', 'ringpoll', '--parallel', jobs()];
  await runStep('compiling the addon', 'cmake', args);
  const release = join(home, 'build', 'Release');
  mkdirSync(release, { recursive: true });
  copyFileSync(join(folder, 'ringpoll.node'), join(release, 'ringpoll.node'));
}

/** Why the run failed, in words, or undefined. */
async function stress(runtime, configuration) {
  const env = {
    ...configuration,
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    RINGPOLL_PREBUILD: home,
  };
  const options = { msMax: STRESS_MS_MAX, cwd: root, env, capture: true };
  const program = join(root, 'test', 'stress', 'stress.mjs');
  const ended = await runBounded(process.execPath, [program], options);
  process.stdout.write(ended.output);
  const failure = failureOf(ended, STRESS_MS_MAX);
  return failure ?? (ended.output.includes('ok exit') ? undefined : 'it did not come to its end');
}

export async function run() {
  const runtime = asanRuntime();
  if (runtime === undefined) {
    const notes = ['the compiler has no libasan.so that could be loaded before Node'];
    return { passed: 0, failed: 0, skipped: CONFIGURATIONS.length, notes };
  }
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const configuration of CONFIGURATIONS) {
    const words = Object.entries(configuration).map(([key, value]) => `${key}=${value}`);
    console.log(`--- ${words.join(' ')}`);
    const failure = await stress(runtime, configuration);
    if (failure === undefined) {
      result.passed++;
    } else {
      result.failed++;
      result.notes.push(`${words.join(' ')}: ${failure}`);
    }
  }
  return result;
}
