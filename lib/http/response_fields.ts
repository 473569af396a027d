// The header fields of a response, while its handler sets them.
import { deprecated } from '../deprecation.js';
import { invalidArgType, outOfRange } from '../errors.js';
import {
  checkFieldValue,
  FieldKind,
  type FieldName,
  fieldName,
  fieldText,
} from './header_fields.js';
import { extrasOf, ResponseFlag, type ResponseState } from './response_state.js';

const FIELDS_LENGTH_MAX = 32 * 1024;
/** A longer Content-Type is sent as any other field. */
export const TYPE_LENGTH_MAX = 256;

const COLON = 0x3a;

/** `replace`: in the place of what was set under this name before; else behind it. */
export function putField(
  response: ResponseState,
  name: string,
  value: string | number,
  replace: boolean,
): void {
  const field = fieldName(name);
  const text = fieldText(value);
  checkFieldValue(name, text);
  if (field.kind === FieldKind.contentType) {
    checkFieldsLength(text, response._fields.length + name.length, name);
    response._type = text; // whatever its length: the last one is sent, and only once
    return;
  }
  if (field.kind !== FieldKind.other && isDone(response, field.kind, name, text)) return;
  putLine(response, field, name, text, replace);
}

/** What has an effect besides that it is sent, or instead. True: instead. */
function isDone(response: ResponseState, kind: FieldKind, name: string, value: string): boolean {
  switch (kind) {
    case FieldKind.contentLength:
      if (!/^\d{1,15}$/.test(value)) throw outOfRange('Content-Length', 'a decimal number', value);
      extrasOf(response).declaredLength = Number(value);
      return true;
    case FieldKind.connection:
      // The server decides, and a handler may only ask for the end.
      if (value.toLowerCase().includes('close')) response._flags |= ResponseFlag.close;
      return true;
    case FieldKind.transferEncoding:
      throw invalidArgType('name', 'anything but Transfer-Encoding, which is ours', name);
    case FieldKind.date:
      response._flags |= ResponseFlag.ownDate;
      return false;
    case FieldKind.server:
      response._flags |= ResponseFlag.ownServer;
      return false;
    default:
      return false;
  }
}

function putLine(
  response: ResponseState,
  field: FieldName,
  name: string,
  value: string,
  replace: boolean,
): void {
  const line = `${name}: ${value}\r\n`;
  const { _type: type, _fields: fields } = response;
  if (replace && response._names & field.bit) {
    const changed = replaceLines(fields, name, line);
    checkFieldsLength(type, changed.length, name);
    response._fields = changed;
    return;
  }
  checkFieldsLength(type, fields.length + name.length + value.length, name);
  response._fields = fields + line;
  response._names |= field.bit;
}

/** `line` stands where the first field of this name stood, or at the end. */
function replaceLines(fields: string, name: string, line: string): string {
  const key = name.toLowerCase();
  let changed = '';
  let placed = false;
  for (let at = 0, end = 0; at < fields.length; at = end) {
    end = fields.indexOf('\r\n', at) + 2;
    const behind = at + name.length;
    if (fields.charCodeAt(behind) !== COLON || fields.slice(at, behind).toLowerCase() !== key) {
      changed += fields.slice(at, end);
    } else if (!placed) {
      changed += line;
      placed = true;
      if (key === 'set-cookie') warnOfCookie();
    }
  }
  return placed ? changed : changed + line;
}

/** Cookies are lost without a trace in a program that was written when header() added. */
function warnOfCookie(): void {
  const message =
    "header('Set-Cookie') replaces the cookie that was set before: appendHeader() adds";
  deprecated('RINGPOLL_DEP_SET_COOKIE', message);
}

/**
 * Holds the length of all fields against the limit. A long `type` is sent as a field too.
 * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
 */
function checkFieldsLength(type: string, length: number, name: string): void {
  const ofType = type.length > TYPE_LENGTH_MAX ? type.length : 0;
  if (ofType + length <= FIELDS_LENGTH_MAX) return;
  throw outOfRange('the length of all headers', `at most ${FIELDS_LENGTH_MAX}`, name);
}
