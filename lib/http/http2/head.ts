// The head of an HTTP/2 request as a record like those that native code writes for HTTP/1.1, so
// that all that reads one reads this one too. What HTTP/2 itself forbids, node:http2 has refused.

import type { HttpRefusalCode } from '../../errors.js';
import { FIELD_WORDS, Head, HeadFlag } from '../../runtime/protocol.js';
import { type HttpRequestError, refusalOf } from '../errors.js';
import type { HeadView } from '../head.js';
import { HEADER_IDS, METHODS } from '../tables.js';
import type { Http2Limits } from './options.js';

/** What lines of HTTP/1.1 have besides: a colon and a space, and their end. */
const LINE_BYTES = 4;
const ID_SHIFT = 16;
const TARGET = /^[\x21\x22\x24-\x7e]+$/;
/** RFC 3986, section 3.2: a name or an address, and a port. */
const HOST = /^(?:\[[\da-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[\da-f]{2})*)(?::\d{0,5})?$/i;
const METHOD_NONE = 0;

type Refused = { refused: HttpRequestError };

export interface MadeHead extends HeadView {
  /** Content-Length; 0 without one. */
  announced: number;
}

function refuse(code: `ERR_RINGPOLL_HTTP_${string}`): Refused {
  return { refused: refusalOf(code) };
}

/** Name, value, name, value, ..., pseudo headers among them; `hasBody`: bytes follow. */
export function makeHead(
  raw: readonly string[],
  hasBody: boolean,
  limits: Http2Limits,
): MadeHead | Refused {
  const pseudo: Record<string, string> = {};
  const fields: string[] = [];
  let host: string | undefined;
  let announced: string | undefined;
  let expects: string | undefined;
  let length = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i], raw[i + 1]];
    length += name.length + value.length + LINE_BYTES;
    if (name.charCodeAt(0) === COLON) {
      pseudo[name] = value;
      continue;
    }
    fields.push(name, value);
    if (name === 'host') {
      if (host !== undefined) return refuse('ERR_RINGPOLL_HTTP_HOST_REPEATED');
      host = value;
    } else if (name === 'content-length') announced = value;
    else if (name === 'expect') expects = value;
  }
  if (length > limits.headBytesMax) return refuse('ERR_RINGPOLL_HTTP_HEAD_TOO_LARGE');
  if (fields.length / 2 > limits.headersMax) return refuse('ERR_RINGPOLL_HTTP_HEADERS_TOO_MANY');
  const { ':method': method = '', ':path': target = '', ':authority': authority } = pseudo;
  const wrong =
    wrongTarget(method, target, limits) ??
    wrongHost(host, authority) ??
    wrongBody(method, hasBody, announced, expects, limits);
  if (wrong !== undefined) return refuse(wrong);
  if (host === undefined) fields.unshift('host', authority as string);
  const flags =
    HeadFlag.keepAlive |
    HeadFlag.version11 |
    (hasBody ? HeadFlag.hasBody : 0) |
    (announced === undefined ? 0 : HeadFlag.contentLength) |
    (hasBody && expects !== undefined ? HeadFlag.expectContinue : 0);
  return record(method, target, fields, flags, Number(announced ?? 0));
}

const COLON = 0x3a;

function wrongTarget(
  method: string,
  target: string,
  { targetBytesMax, unknownMethods }: Http2Limits,
): HttpRefusalCode | undefined {
  if (method === 'CONNECT') return 'ERR_RINGPOLL_HTTP_CONNECT_REFUSED';
  if (!unknownMethods && !METHODS.includes(method)) return 'ERR_RINGPOLL_HTTP_METHOD_UNKNOWN';
  if (target.length > targetBytesMax) return 'ERR_RINGPOLL_HTTP_TARGET_TOO_LONG';
  if (!TARGET.test(target)) return 'ERR_RINGPOLL_HTTP_TARGET_INVALID';
  const fits = target.startsWith('/') || (target === '*' && method === 'OPTIONS');
  return fits ? undefined : 'ERR_RINGPOLL_HTTP_TARGET_FORM';
}

/** RFC 9113, section 8.3.1. */
function wrongHost(
  host: string | undefined,
  authority: string | undefined,
): HttpRefusalCode | undefined {
  const given = authority ?? host;
  if (given === undefined) return 'ERR_RINGPOLL_HTTP_HOST_MISSING';
  if (!HOST.test(given)) return 'ERR_RINGPOLL_HTTP_HOST_INVALID';
  const same = host === undefined || host.toLowerCase() === given.toLowerCase();
  return same ? undefined : 'ERR_RINGPOLL_HTTP_HOST_MISMATCH';
}

const METHODS_WITH_LENGTH = ['POST', 'PUT', 'PATCH'];

function wrongBody(
  method: string,
  hasBody: boolean,
  announced: string | undefined,
  expects: string | undefined,
  { bodyBytesMax, lengthRequired }: Http2Limits,
): HttpRefusalCode | undefined {
  if (expects !== undefined && expects.toLowerCase() !== '100-continue') {
    return 'ERR_RINGPOLL_HTTP_EXPECTATION';
  }
  if (announced === undefined) {
    const lacks = lengthRequired && hasBody && METHODS_WITH_LENGTH.includes(method);
    return lacks ? 'ERR_RINGPOLL_HTTP_LENGTH_REQUIRED' : undefined;
  }
  if (!/^\d{1,15}$/.test(announced)) return 'ERR_RINGPOLL_HTTP_CONTENT_LENGTH_INVALID';
  return Number(announced) > bodyBytesMax ? 'ERR_RINGPOLL_HTTP_BODY_TOO_LARGE' : undefined;
}

function record(
  method: string,
  target: string,
  fields: readonly string[],
  flags: number,
  announced: number,
): MadeHead {
  const count = fields.length / 2;
  const words = new Uint32Array(Head.headers + FIELD_WORDS * count);
  const slab = Buffer.from(`${method}${target}${fields.join('')}`, 'latin1');
  const query = target.indexOf('?');
  words[Head.length] = slab.length;
  words[Head.flags] = flags | (target === '*' ? HeadFlag.targetMask : 0);
  words[Head.method] = Math.max(METHOD_NONE, METHODS.indexOf(method));
  words[Head.methodLength] = method.length;
  words[Head.targetOffset] = method.length;
  words[Head.targetLength] = target.length;
  words[Head.queryOffset] = query < 0 ? 0 : method.length + query;
  words[Head.contentLengthLow] = announced % 2 ** 32;
  words[Head.contentLengthHigh] = Math.floor(announced / 2 ** 32);
  words[Head.headerCount] = count;
  let at = method.length + target.length;
  for (let i = 0; i < count; i++) {
    const [name, value] = [fields[2 * i], fields[2 * i + 1]];
    const id = HEADER_IDS.get(name) ?? 0;
    const field = Head.headers + FIELD_WORDS * i;
    words[field] = at;
    words[field + 1] = name.length | (id << ID_SHIFT);
    words[field + 2] = at + name.length;
    words[field + 3] = value.length;
    at += name.length + value.length;
    if (id > 0) words[id < 32 ? Head.knownLow : Head.knownHigh] |= 1 << (id & 31);
    if (name === 'host') words[Head.hostIndex] = i + 1;
  }
  return { _words: words, _at: 0, _slab: slab, _offset: 0, announced };
}
