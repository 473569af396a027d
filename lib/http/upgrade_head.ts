// What is sent before a connection becomes the handler's.
import { HeadFlag } from '../runtime/protocol.js';
import { flagsOf } from './head.js';
import { fieldLine } from './header_fields.js';
import type { HttpRequest } from './request.js';
import { statusLine } from './tables.js';

/** 200 to CONNECT, 101 to others; `fields` are whole lines that were set before. */
export function upgradeHead(
  request: HttpRequest,
  fields: string,
  headers: Record<string, string | readonly string[]>,
): string {
  const isConnect = request.method === 'CONNECT';
  let text = statusLine(isConnect ? 200 : 101) + fields;
  for (const [name, value] of Object.entries(headers)) {
    const values: readonly string[] = Array.isArray(value) ? value : [value];
    for (const each of values) text += fieldLine(name, each);
  }
  // RFC 9110 section 7.8: who waits for 100 gets it before 101.
  const expects = !isConnect && (flagsOf(request) & HeadFlag.expectContinue) !== 0;
  return `${expects ? `${statusLine(100)}\r\n` : ''}${text}\r\n`;
}
