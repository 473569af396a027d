// A group of threads that serve the same module on the same ports.
import { availableParallelism } from 'node:os';
import { fs } from '../builtins.js';
import { milliseconds } from '../checks.js';
import { cpuQuota, threadsFor } from '../cpus.js';
import { RingpollError } from '../errors.js';
import type { Explanation } from '../loop/explain.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import { packageFolder } from '../runtime/package_folder.js';
import { onRejection } from '../runtime/rejection.js';
import { stopWithWorker } from '../tcp/cluster.js';
import type { StopOptions } from '../tcp/listen_options.js';
import { type ThreadUsage, usageOf } from '../thread_usage.js';
import { type CheckedGroupOptions, checkGroupOptions, type LoopGroupOptions } from './options.js';
import { placesOf } from './placement.js';
import { Seat, type SeatEnd, type SeatState } from './seat.js';
import { type Counts, GroupSockets } from './sockets.js';

const STOP_OPTIONS = optionNames<GroupStopOptions>(
  'stop()',
  { timeout: true },
  { deadline: 'timeout', signal: 'a timeout is all that it takes' },
);
const PUBLISH = optionNames<{ compress?: boolean }>('publish()', { compress: true });

/** A thread that ran this long is replaced at once, one that did not after a while. */
const STEADY_MS = 1000;
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 10_000;

export type GroupStopOptions = Pick<StopOptions, 'timeout'>;

export interface ThreadReport extends Counts, ThreadUsage {
  /** Its number, 0 and up. */
  thread: number;
  /** 'gone': it waits for its replacement. */
  state: SeatState;
  /** The kernel's number of it; 0: unknown. */
  threadId: number;
  /** Threads that had this number before: crashed ones, and those that reload() has replaced. */
  generation: number;
}

export interface GroupMetrics {
  threads: (ThreadReport & { loop: Record<string, number> | undefined })[];
  /** The sum of the counters of the threads' loops; docs/metrics.md explains each. */
  loop: Record<string, number>;
  /** Connections that the acceptor has accepted, and how often it could not. */
  acceptor: { accepted: number; failed: number };
  /** Threads that ended though they were not told to. */
  crashes: number;
  reloads: number;
}

export class LoopGroup {
  readonly #options: CheckedGroupOptions;
  readonly #threads: number;
  #sockets: GroupSockets | undefined;
  #places: (number | undefined)[] = [];
  readonly #seats: Seat[] = [];
  /** Replaced, or about to be, and not ended yet: stop() is theirs too. */
  readonly #leaving = new Set<Seat>();
  readonly #generations: number[] = [];
  readonly #delays: number[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #started: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;
  #reloading: Promise<void> | undefined;
  #leaveWorker: () => void = () => {};
  #listening = false;
  #crashes = 0;
  #reloads = 0;

  /**
   * `module` is loaded by each thread. Its default export is the options of serve() or of listen(),
   * an array of them, or a function that gets a GroupThread and returns them, or a promise of them.
   * Nothing runs before start().
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
   *   _UNKNOWN_OPTION
   */
  constructor(module: URL | string, options: LoopGroupOptions = {}) {
    this.#options = checkGroupOptions(module, options);
    const { threads } = this.#options;
    this.#threads = threads === 'auto' ? threadsFor(availableParallelism(), cpuQuota()) : threads;
  }

  /** How many threads it has. */
  get threads(): number {
    return this.#threads;
  }

  /** Where it listens: one address for each of the module's options. Empty before start(). */
  get addresses(): readonly (SocketAddress | PathAddress)[] {
    return this.#sockets?.addresses ?? [];
  }

  /** Shorthand for the port of the first address. */
  get port(): number | undefined {
    const [first] = this.addresses;
    return first !== undefined && 'port' in first ? first.port : undefined;
  }

