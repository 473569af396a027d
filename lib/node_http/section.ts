// The header section of a request. A client mostly repeats its own: then one section stands for
// many requests, and is decoded once.

import { fieldValue, type HeadView, nameOf, rawNameOf } from '../http/head.js';
import { FIELD_WORDS, Head } from '../runtime/protocol.js';
import { addField, fieldsOf, type Headers } from './fields.js';

export class Section {
  #words: Uint32Array | undefined;
  #bytes: Buffer | undefined;
  readonly #count: number;
  #raw: string[] | undefined;
  #headers: Headers | undefined;
  #shares = true;

  /** Copies what it needs. `countMax`: those behind are left out. */
  constructor(
    { _words: words, _at: at, _slab: slab, _offset: offset }: HeadView,
    countMax: number,
  ) {
    const count = words[at + Head.headerCount];
    this.#count = Math.min(count, countMax);
    const size = Head.headers + FIELD_WORDS * count;
    const copy = new Uint32Array(size);
    for (let i = Head.headerCount; i < size; i++) copy[i] = words[at + i];
    let counted = 0;
    for (let field = Head.headers; field < size; field += FIELD_WORDS) {
      counted += (copy[field + 1] & 0xffff) + copy[field + 3];
    }
    this.bytes = counted;
    this.#words = copy;
    const bytes = Buffer.allocUnsafe(words[at + Head.length]);
    slab.copy(bytes, 0, offset, offset + bytes.length);
    this.#bytes = bytes;
  }

  #view(): HeadView {
    const bytes = this.#bytes as Buffer;
    return { _words: this.#words as Uint32Array, _at: 0, _slab: bytes, _offset: 0 };
  }

  #forget(): void {
    if (this.#raw === undefined || this.#headers === undefined) return;
    this.#words = undefined;
    this.#bytes = undefined;
  }

  /** Bytes of names and values, as node:http counts them against maxHeaderSize. */
  readonly bytes: number;

  /** An array of the caller's own. */
  rawHeaders(): string[] {
    if (this.#raw === undefined) {
      const view = this.#view();
      const raw: string[] = [];
      for (let i = 0; i < this.#count; i++) raw.push(rawNameOf(view, i), fieldValue(view, i));
      this.#raw = raw;
      this.#forget();
    }
    return this.#raw.slice();
  }

  /** An object of the caller's own. */
  headers(joinAll: boolean): Headers {
    if (joinAll || !this.#shares) return fieldsOf(this.rawHeaders(), joinAll);
    if (this.#headers === undefined) {
      const view = this.#view();
      const headers: Headers = {};
      for (let i = 0; i < this.#count; i++) {
        addField(headers, nameOf(view, i), fieldValue(view, i), false);
      }
      this.#headers = headers;
      // An array would be everybody's.
      if (headers['set-cookie'] !== undefined) this.#shares = false;
      this.#forget();
      if (!this.#shares) return headers;
    }
    return { ...this.#headers };
  }
}
