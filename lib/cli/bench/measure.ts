// Calibration, rounds and statistics of the microbenchmarks.
import { type Output, Progress } from '../output.js';
import { type BenchCase, inTime, type NoSample, type Sample, stoodStill } from './case.js';

const SAMPLE_MS = 10;
const CALIBRATION_MS = 2;
const OPERATIONS_MIN = 64;
const OPERATIONS_MAX = 50_000_000;
/** With fewer there is no spread to speak of. */
const ROUNDS_MIN = 3;
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

export interface Refused extends NoSample {
  group: string;
  name: string;
}

export interface Limits {
  rounds: number;
  /** When this has passed since the start, no further round begins, but for the first few. */
  msMax?: number;
  /** What a case may take for one sample, as far as it does not hold the thread. */
  sampleMsMax?: number;
}

export type Result = Measured | Refused;

export const isMeasured = (result: Result): result is Measured => 'ns' in result;

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

type Run = (operations: number) => Promise<Sample | NoSample>;

const bounded =
  (each: BenchCase, msMax: number | undefined): Run =>
  async (operations) =>
    (await inTime(Promise.resolve(each.run(operations)), msMax)) ?? stoodStill(msMax);

/** As many operations as take about SAMPLE_MS. It warms the case up as well. */
async function calibrate(run: Run): Promise<number | NoSample> {
  for (let operations = OPERATIONS_MIN; ; operations *= 4) {
    const sample = await run(operations);
    if ('refused' in sample) return sample;
    const ms = sample.elapsedNs / 1e6;
    if (ms < CALIBRATION_MS && operations < OPERATIONS_MAX) continue;
    const wanted = Math.round((operations * SAMPLE_MS) / Math.max(ms, 1e-6));
    return Math.min(Math.max(wanted, OPERATIONS_MIN), OPERATIONS_MAX);
  }
}

interface Running {
  each: BenchCase;
  run: Run;
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

const refusal = ({ group, name }: BenchCase, { refused, failed }: NoSample): Refused =>
  failed === true ? { group, name, refused, failed } : { group, name, refused };

/**
 * Every case has its turn in each round, so that a machine that slows down or speeds up meanwhile
 * does so for all of them. One that fails is left out from there on.
 */
export async function measure(
  cases: readonly BenchCase[],
  { rounds, msMax = Number.POSITIVE_INFINITY, sampleMsMax }: Limits,
  output: Output,
): Promise<Result[]> {
  const start = performance.now();
  const progress = new Progress(output);
  const results = new Map<BenchCase, Result>();
  const running = new Set<Running>();
  const drop = (each: BenchCase, why: NoSample) => {
    results.set(each, refusal(each, why));
    if (why.failed === true) output.note(`${each.group}, ${each.name}: ${why.refused}`);
  };
  for (const [index, each] of cases.entries()) {
    progress.step(index, cases.length, `warming up: ${each.group}, ${each.name}`);
    const run = bounded(each, sampleMsMax);
    const operations = await calibrate(run);
    if (typeof operations === 'number') running.add({ each, run, operations, samples: [] });
    else drop(each, operations);
  }
  for (let round = 1; round <= rounds; round++) {
    if (round > ROUNDS_MIN && performance.now() - start > msMax) {
      output.note(`${round - 1} of ${rounds} rounds: the machine is busy, and the time is over`);
      break;
    }
    progress.step(round, rounds, 'rounds');
    for (const one of running) {
      const sample = await one.run(one.operations);
      if (!('refused' in sample)) one.samples.push(sample);
      else if (running.delete(one)) drop(one.each, sample);
    }
  }
  for (const one of running) results.set(one.each, summary(one));
  return cases.map((each) => results.get(each)).filter((result) => result !== undefined);
}
