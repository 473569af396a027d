// Values in buckets: exact below 128, and from there on 64 for each doubling up to 2^41. The middle
// of a bucket is within 0.8 % of all that lies in it. native/core/base/log_buckets.h has the same.
const BITS = 6;
const PART = 1 << BITS;
const SHIFT_MAX = 34;
const PARTS = SHIFT_MAX + 2;
const EXACT_MAX = 2 * PART;
const INT_BITS = 31;
/** Values beyond 31 bits are looked at without their lowest 20. */
const HIGH_BITS = 20;

/** How many buckets there are. */
export const HISTOGRAM_BUCKETS = PARTS << BITS;

/** What a histogram says of its values, in their unit. Of none, all is 0. */
export interface HistogramSummary {
  count: number;
  mean: number;
  min: number;
  max: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  p9999: number;
}

/** A histogram as plain data: it passes through JSON and postMessage(). */
export interface HistogramData {
  count: number;
  sum: number;
  min: number;
  max: number;
  /** Index of a bucket, how many values it has, and so on, without empty ones. */
  buckets: number[];
}

function bucketOf(value: number): number {
  if (value < EXACT_MAX) return value;
  if (value < 2 ** INT_BITS) {
    const shift = INT_BITS - Math.clz32(value) - BITS;
    return (shift << BITS) + (value >>> shift);
  }
  const high = Math.min(value / 2 ** HIGH_BITS, 2 ** INT_BITS);
  const shift = INT_BITS - Math.clz32(high) - BITS + HIGH_BITS;
  if (shift > SHIFT_MAX) return HISTOGRAM_BUCKETS - 1;
  return (shift << BITS) + Math.floor(value / 2 ** shift);
}

/** The middle of a bucket. */
function middleOf(bucket: number): number {
  if (bucket < EXACT_MAX) return bucket;
  const shift = (bucket >> BITS) - 1;
  return (PART + (bucket & (PART - 1)) + 0.5) * 2 ** shift;
}

/** Of all buckets, once somebody looks. */
let middles: Float64Array | undefined;

/**
 * A histogram of bounded size: percentiles are within 0.8 % of the exact ones, whatever the number
 * of values. It takes 512 bytes for each doubling that has values, at most 18 KB. Values are
 * integers in a unit of your choice, nanoseconds say, up to 2^41 - 1.
 */
export class Histogram {
  readonly #parts: (Float64Array | undefined)[] = new Array(PARTS).fill(undefined);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Adds a value `times` times. What is below 0, or no number, counts as 0. */
  add(value: number, times = 1): void {
    const whole = value > 0 ? Math.floor(value) : 0;
    const bucket = bucketOf(whole);
    this.#part(bucket >> BITS)[bucket & (PART - 1)] += times;
    this.#count += times;
    this.#sum += whole * times;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  #part(index: number): Float64Array {
    let part = this.#parts[index];
    if (part === undefined) {
      part = new Float64Array(PART);
      this.#parts[index] = part;
    }
    return part;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** The smallest value; 0 when there is none. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#max;
  }

  /**
   * The value below which a share of the values lies, from 0 (the least) to 1 (the greatest); 0
   * when there are none.
   */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    const rank = Math.max(1, Math.ceil(this.#count * share));
    if (rank >= this.#count) return this.#max;
    let seen = 0;
    for (let index = 0; index < PARTS; index++) {
      const part = this.#parts[index];
      if (part === undefined) continue;
      for (let i = 0; i < PART; i++) {
        seen += part[i];
        if (seen < rank) continue;
        return Math.min(Math.max(middleOf((index << BITS) + i), this.#min), this.#max);
      }
    }
    return this.#max;
  }

  summary(): HistogramSummary {
    const { count, sum, min, max } = this;
    return {
      count,
      mean: count === 0 ? 0 : sum / count,
      min,
      max,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      p9999: this.quantile(0.9999),
    };
  }

  /** How many values are at most as large as each bound, in `counts`. Bounds rise. */
  atMost(bounds: readonly number[], counts: number[] = []): number[] {
    middles ??= Float64Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => middleOf(bucket));
    let known = 0;
    let seen = 0;
    // Most have few buckets, beside each other.
    const last = this.#count === 0 ? -1 : bucketOf(Math.floor(this.#max));
    let bucket = this.#count === 0 ? 0 : bucketOf(Math.floor(this.#min));
    while (bucket <= last && known < bounds.length) {
      const part = this.#parts[bucket >> BITS];
      const end = Math.min(last + 1, ((bucket >> BITS) + 1) << BITS);
      if (part === undefined) {
        bucket = end;
        continue;
      }
      for (; bucket < end; bucket++) {
        const count = part[bucket & (PART - 1)];
        if (count === 0) continue;
        const middle = middles[bucket];
        while (known < bounds.length && middle > bounds[known]) counts[known++] = seen;
        seen += count;
      }
    }
    while (known < bounds.length) counts[known++] = seen;
    return counts;
  }

  /** Adds all values of another one. */
  merge(other: Histogram): this {
    other.#parts.forEach((from, index) => {
      if (from === undefined) return;
      const to = this.#part(index);
      for (let i = 0; i < PART; i++) to[i] += from[i];
    });
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    return this;
  }

  /** What has been added since `earlier` was a copy of this. Its least and greatest are bounds. */
  since(earlier: Histogram): Histogram {
    const rest = new Histogram();
    this.#parts.forEach((now, index) => {
      if (now === undefined) return;
      const before = earlier.#parts[index];
      for (let i = 0; i < PART; i++) {
        const more = now[i] - (before?.[i] ?? 0);
        if (more <= 0) continue;
        rest.#part(index)[i] = more;
        const value = middleOf((index << BITS) + i);
        rest.#min = Math.min(rest.#min, value);
        rest.#max = Math.max(rest.#max, value);
      }
    });
    rest.#count = Math.max(0, this.#count - earlier.#count);
    rest.#sum = Math.max(0, this.#sum - earlier.#sum);
    rest.#max = Math.min(rest.#max, this.#max);
    return rest;
  }

  copy(): Histogram {
    return new Histogram().merge(this);
  }

  toJSON(): HistogramData {
    const { count, sum, min, max } = this;
    return { count, sum, min, max, buckets: [...this.#filled()].flat() };
  }

  /** From what toJSON() gave. */
  static from(data: HistogramData): Histogram {
    const made = new Histogram();
    for (let i = 0; i < data.buckets.length; i += 2)
      made.#fill(data.buckets[i], data.buckets[i + 1]);
    made.#sum = data.sum;
    made.#max = data.max;
    if (made.#count > 0) made.#min = data.min;
    return made;
  }

  /** @internal From buckets that native code has filled: least, greatest and sum are estimates. */
  static fromBuckets(buckets: Float64Array): Histogram {
    const made = new Histogram();
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      const count = buckets[bucket];
      if (count === 0) continue;
      made.#fill(bucket, count);
      const value = middleOf(bucket);
      made.#sum += value * count;
      made.#min = Math.min(made.#min, value);
      made.#max = Math.max(made.#max, value);
    }
    return made;
  }

  #fill(bucket: number, count: number): void {
    this.#part(bucket >> BITS)[bucket & (PART - 1)] += count;
    this.#count += count;
  }

  *#filled(): Generator<[bucket: number, count: number]> {
    for (let index = 0; index < PARTS; index++) {
      const part = this.#parts[index];
      if (part === undefined) continue;
      for (let i = 0; i < PART; i++) if (part[i] > 0) yield [(index << BITS) + i, part[i]];
    }
  }
}
