// Text that is put together as bytes, for an answer that is sent as it is. Strings are gathered and
// encoded some thousand characters at a time: encoding each of many short ones would cost more than
// the rest, and encoding all of them at the end would take long at once.

const BYTES_MIN = 16 * 1024;
/** A character takes three at most, in UTF-16 units. */
const UTF8_BYTES_MAX = 3;
const GATHERED_MAX = 4096;
const ZERO = 48;

export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

export class TextBytes {
  #bytes: Buffer;
  #length = 0;
  /** Not encoded yet: it belongs behind what is. */
  #gathered = '';

  /** `expected` bytes, or more. */
  constructor(expected = 0) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(Math.ceil(expected), BYTES_MIN));
  }

  get length(): number {
    this.#encode();
    return this.#length;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #encode(): void {
    const text = this.#gathered;
    if (text === '') return;
    this.#gathered = '';
    this.#room(text.length * UTF8_BYTES_MAX);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** What holds it now: what was written there stays, whatever is written behind it. */
  get memory(): Buffer {
    this.#encode();
    return this.#bytes;
  }

  /** Bytes of another text, or of this one. */
  part(of: Buffer, from: number, to: number): void {
    this.#encode();
    this.#room(to - from);
    of.copy(this.#bytes, this.#length, from, to);
    this.#length += to - from;
  }

  text(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length >= GATHERED_MAX) this.#encode();
  }

  /** Whole numbers with as many digits: the one that ends before `end` becomes another one. */
  digits(end: number, before: number, now: number): void {
    const bytes = this.#bytes;
    let rest = now;
    let old = before;
    for (let at = end - 1; rest !== old; at--) {
      const tenth = Math.floor(rest / 10);
      bytes[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
      old = Math.floor(old / 10);
    }
  }

  /** What was written from `from` on. It stays as it is, whatever is written behind it. */
  since(from: number): Uint8Array {
    this.#encode();
    return this.#bytes.subarray(from, this.#length);
  }
}
