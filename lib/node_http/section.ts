// The header section of a request. A client mostly repeats its own: then one section stands for many
// requests, and is decoded once.

import { fieldValue, type HeadView, nameOf, rawNameOf } from '../http/head.js';
import { FIELD_WORDS, Head } from '../runtime/protocol.js';

export type Headers = Record<string, string | string[] | undefined>;

/** Of these the first one counts, and those that come again are dropped, as Node does it. */
const ONCE = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
]);

/** Adds a field the way http.IncomingMessage does; `name` is in lower case. */
export function addField(to: Headers, name: string, value: string, joinAll: boolean): void {
  const before = to[name];
  if (name === 'set-cookie') {
    if (Array.isArray(before)) before.push(value);
    else to[name] = [value];
  } else if (typeof before !== 'string') {
    // Whatever Object.prototype has under this name.
    to[name] = value;
  } else if (name === 'cookie') {
    to[name] = `${before}; ${value}`;
  } else if (joinAll || !ONCE.has(name)) {
    to[name] = `${before}, ${value}`;
  }
}

/** By name in lower case, from name, value, name, value. */
export function fieldsOf(raw: readonly string[], joinAll: boolean): Headers {
  const fields: Headers = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    addField(fields, raw[i].toLowerCase(), raw[i + 1], joinAll);
  }
  return fields;
}

/** All values of each name, as an object without a prototype. */
export function distinctOf(raw: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    fields[name] ??= [];
    fields[name].push(raw[i + 1]);
  }
  return fields;
}

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
