import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseCounts } from '../support/core-lane.mjs';
import { temporaryFolder } from '../support/temporary.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const CASES = `
import { test } from ${JSON.stringify(join(root, 'node_modules/vitest/dist/index.js'))};
test('is right', () => {});
test('is not run', (context) => context.skip(true, 'no ring'));
test('is not run either', (context) => context.skip(true));
test('is wrong', () => {
  throw new TypeError('first line\\nsecond line');
});
`;

test('the lanes of vitest tell what failed, and why', { timeout: 30_000 }, async () => {
  const folder = temporaryFolder();
  const counts = join(folder, 'counts.json');
  writeFileSync(join(folder, 'some.test.mjs'), CASES);
  const reporter = join(root, 'test', 'support', 'counts-reporter.mjs');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--root', folder, '--reporter', reporter];
  const env = { ...process.env, RINGPOLL_TEST_COUNTS: counts };
  await new Promise((resolve) => execFile(process.execPath, args, { env }, resolve));
  expect(JSON.parse(readFileSync(counts, 'utf8'))).toEqual({
    ...{ passed: 1, failed: 2, skipped: 1 },
    notes: [
      'is not run: no ring',
      'FAILED is not run either: skipped, no reason given',
      'FAILED is wrong: first line',
    ],
  });
});

test('the lanes of the core tell what failed, and why', () => {
  const output = `FAIL name_of_it
  test/core/x.cc:12: 1 == 2
skip other: there is no ring
5 passed, 1 failed, 1 skipped
`;
  expect(parseCounts(output)).toEqual({
    ...{ passed: 5, failed: 1, skipped: 1 },
    notes: ['FAIL name_of_it: test/core/x.cc:12: 1 == 2', 'skip other: there is no ring'],
  });
});
