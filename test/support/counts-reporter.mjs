// A vitest reporter that writes what test/run.mjs sums up: counts, every skip with its reason, and
// every failure with the first line of its error, so that the last lines of a run tell what failed.
// A test gives the reason by `context.skip(condition, reason)`; a skip without one has failed.
import { writeFileSync } from 'node:fs';

function* failedLoads(module) {
  // A file that does not load, or a hook that fails, has errors but no failed test of its own.
  if (module.errors().length > 0) yield module;
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) yield suite;
  }
}

/** @param {readonly { message?: string, stack?: string }[]} errors */
function failureOf(name, errors) {
  const [first] = errors;
  const line = first?.message?.split('\n')[0] ?? 'no error given';
  const place = /\/(test\/\S+?:\d+):\d+/.exec(first?.stack ?? '')?.[1];
  return `FAILED ${name}: ${line}${place ? ` (${place})` : ''}`;
}

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, notes: [] };
    counts.notes.push(...unhandledErrors.map((error) => failureOf('outside of a test', [error])));
    for (const module of modules) {
      for (const load of failedLoads(module)) {
        counts.failed += 1;
        counts.notes.push(failureOf(load.fullName ?? load.relativeModuleId, load.errors()));
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') counts.passed += 1;
        else if (result.state === 'skipped' && result.note) {
          counts.skipped += 1;
          counts.notes.push(`${test.fullName}: ${result.note}`);
        } else {
          counts.failed += 1;
          const skipped = result.state === 'skipped';
          const errors = skipped ? [{ message: 'skipped, no reason given' }] : result.errors;
          counts.notes.push(failureOf(test.fullName, errors ?? []));
        }
      }
    }
    writeFileSync(process.env.RINGPOLL_TEST_COUNTS, JSON.stringify(counts));
  }
}
