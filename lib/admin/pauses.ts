// Pauses of the garbage collector, while somebody looks.
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { Histogram } from '../histogram.js';

/** One pause; times are milliseconds of performance.now(). */
export interface Pause {
  start: number;
  ms: number;
  kind: PauseKind;
}

export type PauseKind = 'minor' | 'major' | 'incremental' | 'weak';

const KINDS = new Map<number, PauseKind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak'],
]);
const KEPT_MAX = 4096;
const NS_PER_MS = 1e6;

type NodeEntry = PerformanceEntry & { detail?: { kind?: number } };

export class Pauses {
  readonly durations = new Map<PauseKind, Histogram>();
  readonly #kept: Pause[] = [];
  readonly #observer: PerformanceObserver;

  constructor() {
    for (const kind of KINDS.values()) this.durations.set(kind, new Histogram());
    this.#observer = new PerformanceObserver((list) => {
      for (const { startTime, duration, detail } of list.getEntries() as NodeEntry[]) {
        const kind = KINDS.get(detail?.kind ?? -1) ?? 'minor';
        this.#add({ start: startTime, ms: duration, kind });
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #add(pause: Pause): void {
    this.durations.get(pause.kind)?.add(pause.ms * NS_PER_MS);
    this.#kept.push(pause);
    if (this.#kept.length > KEPT_MAX) this.#kept.splice(0, KEPT_MAX / 2);
  }

  /** Those that began at `ms` or later, oldest first. */
  from(ms: number): Pause[] {
    return this.#kept.filter(({ start }) => start >= ms);
  }

  stop(): void {
    this.#observer.disconnect();
  }
}
