// What waits behind a long write that is on its way: its own rest, which stays where its owner has
// it, and all that is written or asked for after it, in order.
import { RingpollError } from '../errors.js';
import { Pieces } from '../runtime/pieces.js';
import { lengthOf } from '../runtime/staging.js';

/** The rest of a long write. */
interface Rest {
  bytes: Uint8Array;
  /** It must not shrink: its owner may give its memory away. */
  length: number;
  at: number;
}

/** Something that is done in its place among the bytes. */
interface Act {
  run(): void;
  /** What it will make wait, and what counts as waiting until then. */
  bytes: number;
}

export class Unsent {
  #parts: (Rest | Pieces | Act)[] = [];
  /** Bytes in it. */
  bytes = 0;

  get empty(): boolean {
    return this.#parts.length === 0;
  }

  /** They stay where they are. */
  refer(bytes: Uint8Array, from: number): void {
    const length = lengthOf(bytes);
    this.#parts.push({ bytes, length, at: from });
    this.bytes += length - from;
  }

  /** They are copied; their memory is their owner's again. */
  copy(bytes: Uint8Array): void {
    const length = lengthOf(bytes);
    if (length === 0) return;
    let last = this.#parts.at(-1);
    if (!(last instanceof Pieces)) {
      last = new Pieces();
      this.#parts.push(last);
    }
    last.add(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length);
    this.bytes += length;
  }

  act(run: () => void, bytes: number): void {
    this.#parts.push({ run, bytes });
    this.bytes += bytes;
  }

  /** What is to be done before any more bytes, if there is such a thing. */
  nextAct(): Act | undefined {
    const [part] = this.#parts;
    if (part === undefined || !('run' in part)) return undefined;
    this.#parts.shift();
    this.bytes -= part.bytes;
    return part;
  }

  /**
   * At most `most` bytes from the front, unless an act comes first. `send` answers how many of them
   * have left; it takes all of a piece of its own.
   * @throws RingpollError ERR_RINGPOLL_BUFFER_DETACHED
   */
  sendNext(most: number, send: (bytes: Uint8Array, isOwn: boolean) => number): void {
    const [part] = this.#parts;
    if (part instanceof Pieces) {
      const piece = part.shift();
      if (part.empty) this.#parts.shift();
      if (piece === undefined) return;
      this.bytes -= piece.length;
      send(piece, true);
    } else if (part !== undefined && 'at' in part) {
      const { bytes, length, at } = part;
      if (lengthOf(bytes) !== length) throw detached();
      const end = Math.min(at + most, length);
      part.at += send(new Uint8Array(bytes.buffer, bytes.byteOffset + at, end - at), false);
      this.bytes -= part.at - at;
      if (part.at === length) this.#parts.shift();
    }
  }

  /** Nothing of it leaves any more. */
  drop(): void {
    const parts = this.#parts;
    this.#parts = [];
    this.bytes = 0;
    for (const part of parts) if ('run' in part) part.run();
  }
}

function detached(): RingpollError {
  const message = 'The memory of bytes that were written was given away before they had left';
  return new RingpollError('ERR_RINGPOLL_BUFFER_DETACHED', message);
}
