// The text form of Prometheus (version 0.0.4): families of samples, each with its help and type.
import type { Histogram } from '../histogram.js';

export type Labels = Readonly<Record<string, string | number>>;

/** Upper bounds of buckets in seconds: three for each power of ten. */
export const SECONDS = [
  ...[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
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
    for (const [labels, values] of samples) {
      const common = written(labels);
      const before = common === '' ? '' : `${common},`;
      values.atMost(BOUNDS_NS).forEach((count, index) => {
        this.#sample(`${name}_bucket`, `${before}le="${SECONDS[index]}"`, count);
      });
      this.#sample(`${name}_bucket`, `${before}le="+Inf"`, values.count);
      this.#sample(`${name}_sum`, common, values.sum / NS_PER_S);
      this.#sample(`${name}_count`, common, values.count);
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
