// The buckets of the heat map of round trips.
import { describe, expect, it } from 'vitest';
import {
  bucketStart,
  ROUND_TRIP_BUCKETS,
  reportOf,
  roundTripBucket,
} from '../../lib/admin/round_trips.js';

describe('a bucket of round trips', () => {
  it('begins where the one before ends, from 0.1 ms to 1 s', () => {
    expect(bucketStart(0)).toBeCloseTo(0.1);
    expect(bucketStart(ROUND_TRIP_BUCKETS)).toBeCloseTo(1000);
    for (let bucket = 0; bucket < ROUND_TRIP_BUCKETS; bucket++) {
      const middle = Math.sqrt(bucketStart(bucket) * bucketStart(bucket + 1)) * 1000;
      expect(roundTripBucket(middle)).toBe(bucket);
    }
  });

  it('has what lies outside in the outermost', () => {
    expect([0, 1, 99].map(roundTripBucket)).toEqual([0, 0, 0]);
    expect([1e6, 1e9].map(roundTripBucket)).toEqual([255, 255]);
  });
});

describe('a report of round trips', () => {
  it('is of the connections that are there', () => {
    const rows = new Float64Array(16);
    rows.set([1000, 500, 1, 10, 3000, 1500, 0, 20]);
    expect(reportOf('s', rows)).toEqual({
      ...{ server: 's', connections: 2, mean: 2, deviation: 1 },
      ...{ retransmits: 0.5, congestionWindow: 15, buckets: [64, 1, 94, 1] },
    });
    expect(reportOf('s', new Float64Array(8))).toMatchObject({ connections: 0, mean: 0 });
  });
});
