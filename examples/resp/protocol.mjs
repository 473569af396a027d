/**
 * The request side of RESP, the Redis serialization protocol: bytes in, requests out.
 *
 * The parser reads in place. A request that lies whole within one piece of input is a set of
 * offsets into that piece and nothing is copied. Only a request that the input cuts off is
 * gathered, and the memory it is gathered in takes no more of the next piece than that request
 * still lacks, so what follows it is again read in place.
 */

import { splitWords } from './inline.mjs';

/** Limits, in bytes unless said otherwise. What exceeds one ends the connection. */
export const defaultLimits = Object.freeze({
  bulkBytes: 64 * 1024 * 1024,
  inlineBytes: 64 * 1024,
  multibulkCount: 1024 * 1024,
  requestBytes: 256 * 1024 * 1024,
});

/** Values up to this size are kept as one-byte strings, longer ones as a Buffer. */
export const stringValueBytesMax = 4096;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const dollar = 0x24;
const asterisk = 0x2a;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;

const nothing = Buffer.alloc(0);

const initialTailBytes = 4096;
/** A tail that grew beyond this is let go once its request is done. */
const keptTailBytesMax = 64 * 1024;
/** The offset tables of a request with more arguments than this are let go likewise. */
const keptOffsetsMax = 1024;
/** More digits than a length within any limit can have. */
const countDigitsMax = 10;

/** What the peer sent is not RESP. The message is worded as Redis words it. */
export class ProtocolError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(`Protocol error: ${message}`);
    this.name = 'ProtocolError';
  }
}

/**
 * One request: where its arguments begin and end in `bytes`. Valid until the parser is asked for
 * the next one.
 */
export class Request {
  /** @type {Buffer} */
  bytes = nothing;
  count = 0;
  /** @type {number[]} */
  starts = [];
  /** @type {number[]} */
  ends = [];

  /** @param {number} index */
  length(index) {
    return this.ends[index] - this.starts[index];
  }

  /**
   * The argument as a string with one character a byte.
   * @param {number} index
   */
  text(index) {
    return this.bytes.latin1Slice(this.starts[index], this.ends[index]);
  }

  /**
   * The argument as something to keep: never a view on the received bytes.
   * @param {number} index
   * @returns {string | Buffer}
   */
  value(index) {
    const start = this.starts[index];
    const end = this.ends[index];
    if (end - start <= stringValueBytesMax) return this.bytes.latin1Slice(start, end);
    const copy = Buffer.allocUnsafeSlow(end - start);
    this.bytes.copy(copy, 0, start, end);
    return copy;
  }

  /** @param {number} start @param {number} end */
  push(start, end) {
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count += 1;
  }

  clear() {
    this.count = 0;
    if (this.starts.length > keptOffsetsMax) {
      this.starts = [];
      this.ends = [];
    }
  }
}

/** What the parser expects at its read position. */
const State = Object.freeze({ request: 0, inline: 1, argumentCount: 2, length: 3, argument: 4 });

/** Reads requests from pieces of input: `feed()` one, ask `next()` until null, then `keep()`. */
export class RequestParser {
  #limits;
  #request = new Request();
  #state = State.request;
  /** Read position in the bytes that hold the request being read: the input or the tail. */
  #at = 0;
  /** Arguments still to come. */
  #remaining = 0;
  /** Size of the argument that comes next. */
  #length = 0;
  /** The number read last by #readCount. */
  #count = 0;
  #input = nothing;
  /** How much of the input is used up. */
  #used = 0;
  #tail = nothing;
  #tailBytes = 0;

