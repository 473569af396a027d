// What requests of each route there were since the report before. Routes without new requests,
// which are most of many, cost next to nothing.
import { Histogram } from '../histogram.js';
import type { ObservedServer } from '../http/observed.js';
import type { MeasuredRoute } from '../http/request_meter.js';
import { nameOf } from './observer.js';

/** Classes of statuses: their first digits. */
const CLASSES = 10;
const FAILED = 5;

/** One route, as it was at the last look. */
export interface RouteSample {
  readonly server: string;
  readonly route: string;
  /** All of its requests, and those with a status of 500 or more. */
  count: number;
  failed: number;
  /** By the first digit of the status. */
  readonly classes: Float64Array;
  /** Copies of what `durations` was. */
  durations: Histogram;
  /** Since the look before: requests, of these the failed ones, and durations, if there are any. */
  newCount: number;
  newFailed: number;
  newDurations: Histogram | undefined;
}

/** All routes together. */
export interface RequestSample {
  count: number;
  aborted: number;
  classes: Float64Array;
  /** Nanoseconds, since the look before. */
  newDurations: Histogram;
  routes: Iterable<RouteSample>;
}

export class RouteSamples {
  #known = new Map<MeasuredRoute, RouteSample>();

  look(servers: readonly ObservedServer[]): RequestSample {
    const seen = new Map<MeasuredRoute, RouteSample>();
    const classes = new Float64Array(CLASSES);
    const newDurations = new Histogram();
    let count = 0;
    let aborted = 0;
    for (const server of servers) {
      const meter = server._meter;
      if (meter === undefined) continue;
      const name = nameOf(server);
      aborted += meter.aborted;
      for (const measured of meter.routes()) {
        const sample = this.#known.get(measured) ?? unseen(name, measured.route);
        seen.set(measured, sample);
        update(sample, measured);
        count += sample.count;
        for (let kind = 0; kind < CLASSES; kind++) classes[kind] += sample.classes[kind];
        if (sample.newDurations !== undefined) newDurations.merge(sample.newDurations);
      }
    }
    this.#known = seen;
    return { count, aborted, classes, newDurations, routes: seen.values() };
  }
}

function unseen(server: string, route: string): RouteSample {
  return {
    ...{ server, route, count: 0, failed: 0, classes: new Float64Array(CLASSES) },
    ...{ durations: new Histogram(), newCount: 0, newFailed: 0, newDurations: undefined },
  };
}

function update(sample: RouteSample, measured: MeasuredRoute): void {
  const { durations } = measured;
  let count = 0;
  for (const each of measured.counts) count += each.count;
  sample.newCount = count - sample.count;
  sample.newFailed = 0;
  if (sample.newCount > 0) {
    const { classes } = sample;
    classes.fill(0);
    for (const each of measured.counts)
      classes[Math.floor(each.status / 100) % CLASSES] += each.count;
    let failed = 0;
    for (let kind = FAILED; kind < CLASSES; kind++) failed += classes[kind];
    sample.newFailed = failed - sample.failed;
    sample.failed = failed;
    sample.count = count;
  }
  // They may be settled a turn later than they are counted.
  if (durations.count === sample.durations.count) {
    sample.newDurations = undefined;
    return;
  }
  sample.newDurations = durations.since(sample.durations);
  sample.durations = durations.copy();
}
