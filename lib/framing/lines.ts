// Lines of text: each ends with a newline.
import { INT32_MAX, integer } from '../checks.js';
import { RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Bytes, bytesOf } from './bytes.js';
import { Gathering } from './gathering.js';

const MAX_LENGTH_DEFAULT = 64 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

export interface LineOptions {
  /** Bytes that a line may have, without its newline: 0 to 2^31-1. Default: 65,536. */
  maxLength?: number;
}

const OPTIONS = optionNames<LineOptions>(
  'lines()',
  { maxLength: true },
  { encoding: 'lines are UTF-8', maxBytes: 'maxLength', crlfDelay: 'both LF and CR LF end a line' },
);

/** Takes bytes as they come, and gives whole lines. One for each connection. */
export class LineReader {
  readonly #maxLength: number;
  /** The beginning of a line, so that a character may come in pieces. */
  readonly #begun = new Gathering();

  /** @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: LineOptions = {}) {
    checkOptions(OPTIONS, options);
    const { maxLength } = options;
    this.#maxLength = integer('options.maxLength', maxLength, 0, INT32_MAX, MAX_LENGTH_DEFAULT);
  }

  /**
   * The lines that are whole now, without LF or CR LF; bytes that are no UTF-8 become U+FFFD. A
   * line that lies in one chunk is copied into its string only. Take them all: what is left of
   * `data` is lost.
   * @throws RingpollError ERR_RINGPOLL_MESSAGE_TOO_LONG, also of a line whose end has not come
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   */
  *push(data: Bytes): Generator<string, void, undefined> {
    const bytes = bytesOf('data', data);
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      this.#check(end - at);
      const line = this.#begun.length === 0 ? text(bytes, at, end) : this.#rest(bytes, at, end);
      at = end + 1;
      yield line;
    }
    this.#check(bytes.length - at);
    if (at < bytes.length) this.#begun.add(bytes.subarray(at));
  }

  #rest(bytes: Buffer, from: number, to: number): string {
    this.#begun.add(bytes.subarray(from, to));
    const whole = this.#begun.take();
    return text(whole, 0, whole.length);
  }

  #check(more: number): void {
    const length = this.#begun.length + more;
    if (length <= this.#maxLength) return;
    const message = `A line has more than ${this.#maxLength} bytes, which is maxLength`;
    throw new RingpollError('ERR_RINGPOLL_MESSAGE_TOO_LONG', message);
  }

  /** The bytes are over: the last line, if it has no newline; else undefined. */
  end(): string | undefined {
    if (this.#begun.length === 0) return undefined;
    return this.#begun.take().toString();
  }
}

function text(bytes: Buffer, from: number, to: number): string {
  const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
  return bytes.toString('utf8', from, end);
}

/**
 * The lines of a connection, or of any other source of bytes, in order; the last one also without a
 * newline. Leaving the loop closes the connection.
 * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
 * @returns throws RingpollError ERR_RINGPOLL_MESSAGE_TOO_LONG, and what the source throws
 */
export function lines(
  source: AsyncIterable<Bytes>,
  options: LineOptions = {},
): AsyncGenerator<string, void, undefined> {
  return linesOf(source, new LineReader(options));
}

async function* linesOf(source: AsyncIterable<Bytes>, reader: LineReader) {
  for await (const bytes of source) yield* reader.push(bytes);
  const last = reader.end();
  if (last !== undefined) yield last;
}
