// The text form of Prometheus (version 0.0.4): families of samples, each with its help and type. Or
// that of OpenMetrics (1.0.0), which has exemplars.
import type { Histogram } from '../histogram.js';
import type { Exemplars } from '../http/exemplars.js';

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

/** How a histogram was written: its lines are the same with every scrape, up to their numbers. */
interface Written {
  readonly name: string;
  readonly buckets: readonly string[];
  readonly sum: string;
  readonly count: string;
  /** How many values it had, and what was written then. */
  values: number;
  text: string;
}

function linesOf(name: string, labels: Labels): Written {
  const common = written(labels);
  const before = common === '' ? '' : `${common},`;
  const own = common === '' ? '' : `{${common}}`;
  const bounds = [...SECONDS, '+Inf'];
  return {
    name,
    buckets: bounds.map((bound) => `\n${name}_bucket{${before}le="${bound}"} `),
    sum: `\n${name}_sum${own} `,
    count: `\n${name}_count${own} `,
    values: -1,
    text: '',
  };
}

/** By what they are numbers of, for as long as that lives. */
const knownHistograms = new WeakMap<Histogram, Written>();
const knownSamples = new WeakMap<object, string>();

export class Exposition {
  /** Whether it is OpenMetrics. */
  readonly open: boolean;
  #text = '';
  #histograms = 0;

  constructor(open = false) {
    this.open = open;
  }

  /** Histograms whose numbers had to be written anew: others are as they were. */
  get histogramsWritten(): number {
    return this.#histograms;
  }

  #head(name: string, type: string, help: string): void {
    const line = help.replace(/[\\\n]/g, (each) => ESCAPES[each]);
    const family = this.open && type === 'counter' ? name.replace(/_total$/, '') : name;
    this.#text += `\n# HELP ${family} ${line}\n# TYPE ${family} ${type}`;
  }

  #sample(name: string, labels: string, value: number): void {
    this.#text += `\n${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}`;
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

  /** A further sample of the counter that came last. `of` has the same name and labels always. */
  moreOfCounter(name: string, of: object, labels: () => Labels, value: number): void {
    let prefix = knownSamples.get(of);
    if (prefix === undefined) {
      prefix = `\n${name}{${written(labels())}} `;
      knownSamples.set(of, prefix);
    }
    this.#text += prefix + value;
  }

  /** Of histograms in nanoseconds, in seconds. */
  histogram(name: string, help: string, samples: Iterable<[Labels, Histogram]>): void {
    this.#head(name, 'histogram', help);
    for (const [labels, values] of samples) this.moreOfHistogram(name, labels, values);
  }

  /** A further sample of the histogram that came last. A histogram has the same labels always. */
  moreOfHistogram(
    name: string,
    labels: Labels,
    values: Histogram,
    exemplars?: Exemplars | undefined,
  ): void {
    let lines = knownHistograms.get(values);
    if (lines?.name !== name) {
      lines = linesOf(name, labels);
      knownHistograms.set(values, lines);
    }
    if (lines.values !== values.count) {
      lines.text = textOf(lines, values);
      lines.values = values.count;
      this.#histograms++;
    }
    const isPlain = !this.open || exemplars === undefined;
    this.#text += isPlain ? lines.text : textOf(lines, values, exemplars);
  }

  toString(): string {
    return `${this.#text.slice(1)}\n${this.open ? '# EOF\n' : ''}`;
  }
}

/** What OpenMetrics adds to a bucket. */
function exemplarText(exemplars: Exemplars | undefined, bucket: number): string {
  const to = BOUNDS_NS[bucket] ?? Number.POSITIVE_INFINITY;
  const found = exemplars?.between(BOUNDS_NS[bucket - 1] ?? 0, to);
  if (found === undefined) return '';
  const { traceId, ns, at } = found;
  return ` # {trace_id="${escaped(traceId)}"} ${ns / NS_PER_S} ${at.toFixed(3)}`;
}

function textOf(
  { buckets, sum, count }: Written,
  values: Histogram,
  exemplars?: Exemplars | undefined,
): string {
  const below = values.atMost(BOUNDS_NS);
  let text = '';
  for (let i = 0; i < buckets.length; i++) {
    text += buckets[i] + (below[i] ?? values.count) + exemplarText(exemplars, i);
  }
  return `${text}${sum}${values.sum / NS_PER_S}${count}${values.count}`;
}
