// The text form of Prometheus (version 0.0.4): families of samples, each with its help and type. Or
// that of OpenMetrics (1.0.0), which has exemplars.
import type { Histogram } from '../histogram.js';
import type { Exemplars } from '../http/exemplars.js';
import { BOUNDS_NS, HistogramLines, NS_PER_S } from './histogram_lines.js';
import { numberText, TextBytes } from './text_bytes.js';

export type Labels = Readonly<Record<string, string | number>>;

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (text: string) => text.replace(/[\\"\n]/g, (each) => ESCAPES[each]);

function written(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    text += `${text === '' ? '' : ','}${name}="${escaped(String(labels[name]))}"`;
  }
  return text;
}

/** By what they are numbers of, for as long as that lives. */
const knownHistograms = new WeakMap<Histogram, HistogramLines>();
const knownSamples = new WeakMap<object, string>();

/** How a family begins: the same with every scrape. */
interface Head {
  readonly type: string;
  readonly help: string;
  readonly text: string;
}
/** By name, of both forms. */
const knownHeads = [new Map<string, Head>(), new Map<string, Head>()];

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
      const text = `\n# HELP ${family} ${line}\n# TYPE ${family} ${type}`;
      head = { type, help, text };
      known.set(name, head);
    }
    this.#text.text(head.text);
  }

  #sample(name: string, labels: string, value: number): void {
    const own = labels === '' ? '' : `{${labels}}`;
    this.#text.text(`\n${name}${own} ${numberText(value)}`);
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
    this.#text.text(prefix + numberText(value));
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
      lines = new HistogramLines(name, written(labels));
      knownHistograms.set(values, lines);
    }
    if (this.open && exemplars !== undefined) {
      lines.writeWith(this.#text, values, (bucket) => exemplarText(exemplars, bucket));
      this.#histograms++;
    } else if (lines.write(this.#text, values)) {
      this.#histograms++;
    }
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
