// The lane of Node's own http tests, through ringpoll/register. It runs when it is named, on a tree
// that RINGPOLL_NODE_TESTS names: one with test/parallel, test/common and test/fixtures, of
// v20.11.1. A file that fails must have its reason in test/faces/http_left_out.mjs. What it found
// is kept in test/faces/http.json.
// By hand: RINGPOLL_NODE_TESTS=DIR node test/lanes/faces.mjs [PATTERN]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mayFail, onNodeToo } from '../faces/http_left_out.mjs';

export const name = 'faces';
export const onRequest = true;
export const msMax = 30 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const KEPT = join(root, 'test', 'faces', 'http.json');
const REGISTER = join(root, 'dist', 'register', 'require.cjs');
const FILE_MS_MAX = 30_000;
const AT_ONCE = 2;
const SKIPPED = /^1\.\.0 # Skipped/m;

function treeOf() {
  const tree = process.env.RINGPOLL_NODE_TESTS;
  if (tree === undefined || !existsSync(join(tree, 'test', 'parallel'))) {
    throw new Error('RINGPOLL_NODE_TESTS names no tree with test/parallel');
  }
  return tree;
}

/** The flags that a file asks Node for. */
function flagsOf(path) {
  const lines = readFileSync(path, 'utf8').matchAll(/^\/\/ Flags:(.*)$/gm);
  return [...lines].flatMap(([, words]) => words.trim().split(/\s+/)).filter(Boolean);
}

/** 'pass', 'skip', 'fail', 'timeout', or the signal that ended it. */
async function resultOf(tree, file, slot) {
  const path = join(tree, 'test', 'parallel', file);
  const temporary = join(tmpdir(), `ringpoll-faces-${process.pid}`);
  mkdirSync(temporary, { recursive: true });
  const env = { ...process.env, NODE_TEST_DIR: temporary, TEST_THREAD_ID: String(slot) };
  // The test of globals knows none of ours.
  Object.assign(env, { NODE_TEST_KNOWN_GLOBALS: '0' });
  const child = spawn(process.execPath, [...flagsOf(path), '--require', REGISTER, path], {
    ...{ cwd: tree, env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text = (text + piece).slice(-4000);
  });
  let late = false;
  const kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, FILE_MS_MAX);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  kill();
  if (late) return 'timeout';
  if (signal !== null) return signal;
  if (code !== 0) return 'fail';
  return SKIPPED.test(text) ? 'skip' : 'pass';
}

async function runAll(tree, files) {
  const results = {};
  const left = [...files];
  const worker = async (_, slot) => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      results[file] = await resultOf(tree, file, slot + 1);
      if (results[file] !== 'pass') console.log(`${results[file]} ${file}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

const reasonOf = (file) =>
  onNodeToo.includes(file) ? 'fails on node:http too' : mayFail.get(file);

export async function run(pattern = '') {
  const tree = treeOf();
  const all = readdirSync(join(tree, 'test', 'parallel')).sort();
  const isWanted = (file) => /^test-http-.*\.m?js$/.test(file) && file.includes(pattern);
  const results = await runAll(tree, all.filter(isWanted));
  const bad = Object.keys(results).filter((file) => !['pass', 'skip'].includes(results[file]));
  const unexplained = bad.filter((file) => reasonOf(file) === undefined);
  const count = (word) => Object.values(results).filter((result) => result === word).length;
  if (pattern === '') {
    const failed = Object.fromEntries(
      bad.sort().map((file) => [file, `${results[file]}: ${reasonOf(file) ?? 'not explained'}`]),
    );
    const kept = { node: process.version, files: Object.keys(results).length };
    writeFileSync(KEPT, `${JSON.stringify({ ...kept, passed: count('pass'), failed }, null, 2)}\n`);
  }
  const notes = unexplained.map((file) => `${results[file]}: ${file}`);
  const skipped = count('skip') + bad.length - unexplained.length;
  return { passed: count('pass'), failed: unexplained.length, skipped, notes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped, notes } = await run(process.argv[2]);
  console.log(notes.join('\n'));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
