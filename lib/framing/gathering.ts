// The beginning of a message, until its rest has come.
const NOTHING = Buffer.alloc(0);

/** It grows with what has come, and not with what a peer has announced. */
export class Gathering {
  #bytes = NOTHING;
  /** Bytes in it. */
  length = 0;

  /** Copies them. */
  add(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
  }

  /** All of it; nothing is left, and nobody else has that memory. */
  take(): Buffer {
    const whole = this.#bytes.subarray(0, this.length);
    this.#bytes = NOTHING;
    this.length = 0;
    return whole;
  }
}
