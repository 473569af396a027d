// The field `baggage` (https://www.w3.org/TR/baggage/) within its limits, whoever has sent it.
import { TOKEN } from '../token.js';
import type { BaggageEntry } from './api.js';

/** Members that are read and sent; further ones are left out. The standard asks for as many. */
export const MEMBERS_MAX = 64;
/** Characters of the whole field, as the standard has it. A longer one is not read at all. */
export const LENGTH_MAX = 8192;
/** What a value may have that is not percent-encoded, before it is decoded. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
/** A half of a pair, which has no bytes. */
const LONE = /\p{Surrogate}/gu;
const UNSAFE = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/gu;

/** Names and values, decoded; members that are malformed are left out. */
export function parseBaggage(text: string | undefined): Record<string, BaggageEntry> | undefined {
  if (text === undefined || text.length > LENGTH_MAX) return undefined;
  const entries: Record<string, BaggageEntry> = Object.create(null);
  let count = 0;
  for (const member of text.split(',', MEMBERS_MAX)) {
    // Properties of a member stand behind its first semicolon. They mean nothing here.
    const [pair] = member.split(';', 1);
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const name = pair.slice(0, equals).trim();
    const value = decoded(pair.slice(equals + 1).trim());
    if (!TOKEN.test(name) || value === undefined) continue;
    if (!(name in entries)) count++;
    entries[name] = { value };
  }
  return count === 0 ? undefined : entries;
}

function decoded(value: string): string | undefined {
  if (!VALUE.test(value)) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** As a field; '' for none. What finds no room, or has a name that none may have, is left out. */
export function formatBaggage(entries: Iterable<readonly [string, BaggageEntry]>): string {
  let text = '';
  let count = 0;
  for (const [name, { value }] of entries) {
    if (count === MEMBERS_MAX) break;
    if (!TOKEN.test(name)) continue;
    const whole = String(value).replace(LONE, '\ufffd');
    const member = `${name}=${whole.replace(UNSAFE, encodeURIComponent)}`;
    const length = text.length + member.length + (text === '' ? 0 : 1);
    if (length > LENGTH_MAX) continue;
    text = text === '' ? member : `${text},${member}`;
    count++;
  }
  return text;
}
