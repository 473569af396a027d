// The lanes that vitest runs: the unit tests once, the conformance tests once per engine.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded, runStep } from './command.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const LANE_MS_MAX = 1_200_000;
const PROBE_MS_MAX = 20_000;

export const allSkipped = (reason) => ({ passed: 0, failed: 0, skipped: 1, notes: [reason] });

/** `files`: of the projects only these, by a part of their paths. `program`: another Node. */
export async function vitest(
  name,
  projects,
  env,
  { launcher = [], files = [], program = process.execPath } = {},
) {
  const file = join(root, 'build', 'test', `${name}.json`);
  mkdirSync(join(root, 'build', 'test'), { recursive: true });
  rmSync(file, { force: true });
  const [command, ...args] = [
    ...launcher,
    program,
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...files,
    ...projects.flatMap((project) => ['--project', project]),
    ...['--reporter', 'default'],
    ...['--reporter', join(root, 'test', 'support', 'counts-reporter.mjs')],
  ];
  const ended = await runBounded(command, args, {
    msMax: LANE_MS_MAX,
    cwd: root,
    env: { ...env, RINGPOLL_TEST_COUNTS: file },
  });
  const failure = failureOf(ended, LANE_MS_MAX);
  if (!existsSync(file)) {
    return { passed: 0, failed: 1, skipped: 0, notes: [`vitest left no result: ${failure}`] };
  }
  const { passed, failed, skipped, notes } = JSON.parse(readFileSync(file, 'utf8'));
  // vitest can fail without a failed test, for example when a worker dies.
  const unexplained = failure !== undefined && failed === 0;
  if (unexplained) notes.push(`vitest: ${failure}`);
  return { passed, failed: unexplained ? 1 : failed, skipped, notes };
}

/** Why the engine does not run here, or undefined when it does. */
export async function refusal(engine) {
  const script = `
    import { Loop } from 'ringpoll';
    const { engines } = Loop.current().capabilities;
    const { available, reason } = engines.find(({ name }) => name === '${engine}');
    console.log(available ? '' : reason ?? 'no reason given');
    process.exit();`;
  const args = ['--input-type=module', '--eval', script];
  const options = { msMax: PROBE_MS_MAX, cwd: root, capture: true };
  const ended = await runBounded(process.execPath, args, options);
  // A probe that fails must not hide the tests, which will tell more.
  return failureOf(ended, PROBE_MS_MAX) ? undefined : ended.output.trim() || undefined;
}

export const denyProgram = join(root, 'build', 'test', 'deny-io-uring');

/** Compiles test/support/deny-io-uring.c when it is newer than its program. */
export async function buildDenyProgram() {
  const source = join(root, 'test', 'support', 'deny-io-uring.c');
  const program = denyProgram;
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(join(root, 'build', 'test'), { recursive: true });
  const args = ['-x', 'c', '-O1', '-Wall', '-Werror', '-o', program, source];
  await runStep('deny-io-uring.c', cxxCompiler(), args);
}

function conformance(name, engine, { launcher, files } = {}) {
  const env = { RINGPOLL_TEST_CONFIG: name, RINGPOLL_ENGINE: engine };
  return vitest(name, ['conformance', 'attack'], env, { launcher, files });
}

/**
 * Where io_uring is denied the hybrid engine has epoll alone, as the lane poll has it. What is not
 * the same is how a loop begins, what it says of itself, what asks for the ring by name, and what
 * would go over the ring: files, many sends at once. Besides those, a test of each kind of traffic.
 */
const DENIED_FILES = [
  ...['attack', 'client', 'configuration', 'connect', 'deprecated', 'diagnostics', 'echo'],
  ...['examples', 'http_fetch_differential', 'http_files', 'http_requests', 'large_writes'],
  ...['lifecycle', 'monitoring', 'node_http', 'overflow', 'process_end', 'process_exit', 'resp'],
  ...['routing', 'send', 'sends_together', 'shadow', 'signals', 'threads', 'tls_contexts'],
  ...['tls_echo', 'udp_echo', 'udp_options', 'upstream', 'watchdog', 'websocket_server'],
  ...['websocket_survival', 'worker'],
].map((file) => `test/conformance/${file}.test.ts`);
const DENIED = [...DENIED_FILES, 'test/conformance/fs_'];

/** A name that is a part of no file chooses nothing, and vitest would not say so. */
function checkNames() {
  const gone = DENIED_FILES.filter((file) => !existsSync(join(root, file)));
  if (gone.length > 0) throw new Error(`not there any more: ${gone.join(', ')}`);
}

function deniedLane(name, files, onRequest) {
  return {
    name,
    onRequest,
    async prepare() {
      if (process.platform === 'linux') await buildDenyProgram();
    },
    async run() {
      if (process.platform !== 'linux') return allSkipped('seccomp is a facility of Linux');
      checkNames();
      return conformance('denied', 'hybrid', { launcher: [denyProgram], files });
    },
  };
}

export const unitLane = { name: 'unit', run: () => vitest('unit', ['unit'], {}) };

export const conformanceLanes = [
  { name: 'poll', run: () => conformance('poll', 'poll') },
  {
    name: 'uring',
    async run() {
      const reason = await refusal('uring');
      return reason ? allSkipped(`io_uring: ${reason}`) : conformance('uring', 'uring');
    },
  },
  { name: 'hybrid', run: () => conformance('hybrid', 'hybrid') },
  deniedLane('denied', DENIED),
  deniedLane('denied-all', [], true),
];