  /**
   * Starts all threads. Resolves when all listen; rejects, with nothing left open, when one cannot.
   * @throws what the module throws, and the system's error (EADDRINUSE, ...)
   * @throws RingpollError ERR_RINGPOLL_WORKER_EXITED, _WORKER_UNFIT (it was not ready in time)
   */
  start(): Promise<this> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<this> {
    const { pin, balance } = this.#options;
    this.#places = placesOf(pin, this.#threads);
    // The threads of libuv's pool are those of the process: started by a pinned thread, all of them
    // would have to share its processor.
    if (pin !== false) await fs().promises.access('/');
    this.#sockets = new GroupSockets(this.#threads, balance);
    try {
      // The first one alone: what is wrong with the module is told once.
      await this.#begin(0).ready;
      const others = Array.from({ length: this.#threads - 1 }, (_, i) => this.#begin(i + 1).ready);
      await Promise.all(others);
    } catch (error) {
      this.#stopping = Promise.resolve();
      for (const seat of this.#seats) seat.terminate();
      await Promise.all(this.#seats.map((seat) => seat.exited));
      this.#sockets.close();
      throw error;
    }
    this.#listening = true;
    this.#leaveWorker = stopWithWorker(() => this.stop());
    return this;
  }

  #begin(thread: number): Seat {
    const sockets = this.#sockets as GroupSockets;
    const generation = this.#generations[thread] ?? 0;
    this.#generations[thread] = generation + 1;
    const { module, data, startMs, resourceLimits } = this.#options;
    const start = {
      ringpollGroup: sockets.id,
      ...{ module, data, thread, generation },
      threads: this.#threads,
      cpu: this.#places[thread],
      topics: `ringpoll ${process.pid} ${sockets.id}`,
    };
    const entry = new URL('dist/threads/worker.js', packageFolder());
    const seat = new Seat(entry, start, startMs, resourceLimits, {
      open: (index, place) => sockets.open(index, place),
      ended: (ended, end) => this.#ended(ended, end),
    });
    this.#seats[thread] = seat;
    return seat;
  }

  /** A thread that was not told to end is replaced. */
  #ended(seat: Seat, end: SeatEnd): void {
    const { thread } = seat.start;
    if (this.#stopping !== undefined || seat.state === 'stopping') return;
    // Not the one that serves under this number, or the group has not begun.
    if (this.#seats[thread] !== seat || !this.#listening) return;
    this.#crashes += 1;
    const last = this.#delays[thread] ?? 0;
    const delay =
      end.ran >= STEADY_MS ? 0 : Math.min(Math.max(RESTART_MS_MIN, last * 2), RESTART_MS_MAX);
    this.#delays[thread] = delay;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#seats[thread] === seat) this.#begin(thread);
    }, delay);
    this.#timers.add(timer);
    this.#tellCrash({ thread, ...end, delay });
  }

  #tellCrash(end: SeatEnd & { thread: number; delay: number }): void {
    const { crash } = this.#options;
    if (crash === undefined) {
      const why = end.error ?? new Error(`it ended with code ${end.exitCode}`);
      process.emitWarning(`Thread ${end.thread} has ended, and is replaced: ${why.stack}`);
      return;
    }
    // What the handler throws is nobody's but the program's.
    onRejection(crash(end), (reason) => {
      throw reason;
    });
  }

  #serving(): GroupSockets {
    if (this.#sockets === undefined || !this.#listening || this.#stopping !== undefined) {
      throw new RingpollError('ERR_RINGPOLL_SCHEDULER_CLOSED', 'The group does not serve');
    }
    return this.#sockets;
  }

