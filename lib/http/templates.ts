// The beginnings of responses' heads, which native code keeps ready under a number: status line,
// Server, Date, Content-Type, Connection.
import type { Runtime } from '../runtime/runtime.js';
import { statusLine } from './tables.js';

/** What a head has besides its status and type. */
export const enum HeadVariant {
  plain = 0,
  close = 1, // Connection: close
  keepAlive = 2, // Connection: keep-alive, which HTTP/1.0 wants to hear
  ownDate = 4, // the handler has set Date
  ownServer = 8, // the handler has set Server
}

const VARIANT_BITS = 4;
/** Beyond this many, Content-Type is sent as any other field. */
const TYPES_KEPT_MAX = 256;
const NO_DATE = 2 ** 32 - 1;
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

export interface HeadText {
  bytes: Uint8Array;
  dateOffset: number;
}

/** What all heads of a server say. */
export interface HeadLines {
  /** 'Server: ringpoll\r\n' or ''. */
  serverLine: string;
  /** Of a connection that stays; '' for none. */
  keepAliveLines: string;
}

/** A head with room for the Date's value, up to where Content-Length may follow. */
export function headText(
  status: number,
  lines: HeadLines,
  contentType: string,
  variant: number,
): HeadText {
  let text = statusLine(status);
  if (!(variant & HeadVariant.ownServer)) text += lines.serverLine;
  let dateOffset = NO_DATE;
  if (!(variant & HeadVariant.ownDate)) {
    dateOffset = text.length + 'Date: '.length;
    text += `Date: ${DATE}\r\n`;
  }
  if (contentType !== '') text += `Content-Type: ${contentType}\r\n`;
  if (variant & HeadVariant.close) text += 'Connection: close\r\n';
  else if (lines.keepAliveLines !== '') text += lines.keepAliveLines;
  else if (variant & HeadVariant.keepAlive) text += 'Connection: keep-alive\r\n';
  return { bytes: Buffer.from(text, 'latin1'), dateOffset };
}

/** Finds the head of a response by its status, its variant and its Content-Type. */
export interface HeadFinder {
  /** A number; -1: ask without a type. */
  find(status: number, variant: number, contentType: string): number;
}

export class Templates implements HeadFinder {
  readonly #runtime: Runtime;
  readonly #lines: HeadLines;
  readonly #numbers = new Map<number, Map<string, number>>();
  #typesKept = 0;
  #lastKey = -1;
  #lastType = '';
  #lastNumber = 0;
  /** Native code's number of the listener. */
  endpointId = -1;

  constructor(runtime: Runtime, lines: HeadLines) {
    this.#runtime = runtime;
    this.#lines = lines;
  }

  /** The number of a head; -1: too many types are known already, ask without one. */
  find(status: number, variant: number, contentType: string): number {
    const key = (status << VARIANT_BITS) | variant;
    if (key === this.#lastKey && contentType === this.#lastType) return this.#lastNumber;
    let byType = this.#numbers.get(key);
    if (byType === undefined) {
      byType = new Map();
      this.#numbers.set(key, byType);
    }
    let number = byType.get(contentType);
    if (number === undefined) {
      if (contentType !== '' && ++this.#typesKept > TYPES_KEPT_MAX) return -1;
      const { bytes, dateOffset } = headText(status, this.#lines, contentType, variant);
      number = this.#runtime.native.httpTemplate(this.endpointId, bytes, dateOffset);
      byType.set(contentType, number);
    }
    this.#lastKey = key;
    this.#lastType = contentType;
    this.#lastNumber = number;
    return number;
  }
}
