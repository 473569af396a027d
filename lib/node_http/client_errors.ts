// What is wrong with a request, in the words that node:http has for it.
import type { HeadView } from '../http/head.js';
import { ERRORS, METHODS } from '../http/tables.js';
import { FIELD_WORDS, Head } from '../runtime/protocol.js';

interface Known {
  code: string;
  reason: string;
}

const CODES: Record<string, string> = {
  METHOD_INVALID: 'HPE_INVALID_METHOD',
  METHOD_UNKNOWN: 'HPE_INVALID_METHOD',
  TARGET_INVALID: 'HPE_INVALID_URL',
  TARGET_FORM: 'HPE_INVALID_URL',
  TARGET_TOO_LONG: 'HPE_HEADER_OVERFLOW',
  VERSION_MISSING: 'HPE_INVALID_VERSION',
  VERSION_INVALID: 'HPE_INVALID_VERSION',
  VERSION_UNSUPPORTED: 'HPE_INVALID_VERSION',
  LINE_END: 'HPE_LF_EXPECTED',
  LINE_FOLDING: 'HPE_INVALID_HEADER_TOKEN',
  HEADER_NAME: 'HPE_INVALID_HEADER_TOKEN',
  HEADER_NAME_SPACE: 'HPE_INVALID_HEADER_TOKEN',
  HEADER_VALUE: 'HPE_INVALID_HEADER_TOKEN',
  HEAD_TOO_LARGE: 'HPE_HEADER_OVERFLOW',
  HEADERS_TOO_MANY: 'HPE_HEADER_OVERFLOW',
  CONTENT_LENGTH_INVALID: 'HPE_INVALID_CONTENT_LENGTH',
  CONTENT_LENGTH_REPEATED: 'HPE_UNEXPECTED_CONTENT_LENGTH',
  TRANSFER_ENCODING_INVALID: 'HPE_INVALID_TRANSFER_ENCODING',
  TRANSFER_ENCODING_UNSUPPORTED: 'HPE_INVALID_TRANSFER_ENCODING',
  TRANSFER_ENCODING_VERSION: 'HPE_INVALID_TRANSFER_ENCODING',
  LENGTH_AND_TRANSFER_ENCODING: 'HPE_INVALID_TRANSFER_ENCODING',
  CHUNK_SIZE: 'HPE_INVALID_CHUNK_SIZE',
  CHUNK_END: 'HPE_STRICT',
  CHUNK_EXTENSION: 'HPE_INVALID_CHUNK_SIZE',
  CHUNK_EXTENSIONS_TOO_LARGE: 'HPE_CHUNK_EXTENSIONS_OVERFLOW',
  TRAILERS_TOO_LARGE: 'HPE_HEADER_OVERFLOW',
  TRAILERS_TOO_MANY: 'HPE_HEADER_OVERFLOW',
  UNEXPECTED_END: 'HPE_INVALID_EOF_STATE',
  HEADERS_TIMEOUT: 'ERR_HTTP_REQUEST_TIMEOUT',
  REQUEST_TIMEOUT: 'ERR_HTTP_REQUEST_TIMEOUT',
  HTTP2: 'HPE_PAUSED_H2_UPGRADE',
};

/** Sentences of node:http that programs may look for. */
const REASONS: Record<string, string> = {
  HPE_INVALID_METHOD: 'Invalid method encountered',
  HPE_HEADER_OVERFLOW: 'Header overflow',
};

const PREFIX = 'ERR_RINGPOLL_HTTP_';
const OTHERS = 'HPE_INVALID_CONSTANT';

/** An error as 'clientError' has it. */
export interface ClientError extends Error {
  code: string;
  reason?: string;
  bytesParsed?: number;
  rawPacket?: Buffer;
}

function knownOf(number: number): Known {
  const { code, message } = ERRORS[number];
  const known = CODES[code.slice(PREFIX.length)] ?? OTHERS;
  return { code: known, reason: REASONS[known] ?? message };
}

/** The error that native code knows by this number; `packet` are the bytes it was found in. */
export function clientError(number: number, packet: Buffer = Buffer.alloc(0)): ClientError {
  const { code, reason } = knownOf(number);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return Object.assign(new Error('Request timeout'), { code });
  }
  const error = new Error(`Parse Error: ${reason}`);
  const bytesParsed = code === 'HPE_INVALID_METHOD' ? methodBytes(packet) : packet.length;
  return Object.assign(error, { code, reason, bytesParsed, rawPacket: packet });
}

/** Bytes with which some method begins, and at least one: the next one is none's. */
function methodBytes(packet: Buffer): number {
  let length = 1;
  const isBegun = (text: string) => METHODS.some((method) => method.startsWith(text));
  while (length < packet.length && isBegun(packet.toString('latin1', 0, length + 1))) length++;
  return Math.min(length, packet.length);
}

function named(name: string): ClientError {
  return clientError(ERRORS.findIndex(({ code }) => code === PREFIX + name));
}

/** The peer has ended in the middle of a request. */
export const unexpectedEnd = (): ClientError => named('UNEXPECTED_END');

/** A complete head whose target, names and values have `limit` bytes or more. */
export function headTooLarge(
  { _words: words, _at: at, _slab: slab, _offset: offset }: HeadView,
  limit: number,
): ClientError {
  const length = words[at + Head.length];
  const rawPacket = Buffer.from(slab.subarray(offset, offset + length));
  let counted = words[at + Head.targetLength];
  let bytesParsed = length;
  for (let i = 0; i < words[at + Head.headerCount] && counted < limit; i++) {
    const field = at + Head.headers + FIELD_WORDS * i;
    counted += (words[field + 1] & 0xffff) + words[field + 3];
    // Node has read the line end behind the value by then.
    bytesParsed = words[field + 2] + words[field + 3] + 1;
  }
  return Object.assign(named('HEAD_TOO_LARGE'), { bytesParsed, rawPacket });
}

const STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is sent when nobody listens to 'clientError'. */
export function answerTo({ code }: { code?: string }): string {
  const status = STATUS[code ?? ''] ?? '400 Bad Request';
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
}
