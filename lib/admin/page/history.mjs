// The reports that have come, and the part of them that is looked at.
const KEPT_MAX = 3600;
/** What is shown while there is less history than asked for: milliseconds. */
const SPAN_LEAST = 10_000;

export class History {
  #reports = [];
  #span;
  /** undefined: the last `span` milliseconds, moving on. */
  #fixed;
  #paused = false;
  #pausedAt = 0;

  constructor(span) {
    this.#span = span;
  }

  add(report) {
    this.#reports.push(report);
    if (this.#reports.length > KEPT_MAX) this.#reports.shift();
  }

  get span() {
    return this.#span;
  }

  /** Shows the last `span` milliseconds. */
  set span(span) {
    this.#span = span;
    this.#fixed = undefined;
  }

  get paused() {
    return this.#paused;
  }

  /** What is shown stands still; reports go on coming. */
  set paused(paused) {
    this.#paused = paused;
    this.#pausedAt = this.#reports.at(-1)?.at ?? Date.now();
  }

  get zoomed() {
    return this.#fixed !== undefined;
  }

  zoom(from, to) {
    if (to - from < 500) return;
    this.#fixed = { from, to };
  }

  /** Closer by a factor above 1, around `at`. */
  zoomBy(factor, at) {
    const { from, to } = this.range();
    const middle = at ?? (from + to) / 2;
    this.zoom(middle - (middle - from) / factor, middle + (to - middle) / factor);
  }

  reset() {
    this.#fixed = undefined;
  }

  range() {
    if (this.#fixed !== undefined) return this.#fixed;
    const to = this.#paused ? this.#pausedAt : (this.#reports.at(-1)?.at ?? Date.now());
    const first = Math.min(this.#reports[0]?.at ?? to, to - SPAN_LEAST);
    return { from: Math.max(to - this.#span, first), to };
  }

  /** The reports of the range, and one on each side, so that lines go to the edges. */
  visible() {
    const { from, to } = this.range();
    const first = this.#reports.findIndex(({ at }) => at >= from);
    if (first < 0) return [];
    let last = this.#reports.findLastIndex(({ at }) => at <= to);
    if (last < first) last = first;
    return this.#reports.slice(Math.max(0, first - 1), last + 2);
  }

  /** The last report that is shown: at the cursor, or the newest. */
  at(cursor) {
    const time = cursor ?? this.range().to;
    return this.#reports.findLast(({ at }) => at <= time) ?? this.#reports[0];
  }

  /** The report before or behind the one at `cursor`. */
  step(cursor, count) {
    const { from, to } = this.range();
    const shown = this.#reports.filter(({ at }) => at >= from && at <= to);
    const now = shown.findLastIndex(({ at }) => at <= (cursor ?? to));
    return shown[Math.min(shown.length - 1, Math.max(0, now + count))]?.at;
  }
}
