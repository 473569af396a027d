// Pieces of a stream that wait. Small ones share memory: an object for each costs some 150 bytes,
// and a peer can send a byte at a time.

const SHARED_BYTES_MIN = 4 * 1024;
const SHARED_BYTES_MAX = 64 * 1024;

export class Pieces {
  #pieces: Buffer[] = [];
  /** The last ones, of which `#used` bytes are there. */
  #shared: Buffer | undefined = undefined;
  #used = 0;
  #nextBytes = SHARED_BYTES_MIN;

  get empty(): boolean {
    return this.#pieces.length === 0 && this.#shared === undefined;
  }

  /** Copies bytes out of the receive block. */
  add(slab: Buffer, offset: number, length: number): void {
    if (this.#shared !== undefined && this.#shared.length - this.#used < length) this.#seal();
    if (this.#shared === undefined) {
      if (this.#pieces.length === 0 || length >= this.#nextBytes) {
        this.#pieces.push(Buffer.from(slab.subarray(offset, offset + length)));
        return;
      }
      this.#shared = Buffer.allocUnsafeSlow(this.#nextBytes);
      this.#nextBytes = Math.min(2 * this.#nextBytes, SHARED_BYTES_MAX);
    }
    slab.copy(this.#shared, this.#used, offset, offset + length);
    this.#used += length;
  }

  /** A piece that is nobody else's: small ones are copied, and others stay as they are. */
  give(piece: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = piece;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    if (byteLength < SHARED_BYTES_MIN) {
      this.add(bytes, 0, byteLength);
    } else {
      this.#seal();
      this.#pieces.push(bytes);
    }
  }

  #seal(): void {
    if (this.#shared === undefined) return;
    this.#pieces.push(this.#shared.subarray(0, this.#used));
    this.#shared = undefined;
    this.#used = 0;
  }

  shift(): Buffer | undefined {
    if (this.#pieces.length === 0) {
      this.#seal();
      this.#nextBytes = SHARED_BYTES_MIN;
    }
    return this.#pieces.shift();
  }

  /** All of them, which are then nobody's any more. */
  take(): Buffer[] {
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}
