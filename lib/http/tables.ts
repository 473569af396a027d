// Names that native code knows by number.
import type { HttpRefusalCode } from '../errors.js';
import { native } from '../runtime/native.js';
import { statusText } from './status_texts.js';

const tables = native().httpTables();

export const METHODS: readonly string[] = tables.methods;
export const ERRORS = tables.errors as readonly {
  code: HttpRefusalCode;
  status: number;
  message: string;
}[];
export const HEADER_NAMES: readonly string[] = tables.headers;

/** Number of a header that native code knows, by its name in lower case. */
export const HEADER_IDS: ReadonlyMap<string, number> = new Map(
  tables.headers.map((name, id) => [name, id] as const).slice(1),
);

const statusLines = new Map<number, string>();

/** `HTTP/1.1 200 OK` and its line end. */
export function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${statusText(status)}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}
