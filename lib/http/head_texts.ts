// The beginning of a response's head, which is the same for a whole second: status line, Server,
// Date, Content-Type, up to the number of Content-Length.
import { httpDate } from './date.js';
import { statusLine } from './tables.js';

const TYPES_KEPT_MAX = 64;
const LENGTHS_KEPT = 4096;

const lengths: string[] = [];

/** `13\r\n\r\n`: the end of a head without further fields. */
export function lengthAndEnd(length: number): string {
  if (length >= LENGTHS_KEPT) return `${length}\r\n\r\n`;
  let text = lengths[length];
  if (text === undefined) {
    while (lengths.length < length) lengths.push(undefined as never);
    text = flat(`${length}\r\n\r\n`);
    lengths[length] = text;
  }
  return text;
}

/** Concatenation only notes its parts; a text that is used often should be one piece. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

export class HeadTexts {
  readonly #serverLine: string;
  #date = '';
  #common = '';
  readonly #byStatus = new Map<number, Map<string, string>>();
  #lastStatus = 0;
  #lastType = '';
  #lastText = '';

  constructor(serverLine: string) {
    this.#serverLine = serverLine;
  }

  /** Looks at the clock: once a turn is enough. */
  refresh(): void {
    const date = httpDate();
    if (date === this.#date) return;
    this.#date = date;
    this.#common = flat(`${this.#serverLine}Date: ${date}\r\n`);
    this.#byStatus.clear();
    this.#lastStatus = 0;
  }

  /** Server and Date, or one of them. */
  common(server = true, date = true): string {
    if (server && date) return this.#common;
    return (server ? this.#serverLine : '') + (date ? `Date: ${this.#date}\r\n` : '');
  }

  upToLength(status: number, contentType: string): string {
    if (status === this.#lastStatus && contentType === this.#lastType) return this.#lastText;
    this.#lastText = this.#find(status, contentType);
    this.#lastStatus = status;
    this.#lastType = contentType;
    return this.#lastText;
  }

  #find(status: number, contentType: string): string {
    let byType = this.#byStatus.get(status);
    if (byType === undefined) {
      byType = new Map();
      this.#byStatus.set(status, byType);
    }
    let text = byType.get(contentType);
    if (text === undefined) {
      const type = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`;
      text = flat(`${statusLine(status)}${this.#common}${type}Content-Length: `);
      if (byType.size < TYPES_KEPT_MAX) byType.set(contentType, text);
    }
    return text;
  }
}
