// The lane that runs the loop's tests on the kqueue engine where the kernel has no kqueue, over
// libkqueue. CMAKE_PREFIX_PATH in the environment tells where that is, if not in the system's own
// folders.
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from '../support/command.mjs';
import { runCore } from '../support/core-lane.mjs';

export const name = 'kqueue';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CONFIGURE_MS_MAX = 120_000;
const USE_LIBKQUEUE = '-DRINGPOLL_LIBKQUEUE=ON';

const skip = (reason) => ({ passed: 0, failed: 0, skipped: 1, notes: [reason] });

export async function run() {
  if (process.platform !== 'linux') {
    return skip('this system has a kqueue of its own, and the other lanes run on it');
  }
  const args = ['-S', root, '-B', `${root}build/core-kqueue-probe`, USE_LIBKQUEUE];
  const options = { msMax: CONFIGURE_MS_MAX, capture: true };
  const configured = await runBounded('cmake', args, options);
  if (failureOf(configured, CONFIGURE_MS_MAX)) {
    if (/LIBKQUEUE_(INCLUDE|LIBRARY)/.test(configured.output)) {
      return skip('libkqueue is not installed (CMAKE_PREFIX_PATH can tell where it is)');
    }
    throw new Error(`cmake: ${configured.output}`);
  }
  return runCore({
    name,
    buildType: 'Release',
    defines: [USE_LIBKQUEUE],
    args: ['--filter', '_on_kqueue'],
  });
}
