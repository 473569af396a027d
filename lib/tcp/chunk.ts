// A lease on received bytes.
import { workerThreads } from '../builtins.js';
import { RingpollError } from '../errors.js';
import { COPY_INSTEAD_OF_PIN_MAX, Command } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';

// Not by brand(): `instanceof` of a chunk is in the way of every write.
const CHUNK: unique symbol = Symbol.for('ringpoll.Chunk') as never;

/** Made by another copy of this package. */
export function isForeignChunk(data: unknown): data is Chunk {
  return typeof data === 'object' && data !== null && CHUNK in data;
}

/** How long the bytes are good for. */
const enum Lease {
  turn, // until the handler returns, or the next one is asked for
  retained, // until release()
  over,
}

/** What keeps the bytes when the turn is over. */
const enum Keeper {
  none,
  block, // a reference of the receive block
  copy,
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

// Whoever gets a view could give its whole ArrayBuffer away (`postMessage(bytes, [bytes.buffer])`),
// and native code and the kernel would write to memory that is somebody else's, or nobody's.
const guarded = new WeakSet<Buffer>();
export function guardSlab(slab: Buffer): void {
  if (guarded.has(slab)) return;
  guarded.add(slab);
  workerThreads().markAsUntransferable(slab.buffer);
}

/**
 * Received bytes: a view on the memory that they were received into, and no copy.
 *
 * Valid until the data handler returns (an async handler has returned at its first `await`). To use
 * it later, `retain()` it, and `release()` it when done; a `using` declaration does that too.
 */
export class Chunk {
  /** Bytes in it; at least 1, but for an empty message of frames(). */
  readonly length: number;
  /** @internal */
  _slab: Buffer;
  /** @internal Offset in the slab. */
  _offset: number;
  /** @internal */
  _block: number;
  /** @internal The header of a WebSocket's frame lies in front of it. */
  readonly _framed: boolean;
  #lease: Lease = Lease.turn;
  #keeper: Keeper = Keeper.none;
  #bytes: Buffer | undefined;
  #releasedAt: Error | undefined;

  /** @internal */
  constructor(slab: Buffer, offset: number, length: number, block: number, framed = false) {
    this.length = length;
    this._slab = slab;
    this._offset = offset;
    this._block = block;
    this._framed = framed;
  }

  /** @internal Bytes that nothing receives into. */
  static _own(bytes: Buffer): Chunk {
    return new Chunk(bytes, 0, bytes.length, NO_BLOCK);
  }

  /** @internal A part of it, with a lease of its own that begins as this turn's. */
  _part(offset: number, length: number): Chunk {
    this._check();
    return new Chunk(this._slab, this._offset + offset, length, this._block);
  }

  /** True once the bytes must not be used any more. */
  get released(): boolean {
    return this.#lease === Lease.over;
  }

  /**
   * The bytes, as a view (no copy). The view cannot be taken back: after the release it shows
   * whatever is received next. Its ArrayBuffer holds other connections' bytes too, and cannot be
   * transferred to another thread; what copy() returns can.
   * @throws RingpollError ERR_RINGPOLL_CHUNK_RELEASED
   */
  get bytes(): Buffer {
    this._check();
    if (this.#bytes === undefined) {
      if (this._inArena) guardSlab(this._slab);
      this.#bytes = this.#view();
    }
    return this.#bytes;
  }

  #view(): Buffer {
    return this._slab.subarray(this._offset, this._offset + this.length) as Buffer;
  }

  /** The bytes as text (one copy, into the string). */
  toString(encoding: BufferEncoding = 'utf8'): string {
    this._check();
    return this._slab.toString(encoding, this._offset, this._offset + this.length);
  }

  /** The bytes in memory of their own (one copy). */
  copy(): Buffer {
    this._check();
    return Buffer.from(this.#view());
  }

  /**
   * Keeps the bytes valid until `release()`. Up to 16 KB are copied, so that few bytes do not hold
   * a whole receive block; more are not.
   */
  retain(): this {
    this._check();
    this._keep();
    this.#lease = Lease.retained;
    return this;
  }

  /** Gives a retained chunk back. A second release does nothing. */
  release(): void {
    if (this.#lease === Lease.over) return;
    this.#letGo();
    if (runtime().checked) this.#releasedAt = new Error('released here');
  }

  /** @internal */
  get [CHUNK](): true {
    return true;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** @internal The handler has returned, or the next chunk was asked for. */
  _endTurn(checked: boolean): void {
    if (this.#lease !== Lease.turn) return;
    this.#letGo();
    if (checked) this.#releasedAt = new Error('the data handler returned');
  }

  /** @internal Makes the bytes outlast the turn; whose they are does not change. */
  _keep(): void {
    if (this.#keeper !== Keeper.none) return;
    if (!this._inArena) {
      this.#keeper = Keeper.copy;
      return;
    }
    const loop = runtime();
    if (this.length <= COPY_INSTEAD_OF_PIN_MAX) {
      this._slab = Buffer.from(this.#view());
      this._offset = 0;
      this._block = NO_BLOCK;
      this.#bytes = this._slab;
      this.#keeper = Keeper.copy;
      loop.bytesCopiedByRetain += this.length;
      return;
    }
    this.#keeper = Keeper.block;
    loop.command(Command.retain, this._block, 0);
    forgotten.register(this, { block: this._block, runtime: loop }, this);
  }

  #letGo(): void {
    this.#lease = Lease.over;
    if (this.#keeper !== Keeper.block) return;
    forgotten.unregister(this);
    runtime().command(Command.release, this._block, 0);
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
