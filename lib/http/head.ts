// Reads a request's head from the record that native code wrote: nothing is decoded before it is
// asked for. The bytes and the record are good for the turn; detach() makes copies that last.
import { FIELD_WORDS, Head, HeadFlag } from '../runtime/protocol.js';
import { HEADER_IDS, HEADER_NAMES, METHODS } from './tables.js';

const ID_SHIFT = 16;
const LENGTH_MASK = 0xffff;
const KEPT_STRINGS = 1024;
const KEPT_LENGTH_MAX = 40;

/** Where the record of a head and its bytes lie. */
export interface HeadView {
  _words: Uint32Array;
  /** Where the record starts in `_words`. */
  _at: number;
  _slab: Buffer;
  /** Where the head starts in `_slab`. */
  _offset: number;
}

interface Latin1 {
  latin1Slice(start: number, end: number): string;
}

// Short strings that come again and again, such as paths, are found without making them anew. A
// newcomer takes the place of whoever had it: strangers cannot fill this for good.
const kept: string[] = new Array(KEPT_STRINGS).fill('');

function latin1(slab: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > KEPT_LENGTH_MAX) return (slab as Buffer & Latin1).latin1Slice(start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + slab[i]) | 0;
  const place = (hash ^ (hash >>> 10)) & (KEPT_STRINGS - 1);
  const known = kept[place];
  if (known.length === length && same(known, slab, start)) return known;
  const text = (slab as Buffer & Latin1).latin1Slice(start, end);
  kept[place] = text;
  return text;
}

function same(text: string, slab: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== slab[start + i]) return false;
  return true;
}

const WORD_BYTES = Uint32Array.BYTES_PER_ELEMENT;

// Copies share chunks: memory of its own for each would cost several times as much. One that is
// kept keeps its chunk, so those that are known to live have small ones.
class Chunk {
  words = new Uint32Array(0);
  bytes = Buffer.alloc(0);
  used = 0;

  constructor(readonly size: number) {}

  /** The index of as many free words. */
  take(count: number): number {
    if (this.used + count > this.words.length) {
      this.words = new Uint32Array(Math.max(this.size, count));
      this.bytes = Buffer.from(this.words.buffer);
      this.used = 0;
    }
    const at = this.used;
    this.used += count;
    return at;
  }
}

const lived = new Chunk(2048); // 8 KB
const passing = new Chunk(16_384); // 64 KB

const wordsOf = ({ _words: words, _at: at }: HeadView) =>
  Head.headers + FIELD_WORDS * words[at + Head.headerCount];
const bytesOf = ({ _words: words, _at: at }: HeadView) => words[at + Head.length];

/** Copies the bytes and the record of a head that will be read for some time. */
export function detach(head: HeadView): void {
  moveRun(lived, [head], 0, 1, wordsOf(head), bytesOf(head));
}

/**
 * The same for heads that will hardly be read again. Neighbours, such as those of pipelined
 * requests, are copied in one go.
 */
export function detachAll(heads: readonly HeadView[]): void {
  for (let from = 0; from < heads.length; ) {
    const first = heads[from];
    let words = wordsOf(first);
    let bytes = bytesOf(first);
    let to = from + 1;
    for (; to < heads.length; to++) {
      const next = heads[to];
      if (next._slab !== first._slab || next._words !== first._words) break;
      const nextWords = next._at - first._at + wordsOf(next);
      const nextBytes = next._offset - first._offset + bytesOf(next);
      if (nextWords < words || nextBytes < bytes) break;
      if (nextWords + Math.ceil(nextBytes / WORD_BYTES) > passing.size) break;
      words = nextWords;
      bytes = nextBytes;
    }
    moveRun(passing, heads, from, to, words, bytes);
    from = to;
  }
}

/** `words` and `bytes` are those of the heads from `from` to `to`, with what lies between them. */
function moveRun(
  chunk: Chunk,
  heads: readonly HeadView[],
  from: number,
  to: number,
  words: number,
  bytes: number,
): void {
  const { _words: source, _at: at, _slab: slab, _offset: offset } = heads[from];
  const target = chunk.take(words + Math.ceil(bytes / WORD_BYTES));
  const start = (target + words) * WORD_BYTES;
  for (let i = 0; i < words; i++) chunk.words[target + i] = source[at + i];
  chunk.bytes.set(slab.subarray(offset, offset + bytes), start);
  for (let i = from; i < to; i++) {
    const head = heads[i];
    head._words = chunk.words;
    head._at += target - at;
    head._slab = chunk.bytes;
    head._offset += start - offset;
  }
}

export function flagsOf(head: HeadView): number {
  return head._words[head._at + Head.flags];
}

export function methodOf(head: HeadView): string {
  const { _words: words, _at: at } = head;
  const known = METHODS[words[at + Head.method]];
  if (known !== '') return known;
  const start = head._offset + words[at + Head.methodOffset];
  return latin1(head._slab, start, start + words[at + Head.methodLength]);
}

/** The request target as it was sent. */
export function targetOf(head: HeadView): string {
  const { _words: words, _at: at } = head;
  const start = head._offset + words[at + Head.targetOffset];
  return latin1(head._slab, start, start + words[at + Head.targetLength]);
}

const SLASH = 0x2f;
const HASH = 0x23;

