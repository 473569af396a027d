// Text that is put together as bytes: what was encoded once is copied as it is, and whole numbers
// are written digit by digit. A string of as many parts would have to be joined, and encoded, at
// the end, all at once.

const BYTES_MIN = 16 * 1024;
/** A character takes three at most, in UTF-16 units. */
const UTF8_BYTES_MAX = 3;
const DIGITS_MAX = 10;
const INT_MAX = 2 ** 31 - 1;
const ZERO = 48;

export const encoded = (text: string): Uint8Array => Buffer.from(text);

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

export class TextBytes {
  #bytes: Buffer;
  #length = 0;

  /** `expected` bytes, or more. */
  constructor(expected = 0) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(Math.ceil(expected), BYTES_MIN));
  }

  get length(): number {
    return this.#length;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** What holds it now: what was written there stays, whatever is written behind it. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /** Bytes of another text, or of this one. */
  part(of: Buffer, from: number, to: number): void {
    this.#room(to - from);
    of.copy(this.#bytes, this.#length, from, to);
    this.#length += to - from;
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.#room(text.length * UTF8_BYTES_MAX);
    this.#length += this.#bytes.write(text, this.#length);
  }

  number(value: number): void {
    if (value >= 0 && value <= INT_MAX && Number.isInteger(value)) this.#digits(value);
    else this.text(numberText(value));
  }

  #digits(value: number): void {
    this.#room(DIGITS_MAX);
    let end = this.#length;
    for (let rest = value; rest > 9; rest = (rest / 10) | 0) end++;
    this.#length = end + 1;
    const bytes = this.#bytes;
    let rest = value;
    for (; rest > 9; end--) {
      const tenth = (rest / 10) | 0;
      bytes[end] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    bytes[end] = ZERO + rest;
  }

  /** What was written from `from` on. It stays as it is, whatever is written behind it. */
  since(from: number): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }
}
