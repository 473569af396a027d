// The lane of the web platform's tests for WebSocket, on the class of that name in
// ringpoll/websocket. It runs when it is named, and keeps what it found in
// test/websocket/wpt.json. The tests are fetched, and never kept.
// By hand: node test/lanes/wpt.mjs [PATTERN]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runStep } from '../support/command.mjs';
import { mayFail, reasonOf } from '../websocket/wpt_left_out.mjs';
import { startWptServer } from '../websocket/wpt_server.mjs';

export const name = 'wpt';
export const onRequest = true;
export const msMax = 20 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const KEPT = join(root, 'test', 'websocket', 'wpt.json');
const FETCHED = join(root, 'build', 'wpt');
const SOURCE = 'https://github.com/web-platform-tests/wpt';
const FETCH_MS_MAX = 600_000;
const CASE_MS_MAX = 25_000;

async function fetchTests() {
  const given = process.env.RINGPOLL_WPT;
  if (given !== undefined) return given;
  if (existsSync(join(FETCHED, 'websockets'))) return FETCHED;
  const git = (what, ...args) => runStep(what, 'git', args, { msMax: FETCH_MS_MAX });
  const few = ['--filter=blob:none', '--sparse', '--depth=1'];
  await git('git clone of the tests', 'clone', ...few, SOURCE, FETCHED);
  const folders = ['websockets', 'resources'];
  await git('git sparse-checkout', '-C', FETCHED, 'sparse-checkout', 'set', ...folders);
  return FETCHED;
}

/** Files that are tests: scripts that run anywhere, and pages. */
function testsIn(folder) {
  const files = readdirSync(join(folder, 'websockets'), { recursive: true });
  const isTest = (file) => /\.(any|window|worker)\.js$|\.html$/.test(file);
  const helps = (file) => /(^|\/)(support|resources|handlers)\//.test(file);
  return files.filter((file) => isTest(file) && !helps(file)).sort();
}

async function runCase(folder, file, port) {
  const program = join(root, 'test', 'websocket', 'wpt_case.mjs');
  const args = ['--no-warnings', program, folder, file, String(port)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    errors += piece;
  });
  const killer = setTimeout(() => child.kill('SIGKILL'), CASE_MS_MAX);
  const [code, signal] = await once(child, 'close');
  clearTimeout(killer);
  try {
    return JSON.parse(text);
  } catch {
    const message = `ended with ${signal ?? code}: ${errors.slice(0, 400)}`;
    return { harness: { status: 1, message }, tests: [] };
  }
}

const excuseOf = (file, test) =>
  mayFail.find(([where, start]) => where === file && test.startsWith(start))?.[2];

/** One line for each test that a file has; [] of a file without any is a failure of its own. */
function linesOf(file, { harness, tests }) {
  if (tests.length === 0) {
    return [{ file, test: '', status: 'fail', message: harness.message || 'it has no test' }];
  }
  return tests.map(({ name: test, status, message }) => ({ file, test, status, message }));
}

function keep(lines, skipped) {
  const shown = lines.map(({ file, test, status, message }) => {
    const reason = excuseOf(file, test);
    return { file, test, status, ...(status !== 'pass' && { message, reason }) };
  });
  const rows = (list) => list.map((line) => `    ${JSON.stringify(line)}`).join(',\n');
  const left = skipped.map(([file, wants]) => ({ file, wants }));
  const text = `{\n  "source": ${JSON.stringify(SOURCE)},\n  "variant": "default",\n`;
  writeFileSync(
    KEPT,
    `${text}  "tests": [\n${rows(shown)}\n  ],\n  "leftOut": [\n${rows(left)}\n  ]\n}\n`,
  );
}

export async function run(pattern) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  let folder;
  try {
    folder = await fetchTests();
  } catch (error) {
    const reason = `the tests cannot be fetched: ${error.message.split('\n')[0]}`;
    return { ...result, skipped: 1, notes: [reason] };
  }
  const server = await startWptServer();
  const lines = [];
  const skipped = [];
  try {
    for (const file of testsIn(folder)) {
      if (pattern !== undefined && !file.includes(pattern)) continue;
      const wants = reasonOf(file);
      if (wants !== undefined) {
        skipped.push([file, wants]);
        continue;
      }
      const found = linesOf(file, await runCase(folder, file, server.port));
      lines.push(...found);
      for (const { test, status, message } of found) {
        if (status === 'pass') result.passed++;
        else if (excuseOf(file, test) !== undefined) result.skipped++;
        else {
          result.failed++;
          result.notes.push(`${file}: ${test}`);
          console.log(`FAILED  ${file}: ${test}: ${status} ${message}`);
        }
      }
    }
  } finally {
    server.stop();
  }
  result.skipped += skipped.length;
  if (pattern === undefined && process.env.WPT_PEER === undefined) keep(lines, skipped);
  return result;
}

/** What was kept, for the test of it. */
export const readKept = () => JSON.parse(readFileSync(KEPT, 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped } = await run(process.argv[2]);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
