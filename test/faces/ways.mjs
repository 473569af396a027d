// The ways in which the lanes of the faces run: on each engine, and where io_uring is denied.
import { buildDenyProgram, denyProgram } from '../support/vitest-lane.mjs';

/** `denied` is the hybrid engine in a process that may not use io_uring: a facility of Linux. */
export const ways = [
  'poll',
  'uring',
  'hybrid',
  ...(process.platform === 'linux' ? ['denied'] : []),
];

/** Node without a face, for what is run by hand. */
export const STOCK = 'stock';

/** { launcher, env }: what is put before the command of a way, and its environment. */
export async function wayOf(way) {
  if (way === STOCK) return { launcher: [], env: {} };
  if (way !== 'denied') return { launcher: [], env: { RINGPOLL_ENGINE: way } };
  await buildDenyProgram();
  return { launcher: [denyProgram], env: { RINGPOLL_ENGINE: 'hybrid' } };
}
