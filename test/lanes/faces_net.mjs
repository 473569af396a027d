// The lane of Node's own tests of node:net, over ringpoll/net, on each engine. It runs when it is
// named. The tests are Node's and are never kept: RINGPOLL_NODE_TESTS is a folder with
// test/parallel and test/common of Node 20.11.1. test/faces/net.json names the files that fail, and
// why. By hand: node test/lanes/faces_net.mjs FOLDER [ENGINE] [PATTERN]
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from '../faces/suite.mjs';

export const name = 'faces net';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const ENGINES = ['poll', 'uring', 'hybrid'];
const MATCH = /^test-net-.*\.m?js$/;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const HOOK = here('../faces/net_hook.cjs');
const KEPT = here('../faces/net.json');

/** What differs from the results that are kept. */
async function runEngine(tree, engine, match) {
  const { stock, failing } = JSON.parse(readFileSync(KEPT, 'utf8'));
  const results = await runSuite({ tree, match, hook: HOOK, env: { RINGPOLL_ENGINE: engine } });
  const failed = results.filter(({ status }) => status !== 'passed' && status !== 'skipped');
  const unknown = failed.filter(({ file }) => !(file in failing) && !(file in stock));
  const complaints = unknown.map(
    ({ file, status, why = '' }) => `${engine}: ${file} ${status}: ${why.trim().slice(-400)}`,
  );
  const passed = results.filter(({ status }) => status === 'passed').length;
  return { passed, all: results.length, complaints, failed };
}

export async function run() {
  const given = process.env.RINGPOLL_NODE_TESTS;
  if (given === undefined || !existsSync(join(given, 'test', 'parallel'))) {
    const why = 'RINGPOLL_NODE_TESTS is no folder with Node 20.11.1 tests';
    return { passed: 0, failed: 0, skipped: 1, notes: [why] };
  }
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const engine of ENGINES) {
    const { passed, all, complaints } = await runEngine(resolve(given), engine, MATCH);
    counts.passed += passed;
    counts.failed += complaints.length;
    counts.notes.push(`${engine}: ${passed} of ${all} passed`, ...complaints);
  }
  return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, engine = 'hybrid', pattern] = process.argv.slice(2);
  const match = pattern === undefined ? MATCH : new RegExp(pattern);
  const { passed, all, complaints, failed } = await runEngine(resolve(folder), engine, match);
  for (const { file, status } of failed) console.log(`${status.padEnd(10)} ${file}`);
  for (const complaint of complaints) console.log(complaint);
  console.log(`${passed} of ${all} passed on ${engine}`);
  process.exitCode = complaints.length > 0 ? 1 : 0;
}
