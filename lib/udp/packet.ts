// A received datagram: a view on the memory that it was received into, and where it came from.
import { RingpollError } from '../errors.js';
import { native, type SocketAddress } from '../runtime/native.js';
import { COPY_INSTEAD_OF_PIN_MAX, Command } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { guardSlab } from '../tcp/chunk.js';
import {
  CLASS_SHIFT,
  DATAGRAM_WORDS,
  FLAGS_SHIFT,
  HOPS_SHIFT,
  ipv4Text,
  RecordFlag,
  Word,
} from './record.js';

/** Of several packets: how long they are good for without being retained. */
export class Batch {
  over = false;
  /** Where the records lie: the block, and what the slab's offset of the first word is. */
  readonly block: number;

  constructor(block: number) {
    this.block = block;
  }
}

interface Forgotten {
  block: number;
  runtime: Runtime;
}

// A retained packet that nobody released and nobody can reach any more.
const forgotten = new FinalizationRegistry<Forgotten>(({ block, runtime: loop }) => {
  loop.chunksForgotten++;
  loop.command(Command.release, block, 0);
});

const enum Keeper {
  none,
  block,
  copy,
}

/**
 * A received datagram, and no copy of it. Valid until the data handler returns (an async handler
 * has returned at its first `await`). To use it later, `retain()` it, and `release()` it when done;
 * a `using` declaration does that too.
 */
export class Packet {
  /** @internal */
  _words: Int32Array;
  /** @internal Index of the record's first word. */
  _at: number;
  /** @internal */
  readonly _batch: Batch;
  #own: Buffer | undefined;
  #bytes: Buffer | undefined;
  #keeper: Keeper = Keeper.none;
  #retained = false;
  #released = false;

  /** @internal */
  constructor(batch: Batch, words: Int32Array, at: number) {
    this._batch = batch;
    this._words = words;
    this._at = at;
  }

  /** Bytes in it, 0 to 65,535. */
  get length(): number {
    this._check();
    return this._words[this._at + Word.length];
  }

  /** True once it must not be used any more. */
  get released(): boolean {
    return this.#released || (this._batch.over && !this.#retained);
  }

  /**
   * The bytes, as a view (no copy). The view cannot be taken back: afterwards it shows whatever is
   * received next. Its ArrayBuffer holds other packets too, and cannot be transferred.
   * @throws RingpollError ERR_RINGPOLL_CHUNK_RELEASED
   */
  get bytes(): Buffer {
    this._check();
    this.#bytes ??= this.#view();
    return this.#bytes;
  }

  #view(): Buffer {
    if (this.#own !== undefined) return this.#own;
    const words = this._words;
    const slab = runtime().memory.slabs[words[this._at + Word.slab]];
    guardSlab(slab);
    const offset = words[this._at + Word.offset];
    return slab.subarray(offset, offset + words[this._at + Word.length]) as Buffer;
  }

  /** The bytes as text (one copy, into the string). */
  toString(encoding: BufferEncoding = 'utf8'): string {
    return this.bytes.toString(encoding);
  }

  /** The bytes in memory of their own (one copy). */
  copy(): Buffer {
    return Buffer.from(this.bytes);
  }

  /** The sender's IP address. */
  get address(): string {
    this._check();
    if (this.#has(RecordFlag.ipv4)) return ipv4Text(this._words, this._at + Word.address);
    return this.#name(false).address;
  }

  /** The sender's port. */
  get port(): number {
    this._check();
    return this._words[this._at + Word.port] & 0xffff;
  }

  /** 'IPv6' for all that an IPv6 socket receives; an IPv4 sender is '::ffff:192.0.2.1' there. */
  get family(): 'IPv4' | 'IPv6' {
    this._check();
    return this.#has(RecordFlag.ipv4) ? 'IPv4' : 'IPv6';
  }

  /** It was longer than `maxPacketBytes`: the rest is lost. */
  get truncated(): boolean {
    this._check();
    return this.#has(RecordFlag.truncated);
  }

  /** With `packetInfo`: which of our addresses it was sent to. */
  get localAddress(): string | undefined {
    this._check();
    return this.#has(RecordFlag.hasLocal) ? this.#name(true).address : undefined;
  }

  /** With `packetInfo`: the index of the interface that it came by. */
  get interfaceIndex(): number | undefined {
    this._check();
    return this.#has(RecordFlag.hasLocal) ? this._words[this._at + Word.interface] : undefined;
  }

  /** With `receiveTrafficClass`: the whole byte, DSCP and ECN. */
  get trafficClass(): number | undefined {
    this._check();
    if (!this.#has(RecordFlag.hasClass)) return undefined;
    return (this._words[this._at + Word.traits] >>> CLASS_SHIFT) & 0xff;
  }

  /** With `receiveTrafficClass`: the two bits of RFC 3168; 3 says that a router was congested. */
  get ecn(): number | undefined {
    const byte = this.trafficClass;
    return byte === undefined ? undefined : byte & 3;
  }

  /** With `receiveTtl`: how many hops it might still have made. */
  get ttl(): number | undefined {
    this._check();
    if (!this.#has(RecordFlag.hasHops)) return undefined;
    return this._words[this._at + Word.traits] >>> HOPS_SHIFT;
  }

  /**
   * With `coalesce`: it is several datagrams of this many bytes, one behind the other; the last one
   * may be shorter. 0: it is one.
   */
  get segmentSize(): number {
    this._check();
    return this._words[this._at + Word.traits] & 0xffff;
  }

  #has(flag: number): boolean {
    return ((this._words[this._at + Word.port] >>> FLAGS_SHIFT) & flag) !== 0;
  }

  #name(local: boolean): SocketAddress {
    return native().udpName(this._words.slice(this._at, this._at + DATAGRAM_WORDS), local);
  }

  /**
   * Keeps it valid until `release()`. Up to 16 KB are copied, so that few bytes do not hold a whole
   * block; more are not.
   */
  retain(): this {
    this._check();
    this._keep();
    this.#retained = true;
    return this;
  }

  /** Gives a retained packet back. A second release does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#keeper !== Keeper.block) return;
    forgotten.unregister(this);
    runtime().command(Command.release, this._words[this._at + Word.block], 0);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** @internal Makes it outlast the turn; it is over when it would have been. */
  _keep(): void {
    if (this.#keeper !== Keeper.none) return;
    const loop = runtime();
    const words = this._words.slice(this._at, this._at + DATAGRAM_WORDS);
    if (words[Word.length] <= COPY_INSTEAD_OF_PIN_MAX) {
      this.#own = this.copy();
      this.#bytes = this.#own;
      this.#keeper = Keeper.copy;
      loop.bytesCopiedByRetain += words[Word.length];
    } else {
      this.#keeper = Keeper.block;
      const block = words[Word.block];
      loop.command(Command.retain, block, 0);
      forgotten.register(this, { block, runtime: loop }, this);
    }
    this._words = words;
    this._at = 0;
  }

  /** @internal The next batch was asked for: what nobody retained goes back. */
  _giveBack(): void {
    if (!this.#retained) this.release();
  }

  /** @internal Its bytes lie where native code can send them from. */
  get _inArena(): boolean {
    return this.#own === undefined;
  }

  /** @internal Its record lies where native code can read it. */
  get _recordInArena(): boolean {
    return this.#keeper === Keeper.none;
  }

  /** @internal */
  _check(): void {
    if (!this.released) return;
    throw new RingpollError(
      'ERR_RINGPOLL_CHUNK_RELEASED',
      'This packet is over: it is valid until the data handler returns, or until release() if it ' +
        'was retained',
    );
  }
}
