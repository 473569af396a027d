// The options of a LoopGroup.
import { workerThreads } from '../builtins.js';
import { integer, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';

export type Balance = 'reuseport' | 'round-robin' | 'least-connections' | 'queue';

/** A thread that has ended though it was not told to. */
export interface ThreadEnd {
  /** Its number, 0 and up; its replacement has the same. */
  thread: number;
  /** What it threw; undefined: it called process.exit(). */
  error: Error | undefined;
  exitCode: number;
  /** Milliseconds from its start. */
  ran: number;
  /** Milliseconds until another thread takes its place. */
  delay: number;
}

/** Limits of V8 for each thread, in megabytes; as `resourceLimits` of node:worker_threads. */
export interface ThreadLimits {
  maxOldGenerationSizeMb?: number;
  maxYoungGenerationSizeMb?: number;
  codeRangeSizeMb?: number;
  stackSizeMb?: number;
}

export interface LoopGroupOptions {
  /**
   * Threads, 1 to 256; 'auto': one for each processor that the process may use, by its affinity
   * and by the quota of its control group (cpu.max), rounded down. Default: 'auto'.
   */
  threads?: number | 'auto';
  /**
   * Who decides which thread gets a connection: the kernel ('reuseport'), or an acceptor that gives
   * it to the threads in turn, to the one with the fewest connections, or to one that is idle
   * ('queue'). Default: 'reuseport' on Linux, else 'round-robin'.
   */
  balance?: Balance;
  /**
   * Each thread runs on one processor alone: true takes those of the process in turn, a list those
   * of the list. Linux only. Default: false.
   */
  pin?: boolean | readonly number[];
  /** For the module, as `thread.data`: whatever can be cloned. */
  data?: unknown;
  /** Limits of V8 for each thread. A thread that exceeds one ends, and is replaced. */
  resourceLimits?: ThreadLimits;
  /** Milliseconds for a thread to load its module and listen, 1 or more. Default: 30,000. */
  startTimeout?: number;
  /** A thread has ended though it was not told to. Without it that becomes a process warning. */
  crash?(end: ThreadEnd): unknown;
}

export const BALANCES: readonly Balance[] = [
  'reuseport',
  'round-robin',
  'least-connections',
  'queue',
];
export const THREADS_MAX = 256;
const CPU_MAX = 8191;
const START_MS = 30_000;

const OPTIONS = optionNames<LoopGroupOptions>(
  'LoopGroup',
  {
    threads: true,
    balance: true,
    pin: true,
    data: true,
    resourceLimits: true,
    startTimeout: true,
    crash: true,
  },
  {
    workers: 'threads',
    size: 'threads',
    instances: 'threads',
    workerData: 'data',
    affinity: 'pin',
    schedulingPolicy: 'balance',
    port: 'the module says where it listens',
    host: 'the module says where it listens',
    handler: 'functions cannot pass to another thread: the module exports them',
    fetch: 'functions cannot pass to another thread: the module exports them',
  },
);

export interface CheckedGroupOptions {
  module: string;
  threads: number | 'auto';
  balance: Balance;
  pin: boolean | readonly number[];
  data: unknown;
  resourceLimits: ThreadLimits | undefined;
  startMs: number;
  crash: LoopGroupOptions['crash'];
}

function checkModule(module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string') {
    throw invalidArgType('module', 'the URL of a module, such as new URL(…)', module);
  }
  // A path would be another one for each file that it is written in.
  if (!/^(file|data|node):/.test(module)) {
    throw invalidArgValue('module', "new URL('./server.js', import.meta.url)", module);
  }
  return module;
}

/** Numbers of processors. @throws TypeError, RangeError */
export function checkCpus(name: string, value: readonly unknown[]): readonly number[] {
  if (value.length === 0) throw outOfRange(`${name}.length`, 'at least 1', 0);
  return value.map((cpu, i) => integer(`${name}[${i}]`, cpu, 0, CPU_MAX, 0));
}

export function checkGroupOptions(module: unknown, options: LoopGroupOptions): CheckedGroupOptions {
  const href = checkModule(module);
  checkOptions(OPTIONS, options);
  const { threads = 'auto', pin = false, crash, resourceLimits } = options;
  const byDefault = process.platform === 'linux' ? 'reuseport' : 'round-robin';
  const { balance = byDefault } = options;
  if (!BALANCES.includes(balance)) {
    throw invalidArgValue('options.balance', `one of ${BALANCES.join(', ')}`, balance);
  }
  if (typeof pin !== 'boolean' && !Array.isArray(pin)) {
    throw invalidArgType('options.pin', 'a boolean or an array of numbers', pin);
  }
  if (crash !== undefined && typeof crash !== 'function') {
    throw invalidArgType('options.crash', 'a function', crash);
  }
  if (resourceLimits !== undefined && (typeof resourceLimits !== 'object' || !resourceLimits)) {
    throw invalidArgType('options.resourceLimits', 'an object', resourceLimits);
  }
  if (!workerThreads().isMainThread && workerThreads().workerData?.ringpollGroup !== undefined) {
    throw invalidArgValue('LoopGroup', 'made outside of the threads of another one', href);
  }
  return {
    module: href,
    threads: threads === 'auto' ? threads : integer('options.threads', threads, 1, THREADS_MAX, 1),
    balance,
    pin: typeof pin === 'boolean' ? pin : checkCpus('options.pin', pin as readonly unknown[]),
    data: options.data,
    resourceLimits,
    startMs: Math.max(1, milliseconds('options.startTimeout', options.startTimeout, START_MS)),
    crash,
  };
}
