// The sixteen words that describe one datagram, see native/core/udp/record.h.

export const DATAGRAM_WORDS = 16;
export const DATAGRAM_BYTES = DATAGRAM_WORDS * 4;

export const enum Word {
  slab = 0,
  offset = 1,
  length = 2,
  block = 3,
  port = 4,
  traits = 5,
  scope = 6,
  interface = 7,
  address = 8,
  local = 12,
}

/** They stand above the port. */
export const enum RecordFlag {
  truncated = 1,
  ipv4 = 2,
  hasLocal = 4,
  hasClass = 8,
  hasHops = 16,
}
export const FLAGS_SHIFT = 16;
export const CLASS_SHIFT = 16;
export const HOPS_SHIFT = 24;

/** The slab's memory as words. */
const views: { slab: Buffer; words: Int32Array }[] = [];

export function wordsOf(slabs: readonly Buffer[], index: number): Int32Array {
  const slab = slabs[index];
  const known = views[index];
  if (known?.slab === slab) return known.words;
  const words = new Int32Array(slab.buffer, slab.byteOffset, slab.length >> 2);
  while (views.length < index) views.push({ slab, words });
  views[index] = { slab, words };
  return words;
}

/** The IPv4 address in the word at `at`, in the order of the network. */
export function ipv4Text(words: Int32Array, at: number): string {
  const word = words[at];
  return `${word & 0xff}.${(word >>> 8) & 0xff}.${(word >>> 16) & 0xff}.${word >>> 24}`;
}
