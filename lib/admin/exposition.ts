// The text form of Prometheus (version 0.0.4): families of samples, each with its help and type.
import type { Histogram } from '../histogram.js';

export type Labels = Readonly<Record<string, string | number>>;

/** Upper bounds of buckets in seconds. */
export const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
];
const NS_PER_S = 1e9;
const BOUNDS_NS = SECONDS.map((seconds) => seconds * NS_PER_S);

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (text: string) => text.replace(/[\\"\n]/g, (each) => ESCAPES[each]);

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(',');
}

const numberText = (value: number) =>
  Number.isFinite(value)
    ? String(value)
    : Number.isNaN(value)
      ? 'NaN'
      : value > 0
        ? '+Inf'
        : '-Inf';

/** The lines of a histogram up to their numbers: they are the same with every scrape. */
interface Lines {
  name: string;
  buckets: string[];
  infinity: string;
  sum: string;
  count: string;
}
const known = new WeakMap<Histogram, Lines>();

function linesOf(name: string, labels: Labels, values: Histogram): Lines {
  const found = known.get(values);
  if (found !== undefined && found.name === name) return found;
  const common = written(labels);
  const before = common === '' ? '' : `${common},`;
  const own = common === '' ? '' : `{${common}}`;
  const lines = {
    name,
    buckets: SECONDS.map((seconds) => `${name}_bucket{${before}le="${seconds}"} `),
    infinity: `${name}_bucket{${before}le="+Inf"} `,
    sum: `${name}_sum${own} `,
    count: `${name}_count${own} `,
  };
  known.set(values, lines);
  return lines;
}

export class Exposition {
  readonly #lines: string[] = [];

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help.replace(/[\\\n]/g, (each) => ESCAPES[each])}`);
    this.#lines.push(`# TYPE ${name} ${type}`);
  }

  #sample(name: string, labels: string, value: number): void {
    this.#lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}`);
  }

  /** A number that never falls; its name ends in _total. */
  counter(name: string, help: string, samples: number | Iterable<[Labels, number]>): void {
    this.#family(name, 'counter', help, samples);
  }

  gauge(name: string, help: string, samples: number | Iterable<[Labels, number]>): void {
    this.#family(name, 'gauge', help, samples);
  }

  #family(
    name: string,
    type: string,
    help: string,
    samples: number | Iterable<[Labels, number]>,
  ): void {
    this.#head(name, type, help);
    if (typeof samples === 'number') this.#sample(name, '', samples);
    else for (const [labels, value] of samples) this.#sample(name, written(labels), value);
  }

  /** Of histograms in nanoseconds, in seconds. */
  histogram(name: string, help: string, samples: Iterable<[Labels, Histogram]>): void {
    this.#head(name, 'histogram', help);
    this.moreOfHistogram(name, samples);
  }

  /** Further samples of the histogram that came last. */
  moreOfHistogram(name: string, samples: Iterable<[Labels, Histogram]>): void {
    for (const [labels, values] of samples) {
      const { buckets, infinity, sum, count } = linesOf(name, labels, values);
      const below = values.atMost(BOUNDS_NS);
      for (let i = 0; i < buckets.length; i++) this.#lines.push(buckets[i] + below[i]);
      this.#lines.push(infinity + values.count);
      this.#lines.push(sum + values.sum / NS_PER_S);
      this.#lines.push(count + values.count);
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
