// Why turns were slow: each slow turn gets the cause that took most of it.
import type { TurnRecord } from '../runtime/turn_meter.js';
import type { Pause } from './pauses.js';

export const CAUSES = ['collection', 'javascript', 'receiving', 'sending'] as const;
export type Cause = (typeof CAUSES)[number];

/** Times are milliseconds; those of turns are of performance.now(). */
export interface SlowTurn {
  start: number;
  ms: number;
  events: number;
  cause: Cause;
  /** How much of it each cause took. Collections in JavaScript count as collections. */
  parts: Record<Cause, number>;
  /** Pages that it waited for: from memory, and from the disk. */
  minorFaults: number;
  majorFaults: number;
  /** How long it was in the kernel: in system calls and page faults, whatever the cause. */
  kernelMs: number;
}

export interface Correlation {
  /** Turns that were looked at, and how many took `limit` milliseconds or more. */
  turns: number;
  slow: number;
  limit: number;
  /** Of the slow ones, by cause: how many, their share (0 to 1), and their milliseconds. */
  causes: Record<Cause, { turns: number; share: number; ms: number }>;
  /** Of the slow ones: with 256 page faults or more, or with one that the disk had to answer; */
  faults: { turns: number; share: number };
  /** in the kernel for half of their time or more: system calls took it. */
  kernel: { turns: number; share: number };
  /** The slowest ones. */
  slowest: SlowTurn[];
}

const SLOWEST_MAX = 20;
/** Page faults of one turn that are a burst: from memory, some 0.1 ms. */
const BURST = 256;
const MOSTLY = 0.5;

/** Milliseconds of [start, end] that lie in pauses, which are in order. */
function pausedWithin(pauses: readonly Pause[], start: number, end: number): number {
  let sum = 0;
  for (const { start: from, ms } of pauses) {
    if (from >= end) break;
    sum += Math.max(0, Math.min(end, from + ms) - Math.max(start, from));
  }
  return sum;
}

function look(turn: TurnRecord, pauses: readonly Pause[]): SlowTurn {
  const { start, end, events, minorFaults, majorFaults, kernelMs } = turn;
  const ready = turn.ready ?? end;
  const walked = turn.ready === undefined ? end : turn.walked;
  const part = (from: number, to: number) =>
    Math.max(0, to - from - pausedWithin(pauses, from, to));
  const parts: Record<Cause, number> = {
    collection: pausedWithin(pauses, start, end),
    javascript: part(ready, walked),
    receiving: part(start, ready),
    sending: part(walked, end),
  };
  const cause = CAUSES.reduce((most, each) => (parts[each] > parts[most] ? each : most));
  return { start, ms: end - start, events, cause, parts, minorFaults, majorFaults, kernelMs };
}

/** `pauses` are in the order of their beginnings. */
export function correlated(
  turns: Iterable<TurnRecord>,
  pauses: readonly Pause[],
  limit: number,
): Correlation {
  let count = 0;
  const slow: SlowTurn[] = [];
  for (const turn of turns) {
    count++;
    if (turn.end - turn.start >= limit) slow.push(look(turn, pauses));
  }
  const counted = (some: readonly SlowTurn[]) => {
    return { turns: some.length, share: slow.length === 0 ? 0 : some.length / slow.length };
  };
  const causes = {} as Correlation['causes'];
  for (const cause of CAUSES) {
    const some = slow.filter((each) => each.cause === cause);
    causes[cause] = { ...counted(some), ms: some.reduce((sum, { ms }) => sum + ms, 0) };
  }
  const isBurst = ({ minorFaults, majorFaults }: SlowTurn) =>
    majorFaults > 0 || minorFaults >= BURST;
  const faults = counted(slow.filter(isBurst));
  const kernel = counted(slow.filter(({ ms, kernelMs }) => kernelMs >= ms * MOSTLY));
  const slowest = slow.sort((a, b) => b.ms - a.ms).slice(0, SLOWEST_MAX);
  return { turns: count, slow: slow.length, limit, causes, faults, kernel, slowest };
}