/** The path of the target as it was sent; of an absolute URL only that part. */
export function pathOf(head: HeadView): string {
  const { _words: words, _at: at, _offset: offset, _slab: slab } = head;
  let start = offset + words[at + Head.targetOffset];
  const query = words[at + Head.queryOffset];
  const end = query === 0 ? start + words[at + Head.targetLength] : offset + query;
  const form = words[at + Head.flags] & HeadFlag.targetMask;
  if (form !== 0) {
    // RFC 9112 section 3.3: '*' and an authority have an empty path.
    if (form !== HeadFlag.targetAbsolute) return '/';
    start = pathStart(slab, start, end);
    if (start === end) return '/';
  } else if (end - start === 1 && slab[start] === SLASH) {
    return '/';
  }
  return latin1(slab, start, end);
}

/** Behind `scheme://authority`. */
function pathStart(slab: Buffer, start: number, end: number): number {
  let slashes = 0;
  for (let i = start; i < end; i++) {
    if (slab[i] === SLASH && ++slashes === 3) return i;
    if (slab[i] === HASH) return end;
  }
  return end;
}

/** What follows the '?', or ''. */
export function queryOf(head: HeadView): string {
  const { _words: words, _at: at, _offset: offset } = head;
  const query = words[at + Head.queryOffset];
  if (query === 0) return '';
  const end = words[at + Head.targetOffset] + words[at + Head.targetLength];
  return latin1(head._slab, offset + query + 1, offset + end);
}

/** Bytes of the body as announced; 0 when chunked or without one. */
export function contentLengthOf(head: HeadView): number {
  const { _words: words, _at: at } = head;
  return words[at + Head.contentLengthLow] + words[at + Head.contentLengthHigh] * 2 ** 32;
}

export function headerCountOf(head: HeadView): number {
  return head._words[head._at + Head.headerCount];
}

/** The value of Host; undefined: there is none. */
export function hostOf(head: HeadView): string | undefined {
  const index = head._words[head._at + Head.hostIndex];
  return index === 0 ? undefined : fieldValue(head, index - 1);
}

/** Name of header `index`, in lower case. */
export function nameOf(head: HeadView, index: number): string {
  const field = head._at + Head.headers + FIELD_WORDS * index;
  const id = head._words[field + 1] >>> ID_SHIFT;
  return id === 0 ? rawNameOf(head, index).toLowerCase() : HEADER_NAMES[id];
}

/** Name of header `index`, as it was sent. */
export function rawNameOf(head: HeadView, index: number): string {
  const { _words: words, _offset: offset } = head;
  const field = head._at + Head.headers + FIELD_WORDS * index;
  const start = offset + words[field];
  return latin1(head._slab, start, start + (words[field + 1] & LENGTH_MASK));
}

export function fieldValue(head: HeadView, index: number): string {
  const { _words: words, _offset: offset } = head;
  const field = head._at + Head.headers + FIELD_WORDS * index;
  const start = offset + words[field + 2];
  return latin1(head._slab, start, start + words[field + 3]);
}

/** The value of the header with this name (in lower case); several are joined by ', '. */
export function findHeader(head: HeadView, name: string): string | undefined {
  const id = HEADER_IDS.get(name);
  return id === undefined ? findByName(head, name) : findById(head, id);
}

/** The number of a header that native code knows, by its name in lower case. */
export function headerId(name: string): number {
  const id = HEADER_IDS.get(name);
  if (id === undefined) throw new Error(`There is no number for the header ${name}`);
  return id;
}

/** Whether there is a header with this number. */
export function hasHeader({ _words: words, _at: at }: HeadView, id: number): boolean {
  const known = id < 32 ? words[at + Head.knownLow] : words[at + Head.knownHigh];
  return ((known >>> (id & 31)) & 1) !== 0;
}

function findById(head: HeadView, id: number): string | undefined {
  if (!hasHeader(head, id)) return undefined;
  const { _words: words, _at: at } = head;
  let found: string | undefined;
  const count = headerCountOf(head);
  for (let i = 0, field = at + Head.headers + 1; i < count; i++, field += FIELD_WORDS) {
    if (words[field] >>> ID_SHIFT === id) found = joined(found, fieldValue(head, i), id);
  }
  return found;
}

function findByName(head: HeadView, name: string): string | undefined {
  const { _words: words, _at: at } = head;
  let found: string | undefined;
  const count = headerCountOf(head);
  for (let i = 0, field = at + Head.headers + 1; i < count; i++, field += FIELD_WORDS) {
    if ((words[field] & LENGTH_MASK) !== name.length || words[field] >>> ID_SHIFT !== 0) continue;
    if (rawNameOf(head, i).toLowerCase() === name) found = joined(found, fieldValue(head, i), 0);
  }
  return found;
}

/** The value of header `index`, behind those of its name that came before it. */
export function joinedValue(head: HeadView, index: number, before: string | undefined): string {
  const field = head._at + Head.headers + FIELD_WORDS * index;
  return joined(before, fieldValue(head, index), head._words[field + 1] >>> ID_SHIFT);
}

const COOKIE = HEADER_IDS.get('cookie');

/** RFC 9110 section 5.3; cookies are joined by '; ' (RFC 6265 section 5.4). */
function joined(before: string | undefined, value: string, id: number): string {
  if (before === undefined) return value;
  return before + (id === COOKIE ? '; ' : ', ') + value;
}
