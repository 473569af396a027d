// The lines of one histogram. They are the same with every scrape, up to their numbers: so those of
// the text before are copied, and only digits that have changed are written anew.
import type { Histogram } from '../histogram.js';
import { numberText, type TextBytes } from './text_bytes.js';

/** Upper bounds of buckets in seconds. */
export const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
];
export const NS_PER_S = 1e9;
export const BOUNDS_NS = SECONDS.map((seconds) => seconds * NS_PER_S);
/** Behind the labels of each bucket. */
const BOUNDS = [...SECONDS, '+Inf'].map((bound) => `le="${bound}"} `);
/** What atMost() fills, again and again. */
const below: number[] = [];

export class HistogramLines {
  readonly name: string;
  readonly #bucket: string;
  readonly #sum: string;
  readonly #count: string;
  /** Bytes that a bucket's line has more than characters. */
  readonly #wider: number;
  /** Of the text before: how many values there were, and where its lines are. */
  #values = -1;
  #memory: Buffer | undefined = undefined;
  #from = 0;
  #to = 0;
  /** Of each bucket: its number, the least with more digits, and where it ends behind #from. */
  readonly #numbers: number[] = [];
  readonly #limits: number[] = [];
  readonly #ends: number[] = [];

  /** `labels` as they are written, without braces. */
  constructor(name: string, labels: string) {
    this.name = name;
    const own = labels === '' ? '' : `{${labels}}`;
    this.#bucket = `\n${name}_bucket{${labels === '' ? '' : `${labels},`}`;
    this.#sum = `\n${name}_sum${own} `;
    this.#count = `\n${name}_count${own} `;
    this.#wider = Buffer.byteLength(labels) - labels.length;
  }

  /** Whether numbers had to be written: otherwise all is as it was. */
  write(text: TextBytes, values: Histogram): boolean {
    const from = text.length;
    const changed = values.count !== this.#values || this.#memory === undefined;
    if (changed) this.#write(text, values, from);
    else text.part(this.#memory as Buffer, this.#from, this.#to);
    // Of this text, always: what was written before is not kept for a few lines of it.
    this.#to = text.length;
    this.#memory = text.memory;
    this.#from = from;
    this.#values = values.count;
    return changed;
  }

  #write(text: TextBytes, values: Histogram, from: number): void {
    values.atMost(BOUNDS_NS, below);
    below[BOUNDS_NS.length] = values.count;
    if (this.#memory === undefined || !this.#fits()) this.#writeBuckets(text);
    else this.#patchBuckets(text, this.#memory, from);
    this.#writeEnd(text, values);
  }

  #writeEnd(text: TextBytes, { sum, count }: Histogram): void {
    text.text(`${this.#sum}${numberText(sum / NS_PER_S)}${this.#count}${count}`);
  }

  /** Whether all numbers have as many digits as before. */
  #fits(): boolean {
    const limits = this.#limits;
    for (let i = 0; i < limits.length; i++) {
      if (below[i] >= limits[i] || below[i] < this.#numbers[i]) return false;
    }
    return true;
  }

  #patchBuckets(text: TextBytes, memory: Buffer, from: number): void {
    const numbers = this.#numbers;
    const ends = this.#ends;
    text.part(memory, this.#from, this.#from + ends[ends.length - 1]);
    for (let i = 0; i < numbers.length; i++) {
      if (numbers[i] === below[i]) continue;
      text.digits(from + ends[i], numbers[i], below[i]);
      numbers[i] = below[i];
    }
  }

  #writeBuckets(text: TextBytes): void {
    const start = this.#bucket;
    let lines = '';
    for (let i = 0; i < BOUNDS.length; i++) {
      const number = below[i];
      lines += `${start}${BOUNDS[i]}${number}`;
      this.#numbers[i] = number;
      this.#ends[i] = lines.length + this.#wider * (i + 1);
      let limit = 10;
      while (limit <= number) limit *= 10;
      this.#limits[i] = limit;
    }
    text.text(lines);
  }

  /** With something behind each bucket that is another one each time. */
  writeWith(text: TextBytes, values: Histogram, behind: (bucket: number) => string): void {
    this.#memory = undefined;
    values.atMost(BOUNDS_NS, below);
    below[BOUNDS_NS.length] = values.count;
    for (let i = 0; i < BOUNDS.length; i++) {
      text.text(`${this.#bucket}${BOUNDS[i]}${below[i]}${behind(i)}`);
    }
    this.#writeEnd(text, values);
  }
}
