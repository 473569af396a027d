// Where operations go: at once on this thread, to the ring, or to libuv's pool; and how often each
// went where. explain() shows it.
import { deprecated } from '../deprecation.js';
import { invalidArgValue, outOfRange } from '../errors.js';
import { reports } from '../faces.js';
import { checkOptions, type OptionNames } from '../option_names.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { type FileCost, FileCosts } from './costs.js';

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

/** Who serves an operation: 'pool' is libuv's, and memory before it. */
export type FileEngine = 'auto' | 'uring' | 'pool';
/** What a file or a call asks for; see open(). 'poll' is the old name of 'pool', deprecated. */
export type EngineHint = FileEngine | 'poll';
const HINTS: readonly unknown[] = ['auto', 'uring', 'pool'];

/**
 * What is no object is node:fs's to complain of, or an encoding.
 * @throws TypeError ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function checkFileOptions(known: OptionNames, options: unknown): void {
  if (typeof options === 'object' && options !== null) checkOptions(known, options);
}

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE, and for names that are not `known` */
export function hintOf(options: unknown, known?: OptionNames): FileEngine {
  if (known !== undefined) checkFileOptions(known, options);
  const hint: unknown = (options as { engine?: unknown } | null | undefined)?.engine;
  if (hint === undefined) return 'auto';
  if (HINTS.includes(hint)) return hint as FileEngine;
  if (hint === 'poll') {
    const message = "engine: 'poll' of a file is deprecated: libuv's pool is called 'pool'";
    deprecated('RINGPOLL_DEP_FILE_POLL', message);
    return 'pool';
  }
  throw invalidArgValue('options.engine', `one of ${HINTS.join(', ')}`, hint);
}

const MODES = ['auto', 'ring', 'pool'];
const NOT_ON_RING: Record<string, string> = {
  readFile: 'whole files are opened, read and closed; see open, read and close',
  readdir: 'io_uring has no operation that lists a directory',
  copyFile: 'libuv clones or copies in the kernel; io_uring would move the bytes through a pipe',
  sendFile: "sendfile(2) from the page cache, unless engine 'uring' has the ring read everything",
};

/** The ring has the operation, but not in every form. */
const UNFIT = "unusual arguments, and writes of more than 256 KB, go to libuv's pool";

/** What became of one kind of operation. */
export interface OperationReport {
  operation: string;
  /** Answered at once from memory, without waiting and without another thread. */
  now: number;
  /** Given to io_uring. */
  ring: number;
  /** Given to libuv's pool, through node:fs; flushes on Linux to threads of their own. */
  pool: number;
  /** Why the ring does not do it, when it does not. */
  reason?: string;
  /** How many were asked of the ring by a hint and went elsewhere, for `reason`. */
  refusals: number;
  /** What reads and writes took, by size; one in 61 is measured. */
  costs: { now: FileCost[]; ring: FileCost[]; pool: FileCost[] };
}

export interface Report {
  /** RINGPOLL_FILES: 'auto', or 'ring' or 'pool' for measurements and tests. */
  mode: string;
  operations: OperationReport[];
}

/** The routes that one hint allows. Those of all hints count together. */
export class Routes {
  readonly runtime: Runtime;
  readonly hint: FileEngine;
  readonly mode: string;
  /** Whether operations may be answered on this thread. */
  readonly now: boolean;
  /** By Op, whether the ring may have it. */
  readonly ring: readonly boolean[];
  readonly #costs: FileCosts;
  readonly #counts: Float64Array;
  readonly #refusals: Float64Array;

  constructor(loop: Runtime, hint: FileEngine, all?: Routes) {
    this.runtime = loop;
    this.hint = hint;
    this.mode = process.env.RINGPOLL_FILES || 'auto';
    if (!MODES.includes(this.mode)) {
      throw outOfRange('RINGPOLL_FILES', `one of ${MODES.join(', ')}`, this.mode);
    }
    this.now = this.mode === 'auto' && hint !== 'uring' && process.platform === 'linux';
    this.ring = this.mode === 'pool' || hint === 'pool' ? [] : loop.native.fileCapabilities();
    this.#costs = all === undefined ? new FileCosts() : all.#costs;
    this.#counts = all === undefined ? new Float64Array(NAMES.length * ROUTES) : all.#counts;
    this.#refusals = all === undefined ? new Float64Array(NAMES.length) : all.#refusals;
  }

  count(op: number, route: Route): void {
    this.#counts[op * ROUTES + route]++;
    if (this.hint === 'uring' && route !== Route.ring) this.#refusals[op]++;
  }

  /** When a read or write begins that may be measured; 0: this one is not. */
  begin(): number {
    return this.#costs.begin();
  }

  /** It has ended. */
  ended(op: number, route: Route, bytes: number, start: number): void {
    if (start !== 0) this.#costs.end(op * ROUTES + route, bytes, start);
  }

  report(): Report {
    const operations = NAMES.map((operation, op) => {
      const [now, ring, pool] = this.#counts.subarray(op * ROUTES, op * ROUTES + ROUTES);
      const refusals = this.#refusals[op];
      const reason = this.#reason(op) ?? (refusals > 0 ? UNFIT : undefined);
      const why = reason === undefined ? {} : { reason };
      const [byNow, byRing, byPool] = [Route.now, Route.ring, Route.pool].map((route) =>
        this.#costs.costs(op * ROUTES + route),
      );
      const costs = { now: byNow, ring: byRing, pool: byPool };
      return { operation, now, ring, pool, refusals, costs, ...why };
    });
    return { mode: this.mode, operations };
  }

  #reason(op: number): string | undefined {
    // Sending goes to the ring by way of reads.
    if (op === Op.sendFile && !this.ring[Op.read]) return this.#reason(Op.read);
    if (op >= RING_OPS) return NOT_ON_RING[NAMES[op]];
    if (this.ring[op]) return undefined;
    if (this.mode === 'pool') return 'RINGPOLL_FILES=pool';
    const engine = this.runtime.native.describe().engines.find(({ name }) => name === 'uring');
    if (engine?.available) return 'this kernel has no such operation on the ring';
    return `no ring: ${engine?.reason ?? 'unknown'}`;
  }
}

let current: Record<FileEngine, Routes> | undefined;

/** This thread's; the loop starts at the first call. */
export function routesFor(hint: FileEngine = 'auto'): Routes {
  if (current === undefined) {
    const loop = runtime();
    const auto = new Routes(loop, 'auto');
    const other = (engine: FileEngine) => new Routes(loop, engine, auto);
    current = { auto, uring: other('uring'), pool: other('pool') };
    reports.set('files', () => auto.report());
  }
  return current[hint];
}

/**
 * For each kind of operation on files of this thread: where it went, how often, and why not to the
 * ring. A plain object of its own.
 */
export function explain(): Report {
  return routesFor().report();
}
