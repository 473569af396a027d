// The lane that runs the loop's tests on the kqueue engine where the kernel has no kqueue, over
// libkqueue. CMAKE_PREFIX_PATH in the environment tells where that is, if not in the system's own
// folders.
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from '../support/command.mjs';
import { coreLane } from '../support/core-lane.mjs';

export const name = 'kqueue';
export const oneCpu = true;

const root = fileURLToPath(new URL('../../', import.meta.url));
const USE_LIBKQUEUE = '-DRINGPOLL_LIBKQUEUE=ON';
const lane = coreLane({ name, defines: [USE_LIBKQUEUE], args: ['--filter', '_on_kqueue'] });

/** Why this lane does not run here, or undefined when it does. */
async function refusal() {
  if (process.platform !== 'linux') {
    return 'this system has a kqueue of its own, and the other lanes run on it';
  }
  const args = ['-S', root, '-B', `${root}build/probe/kqueue`, USE_LIBKQUEUE];
  const configured = await runBounded('cmake', args, { capture: true });
  if (!failureOf(configured)) return undefined;
  if (/LIBKQUEUE_(INCLUDE|LIBRARY)/.test(configured.output)) {
    return 'libkqueue is not installed (CMAKE_PREFIX_PATH can tell where it is)';
  }
  throw new Error(`cmake: ${configured.output}`);
}

export async function prepare() {
  if (!(await refusal())) await lane.prepare();
}

export async function run() {
  const reason = await refusal();
  return reason ? { passed: 0, failed: 0, skipped: 1, notes: [reason] } : lane.run();
}
