// Builds the Next.js app: its standalone server is what the smoke program starts.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runStep } from '../support/command.mjs';

const BUILD_MS_MAX = 600_000;

/** `folder` has the packages, and the app in `next`. */
export async function prepareNext(folder) {
  const app = join(folder, 'next');
  rmSync(join(app, '.next'), { recursive: true, force: true });
  const program = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  const env = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
  const options = { msMax: BUILD_MS_MAX, cwd: app, env };
  await runStep('next build', process.execPath, [program, 'build'], options);
}
