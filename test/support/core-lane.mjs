// The lanes that build native/core and test/core without Node: plain, and under sanitizers.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropForeignCache, jobs } from '../../scripts/setup.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded, runStep } from './command.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const RUN_MS_MAX = 900_000;
const PROBE_MS_MAX = 60_000;

const SANITIZER_OPTIONS = {
  ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=0:second_deadlock_stack=1',
};

/**
 * How programs with this sanitizer can be run here: a launcher (empty, or setarch), or a reason
 * why they cannot. ThreadSanitizer's fixed memory layout collides with strong randomisation of
 * addresses on newer kernels, which setarch turns off.
 */
async function launcherFor(sanitize, folder) {
  if (!sanitize) return { launcher: [] };
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'probe.cc');
  const program = join(folder, 'probe');
  writeFileSync(source, 'int main() { return 0; }\n');
  const flags = [`-fsanitize=${sanitize}`, '-o', program, source];
  const compiled = await runBounded(cxxCompiler(), flags, { capture: true });
  if (failureOf(compiled)) return { reason: 'the compiler has no runtime for it' };
  const options = { msMax: PROBE_MS_MAX, capture: true };
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[arch()] ?? arch();
  for (const launcher of [[], ['setarch', machine, '-R']]) {
    const [command, ...args] = [...launcher, program];
    const ended = await runBounded(command, args, options);
    if (!failureOf(ended, PROBE_MS_MAX)) return { launcher };
  }
  return { reason: 'its runtime does not start on this system' };
}

/** Reads the counts, skips and failures that core_test prints. */
export function parseCounts(output) {
  const lines = output.split('\n');
  const counts = lines
    .map((line) => /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/.exec(line))
    .filter(Boolean)
    .at(-1);
  if (!counts) return undefined;
  const [passed, failed, skipped] = counts.slice(1).map((count) => Number(count ?? 0));
  const notes = lines.flatMap((line, index) => {
    if (/^skip(ped)?\b/i.test(line)) return [line];
    return line.startsWith('FAIL ') ? [`${line}: ${lines[index + 1]?.trim() ?? ''}`] : [];
  });
  return { passed, failed, skipped, notes };
}

/** Builds core_test in `folder`, which may hold a build of the addon as well. */
async function build({ folder, sanitize = '', defines = [] }) {
  dropForeignCache(folder);
  const configure = [
    ...['-S', root, '-B', folder],
    ...['-DRINGPOLL_CORE_TESTS=ON', `-DRINGPOLL_SANITIZE=${sanitize}`],
    ...defines,
  ];
  await runStep('cmake', 'cmake', configure);
  const args = ['--build', folder, '--target', 'core_test', '--parallel', jobs()];
  await runStep('compiling core_test', 'cmake', args);
}

async function runTests({ folder, args: chosen = [] }, launcher) {
  const [command, ...args] = [...launcher, join(folder, 'core_test'), ...chosen];
  const options = { msMax: RUN_MS_MAX, cwd: root, env: SANITIZER_OPTIONS, capture: true };
  const ended = await runBounded(command, args, options);
  process.stdout.write(ended.output);
  const failure = failureOf(ended, RUN_MS_MAX);
  const counts = parseCounts(ended.output) ?? { passed: 0, failed: 0, skipped: 0, notes: [] };
  // A sanitizer's report ends the program with a code of its own, without a failed check.
  if (failure && counts.failed === 0) {
    return { ...counts, failed: 1, notes: [...counts.notes, `core_test: ${failure}`] };
  }
  return counts;
}

/** A lane that builds core_test, and runs it or the part that `args` choose. */
export function coreLane({ name, ...settings }) {
  const place = () => ({ ...settings, folder: settings.folder?.() ?? join(root, 'build', name) });
  const launcher = () => launcherFor(settings.sanitize, join(root, 'build', 'probe', name));
  return {
    name,
    oneCpu: true,
    async prepare() {
      const { reason } = await launcher();
      if (!reason) await build(place());
    },
    async run() {
      const { launcher: words, reason } = await launcher();
      if (!reason) return runTests(place(), words);
      const note = `-fsanitize=${settings.sanitize}: ${reason}`;
      return { passed: 0, failed: 0, skipped: 1, notes: [note] };
    },
  };
}

/**
 * build/core, where a person has made it as docs/hacking.md says; otherwise build/cmake, where the
 * addon was built from the same objects.
 */
export function plainFolder(top = root) {
  const isMade = (folder) => existsSync(join(folder, 'CMakeCache.txt'));
  const [own, shared] = ['core', 'cmake'].map((name) => join(top, 'build', name));
  return !isMade(own) && isMade(shared) ? shared : own;
}

export const plainCoreLane = coreLane({ name: 'core', folder: plainFolder });
export const sanitizedCoreLanes = [
  coreLane({ name: 'asan', sanitize: 'address,undefined' }),
  coreLane({ name: 'tsan', sanitize: 'thread' }),
];
