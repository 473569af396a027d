// Checks of header fields that a handler sets, fast for the names and values that come again.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { invalidArgType, invalidArgValue } from '../errors.js';

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

const NAMES_KEPT_MAX = 512;
const names = new Map<string, FieldKind>();
// Most responses set the same one field.
let lastName: string | undefined;
let lastKind = FieldKind.other;

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, or ERR_INVALID_HTTP_TOKEN as node:http does */
export function fieldKind(name: string): FieldKind {
  if (name === lastName) return lastKind;
  const kind = names.get(name) ?? checkedKind(name);
  lastName = name;
  lastKind = kind;
  return kind;
}

function checkedKind(name: string): FieldKind {
  if (typeof name !== 'string') throw invalidArgType('name', 'a string', name);
  validateHeaderName(name);
  const kind = KINDS[name.toLowerCase()] ?? FieldKind.other;
  if (names.size < NAMES_KEPT_MAX) names.set(name, kind);
  return kind;
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
  validateHeaderValue(name, value);
}

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE */
export function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw invalidArgType('value', 'a string or a number', value);
}

/**
 * A whole field line of what has no body of its own: trailers, and 1xx.
 * @throws as fieldKind() and checkFieldValue(), and for what frames a body
 */
export function fieldLine(name: string, value: string | number): string {
  const text = fieldText(value);
  const kind = fieldKind(name);
  // Whoever merges trailers into the head, or takes 1xx for the response, would read wrong lengths.
  if (kind === FieldKind.contentLength || kind === FieldKind.transferEncoding) {
    throw invalidArgValue('name', 'a field that may stand here', name);
  }
  checkFieldValue(name, text);
  return `${name}: ${text}\r\n`;
}
