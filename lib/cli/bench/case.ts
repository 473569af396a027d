// One microbenchmark: something that runs a number of operations and says how long they took.

export interface Sample {
  elapsedNs: number;
  /** Bytes worked on in all; 0 where that says nothing. */
  bytes: number;
}

export interface NoSample {
  /** Why there is none. */
  refused: string;
  /** It could run here, and did not come to its end. */
  failed?: boolean;
}

export interface BenchCase {
  group: string;
  name: string;
  /** Resolves with a sample, or says why there is none. */
  run(operations: number): Sample | NoSample | Promise<Sample>;
}

/** What takes longer than this does not come any more, however busy the machine is. */
const STANDSTILL_MS = 10_000;

/** The promise's value, or undefined when it stands still. */
export async function inTime<T>(promise: Promise<T>, ms = STANDSTILL_MS): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why there is no sample of what stood still. */
export const stoodStill = (ms = STANDSTILL_MS): NoSample => ({
  refused: `it did not end within ${ms / 1000} s`,
  failed: true,
});

/** Nanoseconds on a clock that only runs forward. */
export const now = (): number => Number(process.hrtime.bigint());
