// One line now and then with what `metrics()` tells: RINGPOLL_SCHEDTRACE=1000 is one a second.
import type { Clock } from './clock.js';
import { CLASS_NAMES } from './task.js';
import type { SchedulerMetrics } from './types.js';

type Source = () => Record<string, number>;

export interface TraceOptions {
  trace: number;
  traceTo: (line: string) => void;
  clock: Clock;
}

const pairs = (numbers: Record<string, number>) =>
  Object.entries(numbers).map(([name, value]) => `${name}=${value}`);

/**
 * ```
 * SCHED 1002ms: new=0 ready=3 running=1 suspended=0 waiting=7 queue=0/1/2 starved=0 rounds=51
 *   turns=4711 loops=9 overruns=0 workers=2/4 jobs=1+0 sq=0 cq=2 connections=12
 * ```
 * (on one line): queue depths are connection/request/business, workers busy/all, and jobs are
 * those that wait + workers that warm up. The last three come from the loop, once there is one:
 * how full its ring's queues were when it last submitted and reaped, and connections now.
 */
export function traceLine(
  ms: number,
  metrics: SchedulerMetrics,
  sources: readonly Source[],
): string {
  const { states, classes, starved, rounds, loopTurns, overruns, compute, loop } = metrics;
  const each = CLASS_NAMES.map((name) => classes[name]);
  const words = [
    `SCHED ${Math.round(ms)}ms:`,
    ...pairs(states),
    `queue=${each.map(({ ready }) => ready).join('/')}`,
    `starved=${starved}`,
    `rounds=${rounds}`,
    `turns=${each.reduce((sum, { turns }) => sum + turns, 0)}`,
    `loops=${loopTurns}`,
    `overruns=${overruns}`,
    `workers=${compute?.busy ?? 0}/${compute?.size ?? 0}`,
    `jobs=${compute?.queue ?? 0}+${compute?.warming ?? 0}`,
    ...pairs({ ...loop }),
    ...sources.flatMap((source) => pairs(source())),
  ];
  return words.join(' ');
}

export class Trace {
  readonly #options: TraceOptions;
  readonly #metrics: () => SchedulerMetrics;
  readonly #sources: Source[] = [];
  readonly #startedAt: number;
  #timer: unknown = null;

  constructor(options: TraceOptions, metrics: () => SchedulerMetrics) {
    this.#options = options;
    this.#metrics = metrics;
    this.#startedAt = options.clock.now();
    if (options.trace > 0) this.#arm();
  }

  also(source: Source): void {
    this.#sources.push(source);
  }

  close(): void {
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    const { clock, trace, traceTo } = this.#options;
    const print = () => {
      this.#arm();
      traceTo(traceLine(clock.now() - this.#startedAt, this.#metrics(), this.#sources));
    };
    this.#timer = clock.setTimer(print, trace, false);
  }
}
