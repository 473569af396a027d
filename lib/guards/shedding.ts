// Which classes of requests are served at a level of load: a pure function.

/** From the first to be shed to the last. */
export type Priority = 'low' | 'normal' | 'high' | 'critical';
export const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'critical'];

/** Share of the limit of concurrency from which on a class is shed. The last is never, by this. */
export const SHED_FROM: readonly number[] = [0.7, 0.9, 0.97, Number.POSITIVE_INFINITY];

export function sheds(priority: number, active: number, limit: number): boolean {
  return active >= limit * SHED_FROM[priority];
}
