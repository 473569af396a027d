// A text that one thread writes and others read, in shared memory. Its sequence tells whether there
// is a newer one: readers look at one number.
//
//   | sequence | length 0 | length 1 | text 0 ... | text 1 ... |
//                 the sequence's last bit says which of the two holds; the other one is written
import { Buffer } from 'node:buffer';

const SEQUENCE = 0;
const LENGTHS = 1;
const WORDS = 3;
const HEADER_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

export class SharedText {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #textBytes: number;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#textBytes = (memory.byteLength - HEADER_BYTES) >>> 1;
  }

  static ofBytes(bytesMax: number): SharedText {
    return new SharedText(new SharedArrayBuffer(HEADER_BYTES + 2 * bytesMax));
  }

  get sequence(): number {
    return Atomics.load(this.#words, SEQUENCE);
  }

  /** False: there is no room for it. One thread alone may write. */
  write(text: string): boolean {
    const bytes = Buffer.from(text);
    if (bytes.length > this.#textBytes) return false;
    const next = this.sequence + 1;
    this.#text(next, bytes.length).set(bytes);
    Atomics.store(this.#words, LENGTHS + (next & 1), bytes.length);
    Atomics.store(this.#words, SEQUENCE, next);
    return true;
  }

  /** The newest text, whole. */
  read(): { text: string; sequence: number } {
    for (;;) {
      const sequence = this.sequence;
      const length = Atomics.load(this.#words, LENGTHS + (sequence & 1));
      const text = Buffer.from(this.#text(sequence, length)).toString();
      // The next write goes to the other half: only the one after it writes here.
      if (this.sequence === sequence) return { text, sequence };
    }
  }

  #text(sequence: number, length: number): Uint8Array {
    const at = HEADER_BYTES + (sequence & 1) * this.#textBytes;
    return new Uint8Array(this.memory, at, length);
  }
}
