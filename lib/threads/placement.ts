// Where threads run, and what the kernel counts of that.
import { fs } from '../builtins.js';
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

/** What the kernel counts of a thread; undefined where it does not tell. */
export interface ThreadUsage {
  /** CPU time in milliseconds. */
  user?: number;
  system?: number;
  /** Moves to another processor. */
  migrations?: number;
  voluntarySwitches?: number;
  /** Times that the kernel took the processor away. */
  involuntarySwitches?: number;
  /** The processor that it ran on last. */
  cpu?: number;
}

function read(path: string): string {
  try {
    return fs().readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

const migrationsIn = (file: string) => numberIn(read(file), /nr_migrations\s*:\s*(\d+)/);

/** Moves of this thread to another processor; undefined where the kernel does not tell. */
export const ownMigrations = (): number | undefined => migrationsIn('/proc/thread-self/sched');

/** USER_HZ: part of the kernel's interface. */
const MS_PER_TICK = 10;
// Fields of /proc/PID/stat behind the name in parentheses, counted from 0.
const USER = 11;
const SYSTEM = 12;
const PROCESSOR = 36;

export function usageOf(threadId: number): ThreadUsage {
  const folder = `/proc/self/task/${threadId}`;
  const stat = read(`${folder}/stat`);
  if (threadId === 0 || stat === '') return {};
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = read(`${folder}/status`);
  return {
    user: Number(fields[USER]) * MS_PER_TICK,
    system: Number(fields[SYSTEM]) * MS_PER_TICK,
    cpu: Number(fields[PROCESSOR]),
    migrations: migrationsIn(`${folder}/sched`),
    voluntarySwitches: numberIn(status, /^voluntary_ctxt_switches:\s*(\d+)/m),
    involuntarySwitches: numberIn(status, /^nonvoluntary_ctxt_switches:\s*(\d+)/m),
  };
}
