// What the kernel counts of threads.
import { fs } from './builtins.js';

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