  /** @param {Partial<typeof defaultLimits>} [limits] */
  constructor(limits = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Bytes held that belong to no finished request. */
  get heldBytes() {
    return this.#tailBytes + this.#input.length - this.#used;
  }

  /** @param {Buffer} bytes read in place until keep() is called */
  feed(bytes) {
    const rest = this.#input.length - this.#used;
    this.#input = rest === 0 ? bytes : Buffer.concat([this.#input.subarray(this.#used), bytes]);
    this.#used = 0;
  }

  /** Lets go of the fed bytes; those not yet read are copied. */
  keep() {
    const left = this.#used < this.#input.length;
    this.#input = left ? Buffer.from(this.#input.subarray(this.#used)) : nothing;
    this.#used = 0;
  }

  /**
   * The next request, or null when the input holds no further whole one.
   * @returns {Request | null}
   * @throws {ProtocolError} once; the parser is of no use afterwards
   */
  next() {
    if (this.#tailBytes === 0) {
      if (this.#used === this.#input.length) return null;
      this.#at = this.#used;
      this.#request.clear();
      if (this.#read(this.#input, this.#input.length)) {
        this.#used = this.#at;
        return this.#request;
      }
      this.#beginTail();
    }
    return this.#nextFromTail();
  }

  #nextFromTail() {
    while (this.#used < this.#input.length) {
      this.#extendTail(this.#lackingBytes());
      if (this.#read(this.#tail, this.#tailBytes)) {
        this.#tailBytes = 0;
        if (this.#tail.length > keptTailBytesMax) this.#tail = nothing;
        return this.#request;
      }
    }
    return null;
  }

  /** Moves the cut-off request from the input to the tail, and its offsets with it. */
  #beginTail() {
    const start = this.#used;
    const { starts, ends, count } = this.#request;
    for (let index = 0; index < count; index += 1) {
      starts[index] -= start;
      ends[index] -= start;
    }
    this.#at -= start;
    this.#extendTail(this.#input.length - start);
  }

  /** How much of the input the request in the tail can be sure to need. */
  #lackingBytes() {
    const available = this.#input.length - this.#used;
    if (this.#state === State.argument) {
      return Math.min(available, this.#at + this.#length + 2 - this.#tailBytes);
    }
    const lineEnd = this.#input.indexOf(lineFeed, this.#used);
    return lineEnd < 0 ? available : lineEnd + 1 - this.#used;
  }

  /** @param {number} count */
  #extendTail(count) {
    const needed = this.#tailBytes + count;
    if (needed > this.#limits.requestBytes) throw new ProtocolError('too big request');
    if (needed > this.#tail.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, initialTailBytes, 2 * this.#tailBytes));
      this.#tail.copy(grown, 0, 0, this.#tailBytes);
      this.#tail = grown;
    }
    this.#input.copy(this.#tail, this.#tailBytes, this.#used, this.#used + count);
    this.#tailBytes = needed;
    this.#used += count;
  }

  /**
   * Reads on from #at. True when the request is complete; #at is then just behind it.
   * @param {Buffer} bytes
   * @param {number} end
   */
  #read(bytes, end) {
    const request = this.#request;
    for (;;) {
      switch (this.#state) {
        case State.request:
          if (this.#at === end) return false;
          if (bytes[this.#at] === asterisk) {
            this.#at += 1;
            this.#state = State.argumentCount;
          } else {
            this.#state = State.inline;
          }
          break;
        case State.argumentCount:
          if (!this.#readCount(bytes, end, 'invalid multibulk length')) return false;
          if (this.#count > this.#limits.multibulkCount) {
            throw new ProtocolError('invalid multibulk length');
          }
          this.#remaining = Math.max(0, this.#count);
          this.#state = this.#remaining === 0 ? State.request : State.length;
          request.bytes = bytes;
          if (this.#remaining === 0) return true;
          break;
        case State.length:
          if (!this.#readLength(bytes, end)) return false;
          this.#state = State.argument;
          break;
        case State.argument:
          if (end - this.#at < this.#length + 2) return false;
          this.#endArgument(bytes);
          if (this.#remaining === 0) {
            request.bytes = bytes;
            return true;
          }
          break;
        default:
          return this.#readInline(bytes, end);
      }
    }
  }

  /** @param {Buffer} bytes @param {number} end */
  #readLength(bytes, end) {
    if (this.#at === end) return false;
    const first = bytes[this.#at];
    if (first !== dollar) {
      throw new ProtocolError(`expected '$', got '${String.fromCharCode(first)}'`);
    }
    this.#at += 1;
    if (!this.#readCount(bytes, end, 'invalid bulk length')) {
      this.#at -= 1;
      return false;
    }
    if (this.#count < 0 || this.#count > this.#limits.bulkBytes) {
      throw new ProtocolError('invalid bulk length');
    }
    this.#length = this.#count;
    return true;
  }

  /** @param {Buffer} bytes */
  #endArgument(bytes) {
    const start = this.#at;
    const end = start + this.#length;
    if (bytes[end] !== carriageReturn || bytes[end + 1] !== lineFeed) {
      throw new ProtocolError('expected CRLF after bulk');
    }
    this.#request.push(start, end);
    this.#at = end + 2;
    this.#remaining -= 1;
    this.#state = this.#remaining === 0 ? State.request : State.length;
  }

  /**
   * Reads a decimal number and its CRLF into #count. False, with #at unmoved, when the line is not
   * all there yet.
   * @param {Buffer} bytes
   * @param {number} end
   * @param {string} complaint
   */
  #readCount(bytes, end, complaint) {
    let at = this.#at;
    const negative = at < end && bytes[at] === minus;
    if (negative) at += 1;
    const digits = at;
    let number = 0;
    while (at < end) {
      const byte = bytes[at];
      if (byte < zero || byte > nine) break;
      number = number * 10 + byte - zero;
      at += 1;
    }
    const length = at - digits;
    const padded = length > 0 && bytes[digits] === zero && (length > 1 || negative);
    if (padded || length > countDigitsMax) throw new ProtocolError(complaint);
    if (at < end && (length === 0 || bytes[at] !== carriageReturn)) {
      throw new ProtocolError(complaint);
    }
    if (at + 1 >= end) return false;
    if (bytes[at + 1] !== lineFeed) throw new ProtocolError(complaint);
    this.#at = at + 2;
    this.#count = negative ? -number : number;
    return true;
  }

  /** @param {Buffer} bytes @param {number} end */
  #readInline(bytes, end) {
    // The tail begins with its request, so only there is there anything to skip when searching.
    const start = bytes === this.#tail ? 0 : this.#used;
    const lineEnd = bytes.indexOf(lineFeed, this.#at);
    const found = lineEnd >= 0 && lineEnd < end;
    if ((found ? lineEnd : end) - start > this.#limits.inlineBytes) {
      throw new ProtocolError('too big inline request');
    }
    this.#at = found ? lineEnd + 1 : end;
    if (!found) return false;
    this.#state = State.request;
    const stop = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd;
    this.#takeWords(bytes.latin1Slice(start, stop));
    return true;
  }

  /** @param {string} line */
  #takeWords(line) {
    const words = splitWords(line);
    if (words === null) throw new ProtocolError('unbalanced quotes in request');
    const request = this.#request;
    request.bytes = Buffer.from(words.join(''), 'latin1');
    let start = 0;
    for (const word of words) {
      request.push(start, start + word.length);
      start += word.length;
    }
  }
}
