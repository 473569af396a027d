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
 * The median over the rounds of a/b. Both of a round ran soon after each other, so what slows the
 * machine for minutes slows both and cancels out. `a` and `b` are Maps from round to value.
 */
export function pairedRatio(a, b) {
  const ratios = [];
  for (const [round, value] of a ?? []) {
    const other = b?.get(round);
    if (other > 0) ratios.push(value / other);
  }
  return median(ratios);
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
