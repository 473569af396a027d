// The lane that runs the addon itself under AddressSanitizer: a build in a folder of its own, which
// is loaded by an ordinary Node, and a bounded stress on each engine. Leaks are not its business:
// Node itself leaves memory behind.
import { execFileSync } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropForeignCache, jobs } from '../../scripts/setup.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded } from '../support/command.mjs';

export const name = 'addon_asan';

const root = fileURLToPath(new URL('../../', import.meta.url));
// Where node-gyp-build looks instead of at the top, for build/Release/ringpoll.node.
const home = join(root, 'build', 'addon-asan');
const BUILD_MS_MAX = 1_200_000;
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
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const args = ['-print-file-name=libasan.so'];
  const found = execFileSync(cxxCompiler(), args, options).trim();
  return isAbsolute(found) ? found : undefined;
}

async function build() {
  const out = join(home, 'build');
  dropForeignCache(out);
  const program = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
  const args = [program, 'build', '--out', out, '--CDRINGPOLL_SANITIZE=address'];
  const options = { msMax: BUILD_MS_MAX, cwd: root, capture: true };
  const ended = await runBounded(process.execPath, [...args, '--parallel', jobs()], options);
  const failure = failureOf(ended, BUILD_MS_MAX);
  if (failure) throw new Error(`building the addon: ${failure}\n${ended.output}`);
}

/** Why the run failed, in words, or undefined. */
async function stress(runtime, configuration) {
  const env = {
    ...configuration,
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
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
  const runtime = process.platform === 'linux' ? asanRuntime() : undefined;
  if (runtime === undefined) {
    const notes = ['the compiler has no libasan.so that could be loaded before Node'];
    return { passed: 0, failed: 0, skipped: CONFIGURATIONS.length, notes };
  }
  await build();
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
