// Delays in buckets of powers of two microseconds: adding costs a shift, and memory stays fixed.
const BUCKETS = 33;
const US_PER_MS = 1000;
const US_MAX = 2 ** 31;

export class DelayHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const us = ms * US_PER_MS;
    this.#buckets[us < US_MAX ? BUCKETS - 1 - Math.clz32(us) : BUCKETS - 1]++;
    this.#count++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The upper end in milliseconds of the bucket that holds this share (0 to 1) of the delays. */
  quantile(share: number): number {
    const rank = Math.ceil(this.#count * share);
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#buckets[index];
      if (seen >= rank && seen > 0) return Math.min(2 ** index / US_PER_MS, this.#maxMs);
    }
    return 0;
  }

  summary(): { p50: number; p99: number; max: number } {
    return { p50: this.quantile(0.5), p99: this.quantile(0.99), max: this.#maxMs };
  }
}
