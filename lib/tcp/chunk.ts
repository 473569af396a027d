// A lease on received bytes.
import { RingpollError } from '../errors.js';
import { COPY_INSTEAD_OF_PIN_MAX, Command } from '../loop/protocol.js';
import { type Runtime, runtime } from '../loop/runtime.js';

/** Who answers for the bytes. */
const enum Lease {
  turn, // valid until the handler returns
  retained, // valid until release(), in the receive block
  own, // valid until release(), copied
  over,
}

const NO_BLOCK = -1;

interface Forgotten {
  block: number;
  runtime: Runtime;
}

// A retained chunk that nobody released and nobody can reach any more.
const forgotten = new FinalizationRegistry<Forgotten>(({ block, runtime }) => {
  runtime.chunksForgotten++;
  runtime.command(Command.release, block, 0);
});

/**
 * Received bytes: a view on the memory that they were received into, and no copy.
 *
 * Valid until the data handler returns (an async handler has returned at its first `await`). To use
 * it later, `retain()` it, and `release()` it when done; a `using` declaration does that too.
 */
export class Chunk {
  /** Bytes in it, at least 1. */
  readonly length: number;
  /** @internal */
  _slab: Buffer;
  /** @internal Offset in the slab. */
  _offset: number;
  /** @internal */
  _block: number;
  #lease: Lease = Lease.turn;
  #bytes: Buffer | undefined;
  #releasedAt: Error | undefined;

  /** @internal */
  constructor(slab: Buffer, offset: number, length: number, block: number) {
    this.length = length;
    this._slab = slab;
    this._offset = offset;
    this._block = block;
  }

  /** True once the bytes must not be used any more. */
  get released(): boolean {
    return this.#lease === Lease.over;
  }

  /**
   * The bytes, as a view (no copy). The view itself cannot be taken back: after the release it shows
   * whatever is received next.
   * @throws RingpollError ERR_RINGPOLL_CHUNK_RELEASED
   */
  get bytes(): Buffer {
    this._check();
    this.#bytes ??= this._slab.subarray(this._offset, this._offset + this.length) as Buffer;
    return this.#bytes;
  }

  /** The bytes as text (one copy, into the string). */
  toString(encoding: BufferEncoding = 'utf8'): string {
    this._check();
    return this._slab.toString(encoding, this._offset, this._offset + this.length);
  }

  /** The bytes in memory of their own (one copy). */
  copy(): Buffer {
    return Buffer.from(this.bytes);
  }

  /**
   * Keeps the bytes valid until `release()`. Up to 16 KB are copied, so that a few bytes do not hold
   * a whole receive block; more are not.
   */
  retain(): this {
    this._check();
    if (this.#lease !== Lease.turn) return this;
    const of = runtime();
    if (this.length <= COPY_INSTEAD_OF_PIN_MAX || this._block === NO_BLOCK) {
      this._slab = Buffer.from(this.bytes);
      this._offset = 0;
      this._block = NO_BLOCK;
      this.#bytes = this._slab;
      this.#lease = Lease.own;
      of.bytesCopiedByRetain += this.length;
      return this;
    }
    this.#lease = Lease.retained;
    of.command(Command.retain, this._block, 0);
    forgotten.register(this, { block: this._block, runtime: of }, this);
    return this;
  }

  /** Gives a retained chunk back. A second release does nothing. */
  release(): void {
    if (this.#lease === Lease.retained) {
      forgotten.unregister(this);
      runtime().command(Command.release, this._block, 0);
    }
    if (this.#lease === Lease.over) return;
    this.#lease = Lease.over;
    if (runtime().checked) this.#releasedAt = new Error('released here');
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** @internal The handler has returned. */
  _endTurn(checked: boolean): void {
    if (this.#lease !== Lease.turn) return;
    this.#lease = Lease.over;
    if (checked) this.#releasedAt = new Error('the data handler returned');
  }

  /** @internal True when native code can send it from where it is. */
  get _inArena(): boolean {
    return this._block !== NO_BLOCK;
  }

  /** @internal */
  _check(): void {
    if (this.#lease !== Lease.over) return;
    throw new RingpollError(
      'ERR_RINGPOLL_CHUNK_RELEASED',
      'This chunk is over: it is valid until the data handler returns, or until release() if it ' +
        'was retained',
      this.#releasedAt === undefined ? undefined : { cause: this.#releasedAt },
    );
  }
}
