// How often threads of the process have waited for a mutex that they share, and how long.
import { runtime } from '../runtime/runtime.js';

/** In the order of native/core/base/lock_waits.h. */
export const SHARED_LOCKS = [
  'ticket_keys',
  'certificates',
  'thread_groups',
  'file_flushes',
] as const;
export type SharedLock = (typeof SHARED_LOCKS)[number];

export interface LockWaits {
  lock: SharedLock;
  count: number;
  ns: number;
}

export function lockWaits(): LockWaits[] {
  const words = new Float64Array(2 * SHARED_LOCKS.length);
  runtime().native.lockWaits(words);
  return SHARED_LOCKS.map((lock, at) => ({ lock, count: words[2 * at], ns: words[2 * at + 1] }));
}
