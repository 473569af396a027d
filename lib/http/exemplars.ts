// Of the requests of a route: for each order of length the trace of the last one, so that a slow
// bucket of a histogram leads to a trace. Only while tracing runs.

export interface Exemplar {
  traceId: string;
  ns: number;
  /** Seconds since 1970. */
  at: number;
}

const NS_PER_MS = 1e6;
const MS_PER_S = 1e3;
/** Lengths are told apart by doublings: all that a number of nanoseconds may have. */
const DOUBLINGS_MAX = 64;

export class Exemplars {
  readonly #last: (Exemplar | undefined)[] = [];

  add(traceId: string, ms: number): void {
    const ns = Math.max(1, ms * NS_PER_MS);
    const at = (performance.timeOrigin + performance.now()) / MS_PER_S;
    this.#last[Math.min(DOUBLINGS_MAX, Math.floor(Math.log2(ns)))] = { traceId, ns, at };
  }

  /** The latest one whose length is above `from` and at most `to`, in nanoseconds. */
  between(from: number, to: number): Exemplar | undefined {
    let latest: Exemplar | undefined;
    for (const each of this.#last) {
      if (each === undefined || each.ns <= from || each.ns > to) continue;
      if (latest === undefined || each.at > latest.at) latest = each;
    }
    return latest;
  }
}
