// What the pool measures over one period: latencies, idle time, and time spent in JavaScript.
import { performance } from 'node:perf_hooks';

// Enough for a P95; in longer periods later latencies take the place of earlier ones.
const LATENCIES_MAX = 4096;

export interface Shares {
  p95Ms: number;
  cpu: number;
  idle: number;
}

/** What one worker did in a period, added up by the caller. */
export interface WorkerShare {
  busyMs: number;
  activeMs: number;
  presentMs: number;
}

export class Measure {
  startedAt = performance.now();
  last: Shares = { p95Ms: 0, cpu: 0, idle: 0 };
  readonly #latencies = new Float64Array(LATENCIES_MAX);
  #count = 0;

  addLatency(ms: number): void {
    this.#latencies[this.#count % LATENCIES_MAX] = ms;
    this.#count++;
  }

  /** Ends the period and begins the next one. */
  close(shares: readonly WorkerShare[]): Shares {
    const sum = (key: keyof WorkerShare) => shares.reduce((total, share) => total + share[key], 0);
    const presentMs = sum('presentMs');
    const share = (ms: number) => (presentMs > 0 ? Math.min(ms / presentMs, 1) : 0);
    this.last = { p95Ms: this.#p95(), cpu: share(sum('activeMs')), idle: 1 - share(sum('busyMs')) };
    this.#count = 0;
    this.startedAt = performance.now();
    return this.last;
  }

  #p95(): number {
    const count = Math.min(this.#count, LATENCIES_MAX);
    if (count === 0) return 0;
    const sorted = this.#latencies.slice(0, count).sort();
    return sorted[Math.ceil(count * 0.95) - 1];
  }
}
