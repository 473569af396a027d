// A lane of Node's own tests through a face, on each engine. The tests are Node's and are never
// kept: RINGPOLL_NODE_TESTS is a folder with test/parallel, test/common and test/fixtures of Node
// 20.11.1. A file in test/faces names those that fail, and why.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runSuite } from './suite.mjs';

const ENGINES = ['poll', 'uring', 'hybrid'];

/**
 * `kept` is the path of the file with the reasons; `hook` what is required before each test.
 * `byHand` is for a program: FOLDER [ENGINE] [PATTERN].
 */
export function suiteLane({ match, hook, kept, env = {} }) {
  /** What differs from the results that are kept. */
  async function runEngine(tree, engine, wanted) {
    const { stock, failing } = JSON.parse(readFileSync(kept, 'utf8'));
    const results = await runSuite({
      ...{ tree, match: wanted, hook, env: { ...env, RINGPOLL_ENGINE: engine } },
    });
    const failed = results.filter(({ status }) => status !== 'passed' && status !== 'skipped');
    const unknown = failed.filter(({ file }) => !(file in failing) && !(file in stock));
    const complaints = unknown.map(
      ({ file, status, why = '' }) => `${engine}: ${file} ${status}: ${why.trim().slice(-400)}`,
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
    for (const engine of ENGINES) {
      const { passed, all, complaints } = await runEngine(resolve(given), engine, match);
      counts.passed += passed;
      counts.failed += complaints.length;
      counts.notes.push(`${engine}: ${passed} of ${all} passed`, ...complaints);
    }
    return counts;
  }

  async function byHand([folder, engine = 'hybrid', pattern]) {
    const wanted = pattern === undefined ? match : new RegExp(pattern);
    const { passed, all, complaints, failed } = await runEngine(resolve(folder), engine, wanted);
    for (const { file, status } of failed) console.log(`${status.padEnd(10)} ${file}`);
    for (const complaint of complaints) console.log(complaint);
    console.log(`${passed} of ${all} passed on ${engine}`);
    process.exitCode = complaints.length > 0 ? 1 : 0;
  }

  return { run, byHand };
}
