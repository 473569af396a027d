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
}

export interface Correlation {
  /** Turns that were looked at, and how many took `limit` milliseconds or more. */
  turns: number;
  slow: number;
  limit: number;
  /** Of the slow ones, by cause: how many, their share (0 to 1), and their milliseconds. */
  causes: Record<Cause, { turns: number; share: number; ms: number }>;
  /** The slowest ones. */
  slowest: SlowTurn[];
}

const SLOWEST_MAX = 20;

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
  const { start, end, events } = turn;
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
  return { start, ms: end - start, events, cause, parts };
}

/** `pauses` are in the order of their beginnings. */
export function correlate(
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
  const causes = {} as Correlation['causes'];
  for (const cause of CAUSES) {
    const some = slow.filter((each) => each.cause === cause);
    causes[cause] = {
      turns: some.length,
      share: slow.length === 0 ? 0 : some.length / slow.length,
      ms: some.reduce((sum, { ms }) => sum + ms, 0),
    };
  }
  const slowest = slow.sort((a, b) => b.ms - a.ms).slice(0, SLOWEST_MAX);
  return { turns: count, slow: slow.length, limit, causes, slowest };
}
