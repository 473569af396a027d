// Targets: a claim that some values stay at or below a limit, and whether this run bears it out.

/**
 * `values` is an object from the name of a case to its value, undefined where there is none, or to
 * a `{ value, low, high }` with the bounds between which the true one lies. The value decides.
 */
export function atMost(claim, limit, values) {
  const entries = Object.entries(values).map(([name, given]) => {
    const { value, ...bounds } = typeof given === 'object' ? given : { value: given };
    const known = Number.isFinite(value);
    return { name, value: known ? value : null, met: known ? value <= limit : null, ...bounds };
  });
  return { claim, limit, verdict: verdictOf(entries), entries };
}

function verdictOf(entries) {
  if (entries.some(({ met }) => met === false)) return 'MISSED';
  const known = entries.filter(({ met }) => met !== null);
  if (known.length === 0) return 'no data';
  return known.length < entries.length ? 'met so far' : 'met';
}

export function verdictLine({ claim, verdict, entries }, format) {
  const parts = entries
    .filter(({ value }) => value !== null)
    .map(({ name, value, met, low, high }) => {
      const bounds = low === undefined ? '' : ` (${format(low)}–${format(high)})`;
      return `${name} ${met ? format(value) : `**${format(value)}**`}${bounds}`;
    });
  return `- **${verdict}**: ${claim}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}
