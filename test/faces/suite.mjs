// Node's own tests, each file in a process of its own, with a face in the place of Node's module.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBounded } from '../support/command.mjs';

const MS_MAX = 30_000;
const AT_ONCE = 2;
const SKIPPED = /^1\.\.0 # Skipped/m;
const ERROR = /^(\w*Error.*|.*Mismatched.*)$/m;

/** Flags of node that a test asks for in a comment. */
function flagsOf(text) {
  const lines = [...text.matchAll(/^\/\/ Flags:(.*)$/gm)];
  return lines.flatMap(([, flags]) => flags.trim().split(/\s+/)).filter(Boolean);
}

async function runFile(tree, file, { hook, launcher = [], env = {} }, thread) {
  const path = join(tree, 'test', 'parallel', file);
  const flags = flagsOf(readFileSync(path, 'utf8'));
  const hooks = hook === undefined ? [] : ['--require', hook];
  const [command, ...args] = [...launcher, process.execPath, ...flags, ...hooks, path];
  const ended = await runBounded(command, args, {
    cwd: tree,
    capture: true,
    msMax: MS_MAX,
    env: {
      NODE_TEST_DIR: tree,
      TEST_THREAD_ID: String(thread),
      TEST_PARALLEL: '1',
      NODE_TEST_KNOWN_GLOBALS: '0',
      ...env,
    },
  });
  const { code, signal, timedOut, output } = ended;
  if (timedOut) return { file, status: 'late' };
  if (signal !== null) return { file, status: `ended by ${signal}` };
  if (code !== 0) return { file, status: 'failed', why: ERROR.exec(output)?.[0] ?? output };
  return { file, status: SKIPPED.test(output) ? 'skipped' : 'passed' };
}

/**
 * { file, status, why }[] of the files in test/parallel that match, in their order. `hook` is
 * required before each; `launcher` is put before node.
 */
export async function runSuite({ tree, match, ...how }) {
  const files = readdirSync(join(tree, 'test', 'parallel')).filter((file) => match.test(file));
  const waiting = files.sort();
  const results = [];
  const work = async (_, thread) => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.push(await runFile(tree, file, how, thread + 1));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results.sort((a, b) => (a.file < b.file ? -1 : 1));
}
