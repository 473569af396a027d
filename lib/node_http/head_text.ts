// The text of a response's head, as http.ServerResponse composes it. What is usual is done here;
// Node does all that is not, such as a Connection or Transfer-Encoding of the program's own.
import http from 'node:http';
import { checkFieldValue } from '../http/header_fields.js';

/** The fields of a response: `{ 'lower-case': ['As-Given', value] }`. */
export type OutFields = Record<string, [name: string, value: unknown]>;

/** As Node's, but not a dictionary: V8 finds the fields of such an object faster. */
export const OutFields = function OutFields() {} as unknown as new () => OutFields;
OutFields.prototype = Object.create(null);

/** What a head is composed of, of a response. */
export interface Composed {
  statusCode: number;
  sendDate: boolean;
  shouldKeepAlive: boolean;
  useChunkedEncodingByDefault: boolean;
  chunkedEncoding: boolean;
  maxRequestsOnConnectionReached: boolean;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
  _defaultKeepAlive: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  _last: boolean;
  _keepAliveTimeout: number;
  _maxRequestsPerSocket: number | undefined;
}

const enum Kind {
  plain,
  contentLength,
  setCookie,
  /** It has an effect that Node knows best. */
  special,
}

interface Name {
  key: string;
  kind: Kind;
}

const KINDS: Record<string, Kind> = {
  'content-length': Kind.contentLength,
  'set-cookie': Kind.setCookie,
  connection: Kind.special,
  'transfer-encoding': Kind.special,
  date: Kind.special,
  expect: Kind.special,
  trailer: Kind.special,
  'keep-alive': Kind.special,
  'content-disposition': Kind.special,
  cookie: Kind.special,
};

const NAMES_KEPT_MAX = 1024;
const names = new Map<string, Name>();

/** @throws TypeError ERR_INVALID_HTTP_TOKEN, as node:http does */
function nameOf(name: string): Name {
  const known = names.get(name);
  if (known !== undefined) return known;
  http.validateHeaderName(name);
  const key = name.toLowerCase();
  const found = { key, kind: KINDS[key] ?? Kind.plain };
  if (names.size < NAMES_KEPT_MAX) names.set(name, found);
  return found;
}

/** The name in lower case. @throws as http.validateHeaderName() and validateHeaderValue() */
export function checkField(name: unknown, value: unknown): string {
  const { key } = nameOf(name as string);
  if (typeof value === 'string') checkFieldValue(name as string, value);
  else if (typeof value !== 'number') http.validateHeaderValue(name as string, value as string);
  return key;
}

const VALUE_TYPES = new Set(['string', 'number']);

let date = '';
let dateSecond = -1;
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return date;
}

let keptFor = -1;
let keptMost: number | undefined = -1;
let kept = '';
function keepAliveLines(timeout: number, most: number | undefined): string {
  if (timeout !== keptFor || most !== keptMost) {
    keptFor = timeout;
    keptMost = most;
    const max = most !== undefined && ~~most > 0 ? `, max=${most}` : '';
    kept = 'Connection: keep-alive\r\n';
    if (timeout) kept += `Keep-Alive: timeout=${Math.floor(timeout / 1000)}${max}\r\n`;
  }
  return kept;
}

const statusLines = new Map<number, string>();
/** With the text that Node has for the status. */
export function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'unknown'}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

/** Lines of the fields; undefined: Node must do it. */
let length = false;
let declared = 0;

function linesOfSet(fields: OutFields): string | undefined {
  let text = '';
  for (const key in fields) {
    const [name, value] = fields[key];
    const kind = names.get(name)?.kind ?? KINDS[key] ?? Kind.plain;
    if (kind !== Kind.plain) {
      if (kind === Kind.special) return undefined;
      if (kind === Kind.contentLength) {
        if (!VALUE_TYPES.has(typeof value)) return undefined;
        length = true;
        declared = +(value as string);
      } else if (Array.isArray(value)) {
        for (const one of value) text += `${name}: ${one}\r\n`;
        continue;
      }
    }
    if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

function linesOfGiven(given: Record<string, unknown>): string | undefined {
  let text = '';
  for (const name in given) {
    if (!Object.hasOwn(given, name)) continue;
    const value = given[name];
    const { kind } = nameOf(name);
    if (kind === Kind.special || kind === Kind.setCookie) return undefined;
    if (typeof value === 'string') checkFieldValue(name, value);
    else if (typeof value !== 'number') return undefined;
    if (kind === Kind.contentLength) {
      length = true;
      declared = +value;
    }
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/**
 * The whole head; undefined when Node must compose it. `set`: the fields are those of setHeader(),
 * and not of writeHead() alone.
 * @throws as http.validateHeaderName() and validateHeaderValue()
 */
export function composeHead(
  response: Composed,
  firstLine: string,
  fields: object | null | undefined,
  set: boolean,
): string | undefined {
  const { statusCode } = response;
  if (response.chunkedEncoding || response._removedConnection || !response._defaultKeepAlive) {
    return undefined;
  }
  length = false;
  let text: string | undefined = '';
  if (fields != null) {
    if (Array.isArray(fields)) return undefined;
    text = set ? linesOfSet(fields as OutFields) : linesOfGiven(fields as Record<string, unknown>);
    if (text === undefined) return undefined;
  }
  const keeps = response.shouldKeepAlive && (length || response.useChunkedEncodingByDefault);
  if (!keeps || response.maxRequestsOnConnectionReached || statusCode < 200) return undefined;
  const counted = typeof response._contentLength === 'number' && !response._removedContLen;
  const chunked = response._hasBody && !length && !counted;
  if (chunked && response._removedTE) return undefined;
  text = firstLine + text;
  if (response.sendDate) text += dateLine();
  text += keepAliveLines(response._keepAliveTimeout, response._maxRequestsPerSocket);
  if (length) {
    response._contentLength = declared;
    response._removedContLen = false;
  } else if (chunked) {
    response.chunkedEncoding = true;
    text += 'Transfer-Encoding: chunked\r\n';
  } else if (response._hasBody) {
    text += `Content-Length: ${response._contentLength}\r\n`;
  }
  return `${text}\r\n`;
}
