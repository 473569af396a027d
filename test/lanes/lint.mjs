// The lane of `npm run lint`: biome, clang-format and clang-tidy, each one check.
import { checks, NoTool } from '../../scripts/lint.mjs';
import { StepError } from '../../scripts/steps.mjs';

export const name = 'lint';

export async function run() {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(false);
      result.passed++;
      console.log(`ok      ${name}`);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      // A service that checks every change has to say that it checks less.
      const missing = error instanceof NoTool && !process.env.CI;
      result[missing ? 'skipped' : 'failed']++;
      result.notes.push(missing ? error.message : `${name}: npm run lint says what`);
      console.log(`${missing ? 'skipped' : 'FAILED '} ${name}\n${error.message}`);
    }
  }
  return result;
}
