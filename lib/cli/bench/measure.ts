// Calibration, rounds and statistics of the microbenchmarks.
import { type Output, Progress } from '../output.js';
import type { BenchCase, Sample } from './case.js';

const SAMPLE_MS = 10;
const CALIBRATION_MS = 2;
const OPERATIONS_MIN = 64;
const OPERATIONS_MAX = 50_000_000;
/** The median absolute deviation of normal noise, as a standard deviation. */
const MAD_TO_SIGMA = 1.4826;

export interface Measured {
  group: string;
  name: string;
  /** Nanoseconds an operation: the median of all rounds. */
  ns: number;
  /** Standard deviation of the rounds around it, as a share of `ns`, outliers left out. */
  noise: number;
  rounds: number;
  /** Megabytes a second, where bytes are worked on. */
  megabytesPerSecond?: number;
  operations: number;
}

export interface Refused {
  group: string;
  name: string;
  refused: string;
}

export type Result = Measured | Refused;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Spread around the median, as a share of it; one wild round does not move it. */
export function noiseOf(values: readonly number[]): number {
  const centre = median(values);
  if (centre === 0) return 0;
  return (median(values.map((value) => Math.abs(value - centre))) * MAD_TO_SIGMA) / centre;
}

/** As many operations as take about SAMPLE_MS. It warms the case up as well. */
async function calibrate(each: BenchCase): Promise<number | { refused: string }> {
  for (let operations = OPERATIONS_MIN; ; operations *= 4) {
    const sample = await each.run(operations);
    if ('refused' in sample) return sample;
    const ms = sample.elapsedNs / 1e6;
    if (ms < CALIBRATION_MS && operations < OPERATIONS_MAX) continue;
    const wanted = Math.round((operations * SAMPLE_MS) / Math.max(ms, 1e-6));
    return Math.min(Math.max(wanted, OPERATIONS_MIN), OPERATIONS_MAX);
  }
}

interface Running {
  each: BenchCase;
  operations: number;
  samples: Sample[];
}

function summary({ each, operations, samples }: Running): Measured {
  const perOperation = samples.map(({ elapsedNs }) => elapsedNs / operations);
  const bytes = samples.reduce((sum, sample) => sum + sample.bytes, 0);
  const elapsed = samples.reduce((sum, sample) => sum + sample.elapsedNs, 0);
  const result: Measured = {
    group: each.group,
    name: each.name,
    ns: median(perOperation),
    noise: noiseOf(perOperation),
    rounds: samples.length,
    operations,
  };
  if (bytes > 0) result.megabytesPerSecond = (bytes / elapsed) * 1000;
  return result;
}

/**
 * Every case has its turn in each round, so that a machine that slows down or speeds up meanwhile
 * does so for all of them.
 */
export async function measure(
  cases: readonly BenchCase[],
  rounds: number,
  output: Output,
): Promise<Result[]> {
  const progress = new Progress(output);
  const results = new Map<BenchCase, Result>();
  const running: Running[] = [];
  for (const [index, each] of cases.entries()) {
    progress.step(index, cases.length, `warming up: ${each.group}, ${each.name}`);
    const operations = await calibrate(each);
    if (typeof operations === 'number') running.push({ each, operations, samples: [] });
    else results.set(each, { group: each.group, name: each.name, refused: operations.refused });
  }
  for (let round = 1; round <= rounds; round++) {
    progress.step(round, rounds, 'rounds');
    for (const { each, operations, samples } of running) {
      const sample = await each.run(operations);
      if (!('refused' in sample)) samples.push(sample);
    }
  }
  for (const each of running) results.set(each.each, summary(each));
  return cases.map((each) => results.get(each)).filter((result) => result !== undefined);
}
