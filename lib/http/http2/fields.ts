// The head of a response in the words of HTTP/2: from the lines that a handler has set.
import type { OutgoingHttpHeaders } from 'node:http2';
import { HeadVariant } from '../templates.js';

/** RFC 9113, section 8.2.2: they are about a connection of HTTP/1.1. */
const NOT_SENT = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
const LINE_END = '\r\n';

/** Adds each line of 'Name: value'; several of one name become a list. */
export function addLines(headers: OutgoingHttpHeaders, lines: string): void {
  for (let at = 0, end = 0; at < lines.length; at = end + LINE_END.length) {
    end = lines.indexOf(LINE_END, at);
    const colon = lines.indexOf(':', at);
    const name = lines.slice(at, colon).toLowerCase();
    if (NOT_SENT.includes(name)) continue;
    const value = lines.slice(colon + 2, end);
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
}

/** `serverLine` is 'Server: ...' with its line end, or ''. */
export function headOf(
  status: number,
  variant: number,
  type: string,
  serverLine: string,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null);
  headers[':status'] = status;
  if (!(variant & HeadVariant.ownServer)) addLines(headers, serverLine);
  if (type !== '') headers['content-type'] = type;
  return headers;
}
