// A lane of Node's own tests through a face, in each way of ways.mjs. The tests are Node's and are
// never kept: RINGPOLL_NODE_TESTS is a folder with test/parallel, test/common and test/fixtures of
// Node 20.11.1. A file in test/faces names those that fail, and why.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from './suite.mjs';
import { STOCK, wayOf, ways } from './ways.mjs';

/**
 * What the lane `lane`, a file by its URL, is to run. `kept` is the file with the reasons, `hook`
 * what is required before each test: paths from `lane` on. Where the lane itself is the program,
 * runs it by hand: FOLDER [WAY] [PATTERN].
 */
export async function suiteLane(lane, { match, hook, kept, env = {} }) {
  const here = (path) => fileURLToPath(new URL(path, lane));

  /** What differs from the results that are kept. */
  async function runWay(tree, way, wanted) {
    const { stock, failing } = JSON.parse(readFileSync(here(kept), 'utf8'));
    const { launcher, env: added } = await wayOf(way);
    const how = { hook: here(hook), launcher, env: { ...env, ...added } };
    const results = await runSuite({ tree, match: wanted, ...(way === STOCK ? {} : how) });
    const failed = results.filter(({ status }) => status !== 'passed' && status !== 'skipped');
    const unknown = failed.filter(({ file }) => !(file in failing) && !(file in stock));
    const complaints = unknown.map(
      ({ file, status, why = '' }) => `${way}: ${file} ${status}: ${why.trim().slice(-400)}`,
    );
    const passed = results.filter(({ status }) => status === 'passed').length;
    return { passed, all: results.length, complaints, failed };
  }

  async function run() {
    const given = process.env.RINGPOLL_NODE_TESTS;
    if (given === undefined || !existsSync(join(given, 'test', 'parallel'))) {
      const why = 'RINGPOLL_NODE_TESTS is no folder with Node 20.11.1 tests';
      return { passed: 0, failed: 0, skipped: 1, notes: [why] };
    }
    const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
    for (const way of ways) {
      const { passed, all, complaints } = await runWay(resolve(given), way, match);
      counts.passed += passed;
      counts.failed += complaints.length;
      counts.notes.push(`${way}: ${passed} of ${all} passed`, ...complaints);
    }
    return counts;
  }

  async function byHand([folder, way = 'hybrid', pattern]) {
    const wanted = pattern === undefined ? match : new RegExp(pattern);
    const { passed, all, complaints, failed } = await runWay(resolve(folder), way, wanted);
    for (const { file, status } of failed) console.log(`${status.padEnd(10)} ${file}`);
    for (const complaint of complaints) console.log(complaint);
    console.log(`${passed} of ${all} passed, ${way}`);
    process.exitCode = complaints.length > 0 ? 1 : 0;
  }

  if (process.argv[1] === fileURLToPath(lane)) await byHand(process.argv.slice(2));
  return run;
}
