// The cases that native code runs by itself, and what crossing into and out of it costs.
import { native } from '../../runtime/native.js';
import { RECORD_WORDS } from '../../runtime/protocol.js';
import { type BenchCase, type NoSample, now, type Sample } from './case.js';

/** native/binding/bench.cc */
interface NativeBench {
  benchCases(): { group: string; name: string }[];
  benchRun(index: number, operations: number): Sample | NoSample;
  benchNothing(): void;
  benchCalls(callback: () => void, calls: number): number;
}

/** Events that one batched call walks, about as many as a busy turn has. */
const EVENTS_PER_CALL = 64;
const GROUP = 'crossing';

const bench = () => native() as unknown as NativeBench;

/** As the dispatcher does: read a record, and do next to nothing for it. */
function walk(events: Int32Array, count: number): number {
  let sum = 0;
  for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
    if (events[at] === 2) sum += events[at + 5];
  }
  return sum;
}

function crossings(): BenchCase[] {
  const events = new Int32Array(EVENTS_PER_CALL * RECORD_WORDS).fill(2);
  const sink = new Float64Array(1);
  return [
    {
      group: GROUP,
      name: 'JavaScript calls native code',
      run(operations) {
        const { benchNothing } = bench();
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
        return { elapsedNs: bench().benchCalls(one, operations), bytes: 0 };
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
        const elapsedNs = bench().benchCalls(many, calls);
        return { elapsedNs: (elapsedNs * operations) / (calls * EVENTS_PER_CALL), bytes: 0 };
      },
    },
  ];
}

export function nativeCases(): BenchCase[] {
  const cases = bench()
    .benchCases()
    .map(({ group, name }, index) => ({
      group,
      name,
      run: (operations: number) => bench().benchRun(index, operations),
    }));
  return [...cases, ...crossings()];
}
