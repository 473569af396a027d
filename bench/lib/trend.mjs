// Whether a value rises over time: its slope, and whether chance explains it.
import { median } from './stats.mjs';

// Of the normal distribution: a trend that chance makes in 1 of 40 runs counts as none.
const CERTAIN = 1.96;

/**
 * `points` are [time, value]. `slope` is the median of the slopes between all pairs (Theil and
 * Sen), so that single values that stray do not move it; `growth` is that over the whole time.
 * `rises` says whether the values rise in order more often than chance lets them (Mann and
 * Kendall).
 */
export function trendOf(points) {
  const slopes = [];
  let order = 0;
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      const rise = points[j][1] - points[i][1];
      slopes.push(rise / (points[j][0] - points[i][0]));
      order += Math.sign(rise);
    }
  }
  const slope = median(slopes) ?? 0;
  const time = points.length < 2 ? 0 : points.at(-1)[0] - points[0][0];
  const n = points.length;
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return { slope, growth: slope * time, rises: order > 1 && (order - 1) / deviation > CERTAIN };
}

/**
 * A value may grow by `share` of its median, or by `least` when that is more. What grows more and
 * by no chance has failed.
 */
export function judgeTrend(points, { share, least }) {
  const middle = median(points.map(([, value]) => value)) ?? 0;
  const trend = trendOf(points);
  const limit = Math.max(least, share * middle);
  return { ...trend, median: middle, limit, passed: !(trend.rises && trend.growth > limit) };
}
