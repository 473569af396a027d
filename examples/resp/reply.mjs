/**
 * The answer side of RESP. Answers gather in one string with a character for each byte, which costs
 * less than a write for each, and leave as one Buffer; only long values stay apart, uncopied.
 */

/** @typedef {import('./integer.mjs').Integer} Integer */

/** Text beyond this is cut off into a Buffer: strings have a greatest length, answers none. */
const textLengthMax = 1024 * 1024;

/** The heads of short bulk strings, made once. */
const bulkHeads = Array.from({ length: 256 }, (_, length) => `$${length}\r\n`);

export class Reply {
  #text = '';
  /** @type {Buffer[]} */
  #parts = [];
  #partsBytes = 0;

  /** Bytes gathered so far. */
  get size() {
    return this.#partsBytes + this.#text.length;
  }

  ok() {
    this.#text += '+OK\r\n';
  }

  /** @param {string} text */
  simple(text) {
    this.#text += `+${text}\r\n`;
  }

  /** @param {string} message code and words; line ends in it, which would end the answer, go */
  error(message) {
    this.#text += `-${message.replace(/[\r\n]/g, ' ')}\r\n`;
  }

  /** @param {Integer} value */
  integer(value) {
    this.#text += `:${value}\r\n`;
  }

  /** @param {string | Buffer | undefined} value a string has one character a byte */
  bulk(value) {
    if (typeof value === 'string') {
      this.#text += `${bulkHeads[value.length] ?? `$${value.length}\r\n`}${value}\r\n`;
      if (this.#text.length > textLengthMax) this.#cut();
    } else if (value === undefined) {
      this.#text += '$-1\r\n';
    } else {
      this.#text += `$${value.length}\r\n`;
      this.#cut();
      this.#push(value);
      this.#text = '\r\n';
    }
  }

  /** @param {number} length of the array whose elements come next */
  array(length) {
    this.#text += `*${length}\r\n`;
  }

  nilArray() {
    this.#text += '*-1\r\n';
  }

  /** @param {ReadonlyArray<string | Buffer | undefined>} values */
  bulks(values) {
    this.array(values.length);
    for (const value of values) this.bulk(value);
  }

  /** Hands over what was gathered, and starts anew. */
  take() {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = 0;
    return parts;
  }

  #cut() {
    if (this.#text === '') return;
    this.#push(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }

  /** @param {Buffer} part */
  #push(part) {
    this.#parts.push(part);
    this.#partsBytes += part.length;
  }
}
