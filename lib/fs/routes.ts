// Where operations go: at once on this thread, to the ring, or to libuv's pool; and how often each
// went where. explain() shows it.
import { outOfRange } from '../errors.js';
import { type Runtime, runtime } from '../loop/runtime.js';

/** The first eleven are native code's FileOp; the ring has none of the others. */
export const Op = {
  open: 0,
  close: 1,
  read: 2,
  write: 3,
  sync: 4,
  datasync: 5,
  stat: 6,
  truncate: 7,
  fallocate: 8,
  rename: 9,
  unlink: 10,
  readFile: 11,
  readdir: 12,
  copyFile: 13,
  sendFile: 14,
} as const;

const NAMES = Object.keys(Op);
const RING_OPS = 11;

export const enum Route {
  now, // answered from memory, on this thread
  ring,
  pool, // libuv's, by way of node:fs
}
const ROUTES = 3;

const MODES = ['auto', 'ring', 'pool'];
const NOT_ON_RING: Record<string, string> = {
  readFile: 'whole files are opened, read and closed; see open, read and close',
  readdir: 'io_uring has no operation that lists a directory',
  copyFile: 'libuv clones or copies in the kernel; io_uring would move the bytes through a pipe',
  sendFile: 'sendfile(2) from the page cache; what is not there is read first',
};

/** What became of one kind of operation. */
export interface OperationReport {
  operation: string;
  /** Answered at once from memory, without waiting and without another thread. */
  now: number;
  /** Given to io_uring. */
  ring: number;
  /** Given to libuv's pool, through node:fs. */
  pool: number;
  /** Why the ring does not do it, when it does not. */
  reason?: string;
}

export interface Report {
  /** RINGPOLL_FILES: 'auto', or 'ring' or 'pool' for measurements and tests. */
  mode: string;
  operations: OperationReport[];
}

export class Routes {
  readonly runtime: Runtime;
  readonly mode: string;
  /** Whether operations may be answered on this thread. */
  readonly now: boolean;
  /** By Op, whether the ring has it. */
  readonly ring: readonly boolean[];
  readonly #counts = new Float64Array(NAMES.length * ROUTES);

  constructor(of: Runtime) {
    this.runtime = of;
    this.mode = process.env.RINGPOLL_FILES || 'auto';
    if (!MODES.includes(this.mode)) {
      throw outOfRange('RINGPOLL_FILES', `one of ${MODES.join(', ')}`, this.mode);
    }
    this.now = this.mode === 'auto' && process.platform === 'linux';
    this.ring = this.mode === 'pool' ? [] : of.native.fileCapabilities();
  }

  count(op: number, route: Route): void {
    this.#counts[op * ROUTES + route]++;
  }

  report(): Report {
    const operations = NAMES.map((operation, op) => {
      const [now, ring, pool] = this.#counts.subarray(op * ROUTES, op * ROUTES + ROUTES);
      const reason = this.#reason(op);
      return { operation, now, ring, pool, ...(reason === undefined ? {} : { reason }) };
    });
    return { mode: this.mode, operations };
  }

  #reason(op: number): string | undefined {
    if (op >= RING_OPS) return NOT_ON_RING[NAMES[op]];
    if (this.ring[op]) return undefined;
    if (this.mode === 'pool') return 'RINGPOLL_FILES=pool';
    const engine = this.runtime.native.describe().engines.find(({ name }) => name === 'uring');
    if (engine?.available) return 'this kernel has no such operation on the ring';
    return `no ring: ${engine?.reason ?? 'unknown'}`;
  }
}

let current: Routes | undefined;

/** This thread's; the loop starts at the first call. */
export function routes(): Routes {
  current ??= new Routes(runtime());
  return current;
}

/**
 * For each kind of operation on files of this thread: where it went, how often, and why not to the
 * ring. A plain object of its own.
 */
export function explain(): Report {
  return routes().report();
}
