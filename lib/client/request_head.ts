// The head of a request as text, and what its fields mean for the connection.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkFieldValue, FieldKind, fieldName, fieldText } from '../http/header_fields.js';
import { TOKEN } from '../token.js';

export type HeaderValue = string | number | readonly string[] | undefined;
/** Names and values; or pairs, or one flat list of names and values. */
export type RequestHeaders =
  | Readonly<Record<string, HeaderValue>>
  | Iterable<readonly [string, string]>
  | readonly string[];

export interface HeadFields {
  text: string;
  hasHost: boolean;
  /** Content-Length as it was given. */
  length: number | undefined;
  /** `connection: close` */
  closes: boolean;
}

/** Fields that describe the connection, which the client writes itself. */
const OWN = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'http2-settings', 'te']);

function add(fields: HeadFields, name: string, value: string): void {
  const { kind } = fieldName(name);
  checkFieldValue(name, value);
  if (kind !== FieldKind.other && kind !== FieldKind.contentType) {
    if (special(fields, name.toLowerCase(), value)) return;
  } else if (name.length <= 14 && special(fields, name.toLowerCase(), value)) {
    return;
  }
  fields.text += `${name}: ${value}\r\n`;
}

/** True: it is not a line of its own. */
function special(fields: HeadFields, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      if (fields.hasHost) throw invalidArgValue('options.headers', 'with one host', value);
      fields.hasHost = true;
      return false;
    case 'content-length':
      if (!/^\d{1,15}$/.test(value) || fields.length !== undefined) {
        throw invalidArgValue('options.headers.content-length', 'one decimal number', value);
      }
      fields.length = Number(value);
      return true;
    case 'connection':
      if (value.toLowerCase() === 'close') fields.closes = true;
      else if (value.toLowerCase() !== 'keep-alive') {
        throw invalidArgValue('options.headers.connection', 'close or keep-alive', value);
      }
      return true;
    case 'expect':
      throw invalidArgValue('options.headers', 'without expect: use expectContinue', value);
    default:
      if (OWN.has(name) && !(name === 'te' && value === 'trailers')) {
        throw invalidArgValue('options.headers', 'without fields of the connection', name);
      }
      return false;
  }
}

/**
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE,
 *   ERR_INVALID_HTTP_TOKEN, ERR_INVALID_CHAR
 */
export function readHeaders(headers: RequestHeaders | undefined): HeadFields {
  const fields: HeadFields = { text: '', hasHost: false, length: undefined, closes: false };
  if (headers === undefined) return fields;
  if (typeof headers !== 'object' || headers === null) {
    throw invalidArgType('options.headers', 'an object', headers);
  }
  if (Array.isArray(headers) && typeof headers[0] === 'string') {
    if (headers.length % 2 !== 0) {
      throw invalidArgValue('options.headers', 'a list of names and values', headers);
    }
    for (let i = 0; i < headers.length; i += 2) add(fields, headers[i], fieldText(headers[i + 1]));
  } else if (typeof (headers as Iterable<unknown>)[Symbol.iterator] === 'function') {
    for (const [name, value] of headers as Iterable<readonly [string, string]>) {
      add(fields, name, fieldText(value));
    }
  } else {
    const record = headers as Readonly<Record<string, HeaderValue>>;
    for (const name of Object.keys(record)) {
      const value = record[name];
      if (value === undefined) continue;
      if (typeof value === 'object') for (const each of value) add(fields, name, fieldText(each));
      else add(fields, name, fieldText(value));
    }
  }
  return fields;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']);
/** RFC 9110 section 9.2.2: to send them twice does no more than to send them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

export function checkMethod(method: unknown): string {
  if (method === undefined) return 'GET';
  if (METHODS.has(method as string)) return method as string;
  if (typeof method !== 'string' || !TOKEN.test(method)) {
    throw invalidArgType('options.method', 'a token (RFC 9110)', method);
  }
  return method;
}

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** Methods whose requests may be sent before others are answered. */
export function isPipelined(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Methods whose requests say that their body is empty. */
export function saysEmpty(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
