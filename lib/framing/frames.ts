// Messages with their length in front.
import { boolean, INT32_MAX, integer } from '../checks.js';
import { RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import { Chunk } from '../tcp/chunk.js';
import { checkWritable, type Writable } from '../tcp/writable.js';
import { type Bytes, bytesOf } from './bytes.js';
import { Gathering } from './gathering.js';

const LENGTH_BYTES_DEFAULT = 4;
const LENGTH_BYTES_MAX = 8;
const MAX_LENGTH_DEFAULT = 1024 * 1024;

export interface FrameOptions {
  /** Bytes of the length before each message, 1 to 8. Default: 4. */
  lengthBytes?: number;
  /** The length's lowest byte comes first. Default: false. */
  littleEndian?: boolean;
  /** Bytes that a message may have, 0 to 2^31-1. Default: 1,048,576. */
  maxLength?: number;
}

const OPTIONS = optionNames<FrameOptions>(
  'frames()',
  { lengthBytes: true, littleEndian: true, maxLength: true },
  { bigEndian: 'littleEndian', headerBytes: 'lengthBytes', maxBytes: 'maxLength' },
);

function checkFrameOptions(options: FrameOptions): Required<FrameOptions> {
  checkOptions(OPTIONS, options);
  const { lengthBytes, littleEndian, maxLength } = options;
  return {
    lengthBytes: integer(
      'options.lengthBytes',
      lengthBytes,
      1,
      LENGTH_BYTES_MAX,
      LENGTH_BYTES_DEFAULT,
    ),
    littleEndian: boolean('options.littleEndian', littleEndian, false),
    maxLength: integer('options.maxLength', maxLength, 0, INT32_MAX, MAX_LENGTH_DEFAULT),
  };
}

function tooLong(length: number, maxLength: number): RingpollError {
  const message = `A message of ${length} bytes was announced; maxLength is ${maxLength}`;
  return new RingpollError('ERR_RINGPOLL_MESSAGE_TOO_LONG', message);
}

/** Takes bytes as they come, and gives whole messages. One for each connection. */
export class FrameReader {
  readonly #options: Required<FrameOptions>;
  readonly #header = new Gathering();
  readonly #message = new Gathering();
  /** Of the message that is coming; -1: its length has not come whole. */
  #length = -1;

  /** @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: FrameOptions = {}) {
    this.#options = checkFrameOptions(options);
  }

  /**
   * The messages that are whole now. Each is valid until the next one is asked for, unless it is
   * retained. A message that lies in one chunk is not copied; one whose pieces come one by one is
   * copied once. Take them all: what is left of `data` is lost.
   * @throws RingpollError ERR_RINGPOLL_MESSAGE_TOO_LONG as soon as such a length was read
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   */
  *push(data: Bytes): Generator<Chunk, void, undefined> {
    const bytes = bytesOf('data', data);
    for (let at = 0; at < bytes.length; ) {
      if (this.#length < 0) {
        at += this.#readLength(bytes.subarray(at));
        if (this.#length < 0) return;
      }
      const rest = Math.min(this.#length - this.#message.length, bytes.length - at);
      const isWhole = rest === this.#length;
      if (!isWhole) this.#message.add(bytes.subarray(at, at + rest));
      if (!isWhole && this.#message.length < this.#length) return;
      const message = isWhole ? part(data, at, rest) : Chunk._own(this.#message.take());
      at += rest;
      this.#length = -1;
      try {
        yield message;
      } finally {
        message._endTurn(runtime().checked);
      }
    }
  }

  /** Answers how many bytes it has used. */
  #readLength(bytes: Buffer): number {
    const { lengthBytes, maxLength } = this.#options;
    const isWhole = this.#header.length === 0 && bytes.length >= lengthBytes;
    const used = isWhole ? lengthBytes : Math.min(lengthBytes - this.#header.length, bytes.length);
    if (!isWhole) this.#header.add(bytes.subarray(0, used));
    if (!isWhole && this.#header.length < lengthBytes) return used;
    const length = lengthIn(isWhole ? bytes : this.#header.take(), this.#options);
    if (length > maxLength) throw tooLong(length, maxLength);
    this.#length = length;
    return used;
  }

  /**
   * The bytes are over.
   * @throws RingpollError ERR_RINGPOLL_MESSAGE_TRUNCATED when they end within a message
   */
  end(): void {
    if (this.#length < 0 && this.#header.length === 0) return;
    const message =
      this.#length < 0
        ? 'The bytes end within the length of a message'
        : `The bytes end after ${this.#message.length} of ${this.#length} bytes of a message`;
    throw new RingpollError('ERR_RINGPOLL_MESSAGE_TRUNCATED', message);
  }
}

/** Above 2^53 it is not exact, and too long anyway. */
function lengthIn(bytes: Buffer, { lengthBytes, littleEndian }: Required<FrameOptions>): number {
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) {
    length = length * 256 + bytes[littleEndian ? lengthBytes - 1 - i : i];
  }
  return length;
}

function part(data: Bytes, offset: number, length: number): Chunk {
  if (data instanceof Chunk) return data._part(offset, length);
  return Chunk._own(Buffer.from(data.buffer, data.byteOffset + offset, length));
}

/**
 * The messages of a connection, or of any other source of bytes, in order. Each is valid until the
 * next one is asked for, unless it is retained. Leaving the loop closes the connection.
 * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
 * @returns throws RingpollError ERR_RINGPOLL_MESSAGE_TOO_LONG, _MESSAGE_TRUNCATED, and what the
 *   source throws
 */
export function frames(
  source: AsyncIterable<Bytes>,
  options: FrameOptions = {},
): AsyncGenerator<Chunk, void, undefined> {
  return framesOf(source, new FrameReader(options));
}

async function* framesOf(source: AsyncIterable<Bytes>, reader: FrameReader) {
  for await (const bytes of source) yield* reader.push(bytes);
  reader.end();
}

/** What can send several pieces: a Connection. */
export interface PiecesWriter {
  writev(list: readonly Writable[]): boolean;
}

/**
 * Writes `message` with its length in front, as frames() of the same options reads it.
 * @returns as write()
 * @throws RingpollError ERR_RINGPOLL_MESSAGE_TOO_LONG for more bytes than maxLength, or than the
 *   length can say
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function writeFrame(
  connection: PiecesWriter,
  message: Writable,
  options: FrameOptions = {},
): boolean {
  const { lengthBytes, littleEndian, maxLength } = checkFrameOptions(options);
  checkWritable('message', message);
  const length = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
  if (length > maxLength) throw tooLong(length, maxLength);
  const header = Buffer.alloc(lengthBytes);
  let left = length;
  for (let at = lengthBytes - 1; at >= 0; at--) {
    header[at] = left % 256;
    left = Math.floor(left / 256);
  }
  if (left > 0) throw tooLong(length, 256 ** lengthBytes - 1);
  if (littleEndian) header.reverse();
  return connection.writev([header, message]);
}
