// How long a connection is used, and when another one is opened that takes its place. Pure
// functions: with a limit of requests a connection ends while requests go on, and the next one
// would wait for a connect and a handshake.

/** With a lower limit no connection is opened ahead, and all carry the same number. */
export const RENEWED_MIN = 10;
/** So many at the end of a connection tell whether it is needed. */
export const LAST_REQUESTS = 25;
/** A connection is opened ahead when so many are left, or fewer. */
const LEFT_MAX = 2;
/** The last requests came within this time: about one a second. */
const RARE_MS = 20_000;
/** By up to this share fewer than the limit, so that not all end together that began together. */
const SPREAD = 0.1;

/** Requests that one connection carries, of `max`. `random` is at least 0 and below 1. */
export function requestsOf(max: number, random: number): number {
  if (max < RENEWED_MIN) return max;
  return max - Math.floor(random * (Math.floor(max * SPREAD) + 1));
}

/** The last requests of a connection. */
export interface LastRequests {
  /** That it may still carry, behind the one that is sent now. */
  left: number;
  /** Since the first of them was sent. */
  tookMs: number;
  /** Meanwhile no connection was free, at least once. */
  wasEmpty: boolean;
}

/** Whether another connection is opened that takes its place. */
export function replacesAhead({ left, tookMs, wasEmpty }: LastRequests): boolean {
  return left <= LEFT_MAX && wasEmpty && tookMs <= RARE_MS;
}
