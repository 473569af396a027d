// A chart on a canvas: lines or stacked areas over time, on a linear or a logarithmic scale.
import { formatClock } from './format.mjs';

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;
const TICKS = 4;
const LOG_LEAST = 1e-3;
/** So that nobody has to tell lines apart by their colours alone. */
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4], [4, 2, 1, 2]];

/** A round number at or above `value`: 1, 2 or 5 times a power of ten, or a power of two. */
export function roundUp(value, binary) {
  if (!(value > 0)) return 1;
  if (binary) return 2 ** Math.ceil(Math.log2(value));
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((each) => each * power >= value * 0.999999);
  return factor * power;
}

export class Chart {
  #canvas;
  #options;
  #theme;

  /**
   * `options.series` are [name, (report) => number]; `marks(report)` gives [time, length, name] of
   * what is drawn as bars from below; `format` writes values.
   */
  constructor(canvas, options) {
    this.#canvas = canvas;
    this.#options = options;
    this.readTheme();
  }

  /** Colours are those of the style sheet, which has two for each name: a canvas needs the one. */
  readTheme() {
    const { style } = this.#canvas;
    const of = (name) => {
      style.color = `var(${name})`;
      return getComputedStyle(this.#canvas).color;
    };
    this.#theme = {
      text: of('--quiet'),
      grid: of('--line'),
      cursor: of('--text'),
      mark: of('--mark'),
      colours: [1, 2, 3, 4, 5, 6, 7].map((number) => of(`--series-${number}`)),
    };
    style.color = '';
  }

  get markColour() {
    return this.#theme.mark;
  }

  colourOf(index) {
    return this.#theme.colours[index % this.#theme.colours.length];
  }

  /** The time under a place of the canvas, in pixels of the page. */
  timeAt(x, { from, to }) {
    const width = this.#canvas.clientWidth - LEFT - RIGHT;
    const share = Math.min(1, Math.max(0, (x - LEFT) / width));
    return from + share * (to - from);
  }

  draw(reports, view) {
    const context = this.#prepare();
    const { width, height } = this.#size();
    const { from, to } = view;
    const box = {
      left: LEFT,
      top: TOP,
      width: width - LEFT - RIGHT,
      height: height - TOP - BOTTOM,
    };
    const xOf = (at) => box.left + ((at - from) / (to - from)) * box.width;
    const rows = reports.map((report) => ({
      at: report.at,
      values: this.#options.series.map(([, value]) => value(report)),
      marks: this.#options.marks?.(report) ?? [],
    }));
    const scale = this.#scaleOf(rows, box);
    this.#drawGrid(context, box, scale, view);
    context.save();
    context.beginPath();
    context.rect(box.left, box.top - 1, box.width, box.height + 2);
    context.clip();
    this.#drawMarks(context, rows, xOf, scale, box);
    this.#drawHeat(context, reports, xOf, scale);
    if (this.#options.stacked) this.#drawAreas(context, rows, xOf, scale, box);
    else this.#drawLines(context, rows, xOf, scale);
    this.#drawCursor(context, box, xOf, view);
    context.restore();
  }

  #size() {
    return { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
  }

  #prepare() {
    const { width, height } = this.#size();
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const context = this.#canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    context.font = '11px system-ui, sans-serif';
    return context;
  }

