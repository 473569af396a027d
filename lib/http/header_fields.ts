// Checks of header fields that a handler sets, fast for the names and values that come again.
import { http } from '../builtins.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { TOKEN } from '../token.js';

/** What a response does with a header that it knows. */
export const enum FieldKind {
  other,
  connection,
  contentLength,
  contentType,
  date,
  server,
  transferEncoding,
}

const KINDS: Record<string, FieldKind> = {
  connection: FieldKind.connection,
  'content-length': FieldKind.contentLength,
  'content-type': FieldKind.contentType,
  date: FieldKind.date,
  server: FieldKind.server,
  'transfer-encoding': FieldKind.transferEncoding,
};

/** What is known of a name, in whatever case it is written. */
export interface FieldName {
  readonly kind: FieldKind;
  /** One of 32 bits: different names may have the same one. */
  readonly bit: number;
}

const NAMES_KEPT_MAX = 512;
const names = new Map<string, FieldName>();
// Most responses set the same one field.
let lastName: string | undefined;
let last: FieldName = { kind: FieldKind.other, bit: 0 };

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, or ERR_INVALID_HTTP_TOKEN as node:http does */
export function fieldName(name: string): FieldName {
  if (name === lastName) return last;
  const field = names.get(name) ?? checkedName(name);
  lastName = name;
  last = field;
  return field;
}

function checkedName(name: string): FieldName {
  if (typeof name !== 'string') throw invalidArgType('name', 'a string', name);
  if (!TOKEN.test(name)) http().validateHeaderName(name); // which refuses it in its own words
  const key = name.toLowerCase();
  const field = { kind: KINDS[key] ?? FieldKind.other, bit: bitOf(key) };
  if (names.size < NAMES_KEPT_MAX) names.set(name, field);
  return field;
}

function bitOf(key: string): number {
  let hash = key.length;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return 1 << (hash ^ (hash >>> 13)); // of the count, five bits are taken
}

const PLAIN = /^[\t\x20-\x7e]*$/;
const SHORT_VALUE = 32;
let lastValue = '';

/**
 * Characters up to 0xff are sent as Latin-1.
 * @throws TypeError ERR_INVALID_CHAR, as node:http does, for CR, LF and other control characters
 */
export function checkFieldValue(name: string, value: string): void {
  if (value === lastValue) return;
  if (value.length <= SHORT_VALUE) {
    let at = 0;
    while (at < value.length) {
      const unit = value.charCodeAt(at);
      if (unit < 0x20 || unit > 0x7e) break;
      at++;
    }
    if (at === value.length) {
      lastValue = value;
      return;
    }
  }
  if (PLAIN.test(value)) return;
  http().validateHeaderValue(name, value);
}

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE */
export function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw invalidArgType('value', 'a string or a number', value);
}

/**
 * A whole field line of what has no body of its own: trailers, and 1xx.
 * @throws as fieldName() and checkFieldValue(), and for what frames a body
 */
export function fieldLine(name: string, value: string | number): string {
  const text = fieldText(value);
  const { kind } = fieldName(name);
  // Whoever merges trailers into the head, or takes 1xx for the response, would read wrong lengths.
  if (kind === FieldKind.contentLength || kind === FieldKind.transferEncoding) {
    throw invalidArgValue('name', 'a field that may stand here', name);
  }
  checkFieldValue(name, text);
  return `${name}: ${text}\r\n`;
}
