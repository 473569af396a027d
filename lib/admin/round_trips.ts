// Round trips of connections, as the kernel knows them, in a row of buckets for a heat map.
import type { ObservedServer } from '../http/observed.js';
import { runtime } from '../runtime/runtime.js';
import { nameOf } from './observer.js';

/** Buckets of a row: logarithmic, from 0.1 ms to 1 s. What lies outside is in the outermost. */
export const ROUND_TRIP_BUCKETS = 256;
const LEAST_US = 100;
const DECADES = 4;
/** Connections of a server that are looked at for a report: others have their turn later. */
export const LOOKS_MAX = 256;
const NUMBERS = 4;
const US_PER_MS = 1000;

export interface RoundTripReport {
  server: string;
  /** Connections that were looked at; those of Unix sockets have no round trip. */
  connections: number;
  /** Milliseconds. */
  mean: number;
  deviation: number;
  /** Segments that these connections have sent again so far, of a connection. */
  retransmits: number;
  /** Segments that may be under way, of a connection. */
  congestionWindow: number;
  /** Index of a bucket, how many connections it has, and so on, without empty ones. */
  buckets: number[];
}

/** The least round trip in milliseconds of a bucket. */
export const bucketStart = (bucket: number): number =>
  (LEAST_US / US_PER_MS) * 10 ** ((bucket / ROUND_TRIP_BUCKETS) * DECADES);

export function roundTripBucket(us: number): number {
  const place = (Math.log10(us / LEAST_US) / DECADES) * ROUND_TRIP_BUCKETS;
  return Math.min(ROUND_TRIP_BUCKETS - 1, Math.max(0, Math.floor(place)));
}

export class RoundTrips {
  readonly #from = new WeakMap<ObservedServer, number>();
  readonly #most: number;
  readonly #rows: Float64Array;

  /** Of each server it looks at so many connections at once. */
  constructor(most = LOOKS_MAX) {
    this.#most = most;
    this.#rows = new Float64Array(most * NUMBERS);
  }

  /** The next connections of the server, after the last ones the first again. */
  look(server: ObservedServer): RoundTripReport {
    const rows = this.#rows;
    const from = this.#from.get(server) ?? 0;
    const { native } = runtime();
    this.#from.set(server, native.roundTrips(server._endpointId, from, this.#most, rows));
    return reportOf(nameOf(server), rows);
  }
}

export function reportOf(server: string, rows: Float64Array): RoundTripReport {
  const counts = new Map<number, number>();
  const sums = [0, 0, 0, 0];
  let connections = 0;
  for (let at = 0; at < rows.length && rows[at] > 0; at += NUMBERS) {
    connections++;
    for (let i = 0; i < NUMBERS; i++) sums[i] += rows[at + i];
    const bucket = roundTripBucket(rows[at]);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const [us, variance, retransmits, congestionWindow] = sums.map((sum) =>
    connections === 0 ? 0 : sum / connections,
  );
  const buckets = [...counts].sort(([a], [b]) => a - b).flat();
  const mean = us / US_PER_MS;
  const deviation = variance / US_PER_MS;
  return { server, connections, mean, deviation, retransmits, congestionWindow, buckets };
}
