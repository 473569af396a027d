// A vitest reporter that writes what test/run.mjs sums up: counts, and every skip with its reason.
// A test gives the reason by `context.skip(condition, reason)`; a skip without one has failed.
import { writeFileSync } from 'node:fs';

function* failedLoads(module) {
  // A file that does not load, or a hook that fails, has errors but no failed test of its own.
  if (module.errors().length > 0) yield module;
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) yield suite;
  }
}

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, skips: [] };
    for (const module of modules) {
      counts.failed += [...failedLoads(module)].length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') counts.passed += 1;
        else if (result.state === 'skipped' && result.note) {
          counts.skipped += 1;
          counts.skips.push(`${test.fullName}: ${result.note}`);
        } else {
          counts.failed += 1;
          if (result.state === 'skipped') counts.skips.push(`${test.fullName}: no reason given`);
        }
      }
    }
    writeFileSync(process.env.RINGPOLL_TEST_COUNTS, JSON.stringify(counts));
  }
}
