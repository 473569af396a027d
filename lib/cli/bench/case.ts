// One microbenchmark: something that runs a number of operations and says how long they took.

export interface Sample {
  elapsedNs: number;
  /** Bytes worked on in all; 0 where that says nothing. */
  bytes: number;
}

export interface BenchCase {
  group: string;
  name: string;
  /** Resolves with a sample, or says why it cannot run here. */
  run(operations: number): Sample | { refused: string } | Promise<Sample>;
}

/** Nanoseconds on a clock that only runs forward. */
export const now = (): number => Number(process.hrtime.bigint());
