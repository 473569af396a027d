// Response times of a period: a histogram whose buckets grow by a quarter.

const BUCKETS = 64;
const SMALLEST_MS = 0.1;
const GROWTH = Math.log(1.25);

function bucketOf(ms: number): number {
  const at = ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log(ms / SMALLEST_MS) / GROWTH);
  return Math.min(at, BUCKETS - 1);
}

export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  count = 0;
  sumMs = 0;

  add(ms: number, times = 1): void {
    this.#counts[bucketOf(ms)] += times;
    this.count += times;
    this.sumMs += ms * times;
  }

  /** Milliseconds that `share` of them took at most, up to a quarter too high; 0: of none. */
  quantile(share: number): number {
    let left = this.count * share;
    if (left === 0) return 0;
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.#counts[at];
      if (left <= 0) return SMALLEST_MS * Math.exp(GROWTH * at);
    }
    return SMALLEST_MS * Math.exp(GROWTH * (BUCKETS - 1));
  }

  /** How many took longer; those within a quarter of it may count or not. */
  over(ms: number): number {
    let count = 0;
    for (let at = bucketOf(ms) + 1; at < BUCKETS; at++) count += this.#counts[at];
    return count;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.sumMs = 0;
  }
}
