// The text form of Prometheus (version 0.0.4): families of samples, each with its help and type. Or
// that of OpenMetrics (1.0.0), which has exemplars.
import type { Histogram } from '../histogram.js';
import type { Exemplars } from '../http/exemplars.js';
import { encoded, TextBytes } from './text_bytes.js';

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

/** How a histogram was written: its lines are the same with every scrape, up to their numbers. */
interface Written {
  readonly name: string;
  readonly buckets: readonly Uint8Array[];
  readonly sum: Uint8Array;
  readonly count: Uint8Array;
  /** How many values it had, and where lies what was written then. */
  values: number;
  memory: Buffer | undefined;
  from: number;
  to: number;
}

function linesOf(name: string, labels: Labels): Written {
  const common = written(labels);
  const before = common === '' ? '' : `${common},`;
  const own = common === '' ? '' : `{${common}}`;
  const bounds = [...SECONDS, '+Inf'];
  return {
    name,
    buckets: bounds.map((bound) => encoded(`\n${name}_bucket{${before}le="${bound}"} `)),
    sum: encoded(`\n${name}_sum${own} `),
    count: encoded(`\n${name}_count${own} `),
    values: -1,
    memory: undefined,
    from: 0,
    to: 0,
  };
}

/** By what they are numbers of, for as long as that lives. */
const knownHistograms = new WeakMap<Histogram, Written>();
const knownSamples = new WeakMap<object, Uint8Array>();

/** How a family begins: the same with every scrape. */
interface Head {
  readonly type: string;
  readonly help: string;
  readonly text: Uint8Array;
}
/** By name, of both forms. */
const knownHeads = [new Map<string, Head>(), new Map<string, Head>()];
/** What atMost() fills, again and again. */
const below: number[] = [];

export class Exposition {
  /** Whether it is OpenMetrics. */
  readonly open: boolean;
  readonly #text: TextBytes;
  #histograms = 0;

  /** `expected`: how many bytes it will have, about. */
  constructor(open = false, expected = 0) {
    this.open = open;
    this.#text = new TextBytes(expected);
  }

  /** Histograms whose numbers had to be written anew: others are as they were. */
  get histogramsWritten(): number {
    return this.#histograms;
  }

  #head(name: string, type: string, help: string): void {
    const known = knownHeads[this.open ? 1 : 0];
    let head = known.get(name);
    if (head?.type !== type || head.help !== help) {
      const line = help.replace(/[\\\n]/g, (each) => ESCAPES[each]);
      const family = this.open && type === 'counter' ? name.replace(/_total$/, '') : name;
      const text = encoded(`\n# HELP ${family} ${line}\n# TYPE ${family} ${type}`);
      head = { type, help, text };
      known.set(name, head);
    }
    this.#text.bytes(head.text);
  }

  #sample(name: string, labels: string, value: number): void {
    this.#text.text(`\n${name}${labels === '' ? '' : `{${labels}}`} `);
    this.#text.number(value);
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
      prefix = encoded(`\n${name}{${written(labels())}} `);
      knownSamples.set(of, prefix);
    }
    this.#text.bytes(prefix);
    this.#text.number(value);
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
    const from = this.#text.length;
    if (this.open && exemplars !== undefined) {
      this.#lines(lines, values, exemplars);
      this.#histograms++;
      return;
    }
    if (lines.values === values.count && lines.memory !== undefined) {
      this.#text.part(lines.memory, lines.from, lines.to);
    } else {
      this.#lines(lines, values);
      lines.values = values.count;
      this.#histograms++;
    }
    // Of this text, always: what was written before is not kept for a few lines of it.
    lines.memory = this.#text.memory;
    lines.from = from;
    lines.to = this.#text.length;
  }

  #lines({ buckets, sum, count }: Written, values: Histogram, exemplars?: Exemplars): void {
    const text = this.#text;
    values.atMost(BOUNDS_NS, below);
    for (let i = 0; i < buckets.length; i++) {
      text.bytes(buckets[i]);
      text.number(i < BOUNDS_NS.length ? below[i] : values.count);
      if (exemplars !== undefined) text.text(exemplarText(exemplars, i));
    }
    text.bytes(sum);
    text.number(values.sum / NS_PER_S);
    text.bytes(count);
    text.number(values.count);
  }

  /** All of it, in UTF-8. Nothing may be added any more. */
  toBytes(): Uint8Array {
    this.#text.text(this.open ? '\n# EOF\n' : '\n');
    return this.#text.since(1);
  }
}

/** What OpenMetrics adds to a bucket. */
function exemplarText(exemplars: Exemplars, bucket: number): string {
  const to = BOUNDS_NS[bucket] ?? Number.POSITIVE_INFINITY;
  const found = exemplars.between(BOUNDS_NS[bucket - 1] ?? 0, to);
  if (found === undefined) return '';
  const { traceId, ns, at } = found;
  return ` # {trace_id="${escaped(traceId)}"} ${ns / NS_PER_S} ${at.toFixed(3)}`;
}
