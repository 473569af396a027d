// Where threads run.
import { outOfRange } from '../errors.js';
import { native } from '../runtime/native.js';
import { systemError } from '../runtime/system_error.js';
import { checkCpus } from './options.js';

const NO_SYSCALL = 0;

/** @throws the system's error: ENOSYS where threads cannot be pinned */
export function pin(cpus: readonly number[]): void {
  const result = native().pinThread(Uint32Array.from(cpus));
  if (result !== 0) {
    const error = systemError(-result, NO_SYSCALL);
    error.message = `sched_setaffinity(${cpus.join(', ')})${error.message}`;
    throw error;
  }
}

/**
 * The calling thread runs on these processors alone, and so do the threads that it starts later.
 * Linux only.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
 * @throws the system's error: EINVAL for processors that the process may not use, ENOSYS elsewhere
 */
export function pinThread(cpus: number | readonly number[]): void {
  pin(checkCpus('cpus', Array.isArray(cpus) ? cpus : [cpus]));
}

/** The processor of each thread. @throws RangeError for one that the process may not use */
export function placesOf(
  asked: boolean | readonly number[],
  threads: number,
): (number | undefined)[] {
  if (asked === false) return Array.from({ length: threads }, () => undefined);
  const usable = [...native().threadCpus()];
  if (asked !== true) {
    for (const cpu of asked) {
      if (usable.length > 0 && !usable.includes(cpu)) {
        throw outOfRange('options.pin', `among the usable processors ${usable.join(', ')}`, cpu);
      }
    }
  }
  const from = asked === true ? usable : asked;
  return Array.from({ length: threads }, (_, i) => from[i % from.length] ?? 0);
}
