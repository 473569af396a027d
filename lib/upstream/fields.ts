// The fields of a head that are for the other end, as text: hop-by-hop fields stay here.
import {
  fieldValue,
  findHeader,
  type HeadView,
  hasHeader,
  headerCountOf,
  headerId,
  nameOf,
} from '../http/head.js';
import { HEADER_IDS } from '../http/tables.js';
import { FIELD_WORDS, Head } from '../runtime/protocol.js';
import { TOKEN } from '../token.js';

/** A set of fields that native code knows by number. */
export interface FieldSet {
  readonly low: number;
  readonly high: number;
}

export function fieldSet(names: readonly string[]): FieldSet {
  let low = 0;
  let high = 0;
  for (const name of names) {
    const id = headerId(name);
    if (id < 32) low |= 1 << id;
    else high |= 1 << (id & 31);
  }
  return { low: low >>> 0, high: high >>> 0 };
}

const CONNECTION = headerId('connection');
const ID_SHIFT = 16;
const LENGTH_MASK = 0xffff;
/** Options of Connection that name no field of its own. */
const OPTIONS = new Set(['close', 'keep-alive', 'upgrade', 'te', '']);
/** RFC 9110 section 7.6.1: fields of the connection, that have no number. */
const UNNUMBERED = new Set(['te', 'proxy-authenticate', 'http2-settings']);

interface Latin1 {
  latin1Slice(start: number, end: number): string;
}

const has = ({ low, high }: FieldSet, id: number) =>
  ((id < 32 ? low >>> id : high >>> (id & 31)) & 1) !== 0;

/** Names that Connection takes away, beside those that everybody knows. */
function nominated(head: HeadView): Set<string> | undefined {
  if (!hasHeader(head, CONNECTION)) return undefined;
  const value = findHeader(head, 'connection') ?? '';
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  const others = names.filter((name) => !OPTIONS.has(name));
  return others.length === 0 ? undefined : new Set(others);
}

/**
 * The field lines of a head without those in `left`, without those that Connection names, and
 * without TE and the like; without those that `also` names in lower case. They are cut out of what
 * was received: it has been parsed strictly.
 */
export function endToEnd(head: HeadView, left: FieldSet, also?: ReadonlySet<string>): string {
  const { _words: words, _at: at, _slab: slab, _offset: offset } = head;
  const count = words[at + Head.headerCount];
  if (count === 0) return '';
  const end = words[at + Head.length] - 2;
  const nominees = nominated(head);
  const named = also === undefined ? nominees : new Set([...also, ...(nominees ?? [])]);
  const bytes = slab as Buffer & Latin1;
  let text = '';
  let from = -1;
  for (let i = 0, field = at + Head.headers; i < count; i++, field += FIELD_WORDS) {
    const start = words[field];
    const id = words[field + 1] >>> ID_SHIFT;
    let skip = id !== 0 && has(left, id);
    if (!skip && (named !== undefined || id === 0)) {
      const length = words[field + 1] & LENGTH_MASK;
      // Only the lengths of the names that are looked for are worth decoding one.
      if (named !== undefined || length === 2 || length === 14 || length === 18) {
        const name = bytes.latin1Slice(offset + start, offset + start + length).toLowerCase();
        skip = UNNUMBERED.has(name) || (named?.has(name) ?? false);
      }
    }
    if (skip) {
      if (from >= 0) text += bytes.latin1Slice(offset + from, offset + start);
      from = -1;
    } else if (from < 0) {
      from = start;
    }
  }
  if (from >= 0) text += bytes.latin1Slice(offset + from, offset + end);
  return text;
}

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The same of a head that came by HTTP/2: its bytes are no lines, so that these are put together.
 * The pieces of Cookie become one line (RFC 9113, section 8.2.3).
 */
export function endToEndOfHttp2(
  head: HeadView,
  left: FieldSet,
  also?: ReadonlySet<string>,
): string {
  let text = '';
  let cookies = '';
  for (let i = 0; i < headerCountOf(head); i++) {
    const name = nameOf(head, i);
    const id = HEADER_IDS.get(name) ?? 0;
    const value = fieldValue(head, i);
    if ((id !== 0 && has(left, id)) || UNNUMBERED.has(name)) continue;
    if (also?.has(name)) continue;
    if (!TOKEN.test(name) || !VALUE.test(value)) continue;
    if (name === 'cookie') cookies += cookies === '' ? value : `; ${value}`;
    else text += `${name}: ${value}\r\n`;
  }
  return cookies === '' ? text : `${text}cookie: ${cookies}\r\n`;
}

/** Of requests; what tells of the client is written anew. */
export const REQUEST_LEFT = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer'],
  ...['content-length', 'expect', 'proxy-authorization', 'host'],
];
export const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'];
/** Of responses. */
export const RESPONSE_LEFT = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer'],
  ...['content-length'],
];
