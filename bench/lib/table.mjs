// Markdown tables and the numbers in them.

/** Rows of cells under a head, padded so that the source reads as a table too. */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? '')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, i) => pad(cell, widths[i], i)).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => rulePart(width, i)).join('|')}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

// The first column holds names, the others numbers.
const pad = (cell, width, column) => (column === 0 ? cell.padEnd(width) : cell.padStart(width));
const rulePart = (width, column) => `${'-'.repeat(width + 1)}${column === 0 ? '-' : ':'}`;

/** Three significant digits, without an exponent. */
export function number(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

export function ratio(value) {
  return Number.isFinite(value) ? value.toFixed(2) : '–';
}

export function percent(value) {
  return Number.isFinite(value) ? `${(value * 100).toFixed(1)} %` : '–';
}

export function thousands(value) {
  if (!Number.isFinite(value)) return '–';
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}
