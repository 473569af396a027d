// What reads and writes take until their answer, by route and size: running averages of one in 61.

/** Bytes, at most; the classes of native/core/routing/route_cost.h. */
export const SIZES = [512, 4096, 16384, Number.POSITIVE_INFINITY] as const;
/** A prime, so that no rhythm of the program hides behind it. */
const CALLS_PER_SAMPLE = 61;
const SPAN = 16;

export interface FileCost {
  /** Bytes of an operation, at most; Infinity for the last class. */
  bytesMax: number;
  /** Microseconds until the answer (a running average). At once: all of them on this thread. */
  microseconds: number;
  /** Operations that were measured. */
  samples: number;
}

export class FileCosts {
  readonly #costs: FileCost[][] = [];
  #calls = 0;

  /** 0: this one is not measured. */
  begin(): number {
    this.#calls++;
    return this.#calls % CALLS_PER_SAMPLE === 0 ? performance.now() : 0;
  }

  /** `kind` is any small number; costs() takes the same. */
  end(kind: number, bytes: number, start: number): void {
    if (start === 0) return;
    const measured = (performance.now() - start) * 1000;
    this.#costs[kind] ??= SIZES.map((bytesMax) => ({ bytesMax, microseconds: 0, samples: 0 }));
    const cost = this.#costs[kind].find(({ bytesMax }) => bytes <= bytesMax) as FileCost;
    cost.samples++;
    cost.microseconds += (measured - cost.microseconds) / Math.min(cost.samples, SPAN);
  }

  /** Copies, of the sizes that were seen. */
  costs(kind: number): FileCost[] {
    const seen = this.#costs[kind]?.filter(({ samples }) => samples > 0) ?? [];
    return seen.map((cost) => ({ ...cost }));
  }
}
