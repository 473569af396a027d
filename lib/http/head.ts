// Reads a request's head from the record that native code wrote: nothing is decoded before it is
// asked for. The bytes and the record are good for the turn; detach() makes copies that last.
import { FIELD_WORDS, Head } from '../loop/protocol.js';
import { HEADER_IDS, HEADER_NAMES, METHODS } from './tables.js';

const ID_SHIFT = 16;
const LENGTH_MASK = 0xffff;
const INTERNED_MAX = 1024;
const INTERNED_BYTES_MAX = 48;

interface Interned {
  bytes: Uint8Array;
  text: string;
  next: Interned | undefined;
}

const interned = new Map<number, Interned>();
let internedCount = 0;

function latin1(slab: Buffer, start: number, end: number): string {
  return (slab as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(
    start,
    end,
  );
}

/** Short strings that come again and again, such as paths: found without making them anew. */
function intern(slab: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 1) return String.fromCharCode(slab[start]);
  if (length > INTERNED_BYTES_MAX) return latin1(slab, start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + slab[i]) | 0;
  const first = interned.get(hash);
  for (let entry = first; entry !== undefined; entry = entry.next) {
    if (sameBytes(entry.bytes, slab, start)) return entry.text;
  }
  const text = latin1(slab, start, end);
  if (internedCount < INTERNED_MAX) {
    internedCount++;
    interned.set(hash, { bytes: Uint8Array.from(slab.subarray(start, end)), text, next: first });
  }
  return text;
}

function sameBytes(bytes: Uint8Array, slab: Buffer, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== slab[start + i]) return false;
  return true;
}

export class RequestHead {
  /** @internal */
  _words: Uint32Array;
  /** @internal Where the record starts in `words`. */
  _at: number;
  /** @internal */
  _slab: Buffer;
  /** @internal Where the head starts in `slab`. */
  _offset: number;

  constructor(words: Uint32Array, at: number, slab: Buffer, offset: number) {
    this._words = words;
    this._at = at;
    this._slab = slab;
    this._offset = offset;
  }

  /** Copies the head's bytes and its record, so that they outlast the turn. */
  protected detach(): void {
    const { _words: words, _at: at, _slab: slab, _offset: offset } = this;
    const length = words[at + Head.length];
    const wordCount = Head.headers + FIELD_WORDS * words[at + Head.headerCount];
    this._words = words.slice(at, at + wordCount);
    this._at = 0;
    this._slab = Buffer.from(slab.subarray(offset, offset + length));
    this._offset = 0;
  }

  get flags(): number {
    return this._words[this._at + Head.flags];
  }

  get method(): string {
    const { _words: words, _at: at } = this;
    const known = METHODS[words[at + Head.method]];
    if (known !== '') return known;
    const start = this._offset + words[at + Head.methodOffset];
    return latin1(this._slab, start, start + words[at + Head.methodLength]);
  }

  /** The request target as it was sent. */
  get target(): string {
    const { _words: words, _at: at } = this;
    const start = this._offset + words[at + Head.targetOffset];
    return intern(this._slab, start, start + words[at + Head.targetLength]);
  }

  /** The target up to its '?'. */
  get path(): string {
    const { _words: words, _at: at, _offset: offset } = this;
    const start = words[at + Head.targetOffset];
    const query = words[at + Head.queryOffset];
    const end = query === 0 ? start + words[at + Head.targetLength] : query;
    return intern(this._slab, offset + start, offset + end);
  }

  /** What follows the '?', or ''. */
  get query(): string {
    const { _words: words, _at: at, _offset: offset } = this;
    const query = words[at + Head.queryOffset];
    if (query === 0) return '';
    const end = words[at + Head.targetOffset] + words[at + Head.targetLength];
    return latin1(this._slab, offset + query + 1, offset + end);
  }

  /** Bytes of the body as announced; 0 when chunked or without one. */
  get contentLength(): number {
    const { _words: words, _at: at } = this;
    return words[at + Head.contentLengthLow] + words[at + Head.contentLengthHigh] * 2 ** 32;
  }

  get headerCount(): number {
    return this._words[this._at + Head.headerCount];
  }

  /** Name of header `index`, in lower case. */
  name(index: number): string {
    const field = this._at + Head.headers + FIELD_WORDS * index;
    const id = this._words[field + 1] >>> ID_SHIFT;
    return id === 0 ? this.rawName(index).toLowerCase() : HEADER_NAMES[id];
  }

  /** Name of header `index`, as it was sent. */
  rawName(index: number): string {
    const { _words: words, _offset: offset } = this;
    const field = this._at + Head.headers + FIELD_WORDS * index;
    const start = offset + words[field];
    return latin1(this._slab, start, start + (words[field + 1] & LENGTH_MASK));
  }

  value(index: number): string {
    const { _words: words, _offset: offset } = this;
    const field = this._at + Head.headers + FIELD_WORDS * index;
    const start = offset + words[field + 2];
    return latin1(this._slab, start, start + words[field + 3]);
  }

  /** The value of the header with this name (in lower case); several are joined by ', '. */
  find(name: string): string | undefined {
    const id = HEADER_IDS.get(name);
    return id === undefined ? this.#findByName(name) : this.#findById(id);
  }

  #findById(id: number): string | undefined {
    const { _words: words, _at: at } = this;
    const known = id < 32 ? words[at + Head.knownLow] : words[at + Head.knownHigh];
    if (((known >>> (id & 31)) & 1) === 0) return undefined;
    let found: string | undefined;
    const count = this.headerCount;
    for (let i = 0, field = at + Head.headers + 1; i < count; i++, field += FIELD_WORDS) {
      if (words[field] >>> ID_SHIFT === id) found = joined(found, this.value(i), id);
    }
    return found;
  }

  #findByName(name: string): string | undefined {
    const { _words: words, _at: at } = this;
    let found: string | undefined;
    const count = this.headerCount;
    for (let i = 0, field = at + Head.headers + 1; i < count; i++, field += FIELD_WORDS) {
      if ((words[field] & LENGTH_MASK) !== name.length || words[field] >>> ID_SHIFT !== 0) continue;
      if (this.rawName(i).toLowerCase() === name) found = joined(found, this.value(i), 0);
    }
    return found;
  }
}

const COOKIE = HEADER_IDS.get('cookie');

/** RFC 9110 section 5.3; cookies are joined by '; ' (RFC 6265 section 5.4). */
function joined(before: string | undefined, value: string, id: number): string {
  if (before === undefined) return value;
  return before + (id === COOKIE ? '; ' : ', ') + value;
}