  #scaleOf(rows, box) {
    const { log, stacked, most, least } = this.#options;
    const sum = (values) => values.reduce((total, value) => total + (value || 0), 0);
    const tops = rows.flatMap(({ values, marks }) => [
      stacked ? sum(values) : Math.max(0, ...values.filter(Number.isFinite)),
      ...marks.map(([, length]) => length),
    ]);
    const highest = Math.max(least ?? 0, ...tops);
    const top =
      most ??
      (log
        ? 10 ** Math.ceil(Math.log10(Math.max(highest, 0.01)))
        : roundUp(highest, this.#options.binary));
    if (!log) {
      const ticks = Array.from({ length: TICKS + 1 }, (_, index) => (top * index) / TICKS);
      return { ticks, yOf: (value) => box.top + box.height * (1 - Math.min(value, top) / top) };
    }
    const lowest = this.#options.logLeast ?? LOG_LEAST;
    const decades = Math.round(Math.log10(top / lowest));
    const ticks = Array.from({ length: decades + 1 }, (_, index) => lowest * 10 ** index);
    const yOf = (value) => {
      const share = Math.log10(Math.max(value, lowest) / lowest) / decades;
      return box.top + box.height * (1 - Math.min(1, share));
    };
    return { ticks, yOf };
  }

  #drawGrid(context, box, { ticks, yOf }, { from, to }) {
    context.strokeStyle = this.#theme.grid;
    context.fillStyle = this.#theme.text;
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const tick of ticks) {
      const y = Math.round(yOf(tick)) + 0.5;
      context.beginPath();
      context.moveTo(box.left, y);
      context.lineTo(box.left + box.width, y);
      context.stroke();
      context.fillText(this.#options.format(tick), box.left - 6, y);
    }
    context.textBaseline = 'top';
    const columns = Math.max(1, Math.floor(box.width / 110));
    for (let column = 0; column <= columns; column++) {
      context.textAlign = column === 0 ? 'left' : column === columns ? 'right' : 'center';
      const x = box.left + (box.width * column) / columns;
      const at = from + ((to - from) * column) / columns;
      context.fillText(formatClock(at), x, box.top + box.height + 5);
    }
  }

  /** Reports that are far apart are not joined: nothing is known of the time between. */
  #drawLines(context, rows, xOf, { yOf }) {
    this.#options.series.forEach((_, index) => {
      context.strokeStyle = this.colourOf(index);
      context.setLineDash(DASHES[index % DASHES.length]);
      context.lineWidth = 1.6;
      context.beginPath();
      let before;
      for (const { at, values } of rows) {
        if (!Number.isFinite(values[index])) continue;
        const isNext = before !== undefined && at - before < this.#options.gap();
        if (isNext) context.lineTo(xOf(at), yOf(values[index]));
        else context.moveTo(xOf(at), yOf(values[index]));
        before = at;
      }
      context.stroke();
    });
    context.setLineDash([]);
  }

  #drawAreas(context, rows, xOf, { yOf }, box) {
    const sums = rows.map(() => 0);
    this.#options.series.forEach((_, index) => {
      const below = [...sums];
      rows.forEach(({ values }, row) => {
        sums[row] += values[index] || 0;
      });
      context.fillStyle = this.colourOf(index);
      context.globalAlpha = 0.75;
      context.beginPath();
      for (const [row, { at }] of rows.entries()) context.lineTo(xOf(at), yOf(sums[row]));
      for (let row = rows.length - 1; row >= 0; row--) {
        context.lineTo(xOf(rows[row].at), Math.min(yOf(below[row]), box.top + box.height));
      }
      context.fill();
      context.globalAlpha = 1;
    });
  }

  #drawMarks(context, rows, xOf, { yOf }, box) {
    context.fillStyle = this.#theme.mark;
    for (const { marks } of rows) {
      for (const [at, length] of marks) {
        const y = yOf(length);
        context.fillRect(xOf(at) - 1, y, 2, box.top + box.height - y);
      }
    }
  }

  /** A column of each report: [from, to, share of the connections] of each bucket that has some. */
  #drawHeat(context, reports, xOf, { yOf }) {
    const { heat } = this.#options;
    if (heat === undefined) return;
    context.fillStyle = this.#theme.mark;
    for (const report of reports) {
      const right = xOf(report.at);
      const left = xOf(report.at - Math.min(report.span, this.#options.gap()));
      for (const [from, to, share] of heat(report)) {
        context.globalAlpha = 0.2 + 0.8 * share;
        const top = yOf(to);
        context.fillRect(left, top, right - left, Math.max(2, yOf(from) - top));
      }
    }
    context.globalAlpha = 1;
  }

  #drawCursor(context, box, xOf, { cursor, drag }) {
    if (drag !== undefined) {
      context.fillStyle = this.#theme.cursor;
      context.globalAlpha = 0.15;
      const [start, end] = drag.map(xOf);
      context.fillRect(Math.min(start, end), box.top, Math.abs(end - start), box.height);
      context.globalAlpha = 1;
    }
    if (cursor === undefined) return;
    context.strokeStyle = this.#theme.cursor;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(xOf(cursor)) + 0.5, box.top);
    context.lineTo(Math.round(xOf(cursor)) + 0.5, box.top + box.height);
    context.stroke();
  }
}
