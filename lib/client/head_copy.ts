// Copies of response heads, and of the bodies that came along: what outlasts the turn.
import type { HeadView } from '../http/head.js';
import { FIELD_WORDS, Head } from '../runtime/protocol.js';

const WORD_BYTES = Uint32Array.BYTES_PER_ELEMENT;
/** Copies share memory of this size; larger ones have their own. */
const SHARED_WORDS = 8192; // 32 KB

let words = new Uint32Array(0);
let bytes = Buffer.alloc(0);
let used = 0;

/** Copies the record of a head, its bytes, and `bodyBytes` that lie behind them. */
export function copyOut(head: HeadView, bodyBytes: number): void {
  const { _words: source, _at: at, _slab: slab, _offset: offset } = head;
  const count = Head.headers + FIELD_WORDS * source[at + Head.headerCount];
  const length = source[at + Head.length] + bodyBytes;
  const needed = count + Math.ceil(length / WORD_BYTES);
  if (used + needed > words.length) {
    words = new Uint32Array(Math.max(SHARED_WORDS, needed));
    bytes = Buffer.from(words.buffer);
    used = 0;
  }
  for (let i = 0; i < count; i++) words[used + i] = source[at + i];
  const start = (used + count) * WORD_BYTES;
  slab.copy(bytes, start, offset, offset + length);
  head._words = words;
  head._at = used;
  head._slab = bytes;
  head._offset = start;
  used += needed;
}
