// Tables for people, in plain text.

const COLUMN_GAP = '  ';

/** Lays rows out in columns; columns listed in `right` hold numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (right.includes(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at])))
      .join(COLUMN_GAP)
      .trimEnd(),
  );
  return lines.join('\n');
}
