// The cases that native code runs by itself, and what crossing into and out of it costs.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RECORD_WORDS } from '../../runtime/protocol.js';
import { BENCH_ADDON } from '../build_folder.js';
import { type BenchCase, type NoSample, now, type Sample } from './case.js';

/** native/bench/addon.cc */
interface NativeBench {
  benchCases(): { group: string; name: string }[];
  benchRun(index: number, operations: number): Sample | NoSample;
  benchNothing(): void;
  benchCalls(callback: () => void, calls: number): number;
}

/** Events that one batched call walks, about as many as a busy turn has. */
const EVENTS_PER_CALL = 64;
const GROUP = 'crossing';

/** As the dispatcher does: read a record, and do next to nothing for it. */
function walk(events: Int32Array, count: number): number {
  let sum = 0;
  for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
    if (events[at] === 2) sum += events[at + 5];
  }
  return sum;
}

function crossings(bench: NativeBench): BenchCase[] {
  const events = new Int32Array(EVENTS_PER_CALL * RECORD_WORDS).fill(2);
  const sink = new Float64Array(1);
  return [
    {
      group: GROUP,
      name: 'JavaScript calls native code',
      run(operations) {
        const { benchNothing } = bench;
        const start = now();
        for (let done = 0; done < operations; done++) benchNothing();
        return { elapsedNs: now() - start, bytes: 0 };
      },
    },
    {
      group: GROUP,
      name: 'an event, one call each',
      run(operations) {
        const one = () => {
          sink[0] += walk(events, 1);
        };
        return { elapsedNs: bench.benchCalls(one, operations), bytes: 0 };
      },
    },
    {
      group: GROUP,
      name: `an event, ${EVENTS_PER_CALL} a call`,
      run(operations) {
        const many = () => {
          sink[0] += walk(events, EVENTS_PER_CALL);
        };
        const calls = Math.ceil(operations / EVENTS_PER_CALL);
        const elapsedNs = bench.benchCalls(many, calls);
        return { elapsedNs: (elapsedNs * operations) / (calls * EVENTS_PER_CALL), bytes: 0 };
      },
    },
  ];
}

export interface NativeCases {
  cases: BenchCase[];
  /** Why there are none, and the command that helps: one line. */
  missing?: string;
}

/** Of the package whose folder is `top`. Their addon is not shipped with it. */
export function nativeCases(top: string): NativeCases {
  const path = join(top, BENCH_ADDON);
  const cure = 'Compile them with: npx ringpoll build --bench';
  if (!existsSync(path)) {
    return { cases: [], missing: `The native benchmarks are not compiled. ${cure}` };
  }
  let bench: NativeBench;
  try {
    bench = createRequire(path)(path) as NativeBench;
  } catch (error) {
    return { cases: [], missing: `${path} does not load: ${(error as Error).message}. ${cure}` };
  }
  const core = bench.benchCases().map(({ group, name }, index) => ({
    group,
    name,
    run: (operations: number) => bench.benchRun(index, operations),
  }));
  return { cases: [...core, ...crossings(bench)] };
}