  /**
   * Replaces all threads, one after the other: the new one listens before the old one stops, which
   * answers what has come, as server.stop() does. No connection is refused meanwhile. With
   * `timeout` (milliseconds) what an old thread has left then is reset.
   * Resolves when all old threads have ended. Rejects when a new one cannot listen: the old one
   * serves on then, and those not replaced yet stay.
   * @throws RingpollError ERR_RINGPOLL_SCHEDULER_CLOSED when it does not serve
   * @throws as start()
   */
  reload(options: GroupStopOptions = {}): Promise<void> {
    checkOptions(STOP_OPTIONS, options);
    const timeout = timeoutOf(options);
    this.#serving();
    const before = this.#reloading ?? Promise.resolve();
    const reloading = before.then(() => this.#reload(timeout));
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  async #reload(timeout: number | undefined): Promise<void> {
    for (let thread = 0; thread < this.#threads; thread++) {
      if (this.#stopping !== undefined) return;
      const old = this.#seats[thread];
      this.#leaving.add(old);
      try {
        await this.#replace(old, thread, timeout);
      } finally {
        this.#leaving.delete(old);
      }
    }
  }

  async #replace(old: Seat, thread: number, timeout: number | undefined): Promise<void> {
    const next = this.#begin(thread);
    try {
      await next.ready;
    } catch (error) {
      if (this.#stopping !== undefined) return;
      // Under this number the old one goes on, if it is there still.
      this.#seats[thread] = old;
      if (old.state === 'gone') this.#begin(thread);
      throw error;
    }
    await old.stop(timeout);
    this.#reloads += 1;
  }

  /**
   * Stops accepting, after those that wait to be accepted, and lets every thread finish as
   * server.stop() does. Resolves when all threads have ended. With `timeout` (milliseconds) what is
   * left then is reset.
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  stop(options: GroupStopOptions = {}): Promise<void> {
    checkOptions(STOP_OPTIONS, options);
    const timeout = timeoutOf(options);
    this.#stopping ??= this.#stop(timeout);
    return this.#stopping;
  }

  async #stop(timeout: number | undefined): Promise<void> {
    if (this.#started === undefined) return;
    for (const timer of this.#timers) clearTimeout(timer);
    const sockets = this.#sockets;
    if (!this.#listening) {
      for (const seat of this.#seats) seat.terminate();
      await this.#started.catch(() => {});
    } else {
      sockets?.stopAccepting();
    }
    const seats = [...this.#seats, ...this.#leaving];
    await Promise.all(seats.map((seat) => seat.stop(timeout)));
    await this.#reloading;
    this.#leaveWorker();
    sockets?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** What is known of each thread without asking it: it may be busy. Costs some microseconds. */
  reports(): ThreadReport[] {
    const counts = this.#sockets?.counts() ?? [];
    return this.#seats.map((seat, thread) => ({
      thread,
      state: seat.state,
      threadId: seat.threadId,
      generation: seat.start.generation,
      ...(counts[thread] as Counts),
      ...(seat.state === 'gone' ? {} : usageOf(seat.threadId)),
    }));
  }

  /** The same, and the counters of the threads' loops, which they answer between two turns. */
  async metrics(): Promise<GroupMetrics> {
    const loops = await Promise.all(this.#seats.map((seat) => seat.ask('metrics')));
    const sum: Record<string, number> = {};
    for (const loop of loops) {
      for (const name in loop) sum[name] = (sum[name] ?? 0) + (loop[name] as number);
    }
    return {
      threads: this.reports().map((report, i) => ({ ...report, loop: loops[i] })),
      loop: sum,
      acceptor: this.#sockets?.acceptor() ?? { accepted: 0, failed: 0 },
      crashes: this.#crashes,
      reloads: this.#reloads,
    };
  }

  /** loop.explain() of each thread; undefined for one that does not serve. */
  explain(): Promise<(Explanation | undefined)[]> {
    return Promise.all(this.#seats.map((seat) => seat.ask('explain')));
  }

  /**
   * server.publish() on every thread: to all WebSockets of the group that have subscribed.
   * @throws RingpollError ERR_RINGPOLL_SCHEDULER_CLOSED when it does not serve
   */
  publish(topic: string, data: string | Uint8Array, options: { compress?: boolean } = {}): void {
    checkOptions(PUBLISH, options);
    this.#serving();
    const { compress } = options;
    const serving = this.#seats.find((seat) => seat.state === 'serving');
    serving?.send({ kind: 'publish', topic, data, compress });
  }
}

function timeoutOf({ timeout }: GroupStopOptions): number | undefined {
  return timeout === undefined ? undefined : milliseconds('options.timeout', timeout, 0);
}
