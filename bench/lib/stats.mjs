// The little statistics there is: medians, and ratios of trials that ran next to each other.

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How far the values lie apart, as a share of their median. */
export function spread(values) {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return undefined;
  return (Math.max(...finite) - Math.min(...finite)) / median(finite);
}

/**
 * a/b in each round. Both of a round ran soon after each other, so what slows the machine for
 * minutes slows both and cancels out. `a` and `b` are Maps from round to value.
 */
export function pairedRatios(a, b) {
  const ratios = [];
  for (const [round, value] of a ?? []) {
    const other = b?.get(round);
    if (other > 0) ratios.push(value / other);
  }
  return ratios;
}

export const pairedRatio = (a, b) => median(pairedRatios(a, b));

const DOUBT = 0.05;

/**
 * Where the true median lies with a probability of 95 % at least, whatever the distribution: each
 * value is above it or below it as a coin falls. With fewer than six values that is no narrower
 * than all of them, and less than 95 %.
 */
export function medianInterval(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const count = sorted.length;
  if (count === 0) return undefined;
  // How many values may be left out at each end: P(heads <= left) of `count` coins is small enough.
  let left = 0;
  let chance = 2 ** -count;
  let below = chance;
  for (;;) {
    chance *= (count - left) / (left + 1);
    below += chance;
    if (2 * below > DOUBT) break;
    left++;
  }
  return { low: sorted[left], high: sorted[count - 1 - left] };
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
