// Checks of what handlers give to a response.
import { isUint8Array } from 'node:util/types';
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { lengthOf } from '../runtime/staging.js';
import { WINDOW_BYTES } from '../tcp/awaited.js';
import { checkObject } from '../tcp/options.js';
import { fieldLine } from './header_fields.js';
import type { Body } from './response_outlet.js';
import { statusLine } from './tables.js';

export function bytesOf(data: Body | undefined): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : lengthOf(data);
}

/** The caller may use its memory again as soon as the call has returned, unless there is much. */
export function keptBody(data: Body): Body {
  return typeof data === 'string' || lengthOf(data) > WINDOW_BYTES ? data : Buffer.from(data);
}

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE */
export function checkBody(name: string, body: unknown): asserts body is Uint8Array {
  if (!isUint8Array(body)) {
    throw invalidArgType(name, 'a string or a Uint8Array', body);
  }
}

export function lengthError(declared: number, actual: number): RingpollError {
  return new RingpollError(
    'ERR_RINGPOLL_HTTP_CONTENT_LENGTH',
    `Content-Length says ${declared} bytes, but the body has ${actual}`,
  );
}

export function sharedError(): RingpollError {
  return new RingpollError(
    'ERR_RINGPOLL_HTTP_SHARED_CONNECTION',
    'sendWith() writes to the connection, which HTTP/2 shares among responses: use write()',
  );
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_OUT_OF_RANGE */
export function checkInteger(name: string, value: unknown, from: number, to: number): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!Number.isInteger(value) || value < from || value > to) {
    throw outOfRange(name, `an integer from ${from} to ${to}`, value);
  }
}

/** The whole of an informational response. @throws TypeError, RangeError */
export function informationalText(status: number, headers: Record<string, string>): string {
  checkInteger('status', status, 100, 199);
  if (status === 101) throw outOfRange('status', 'anything but 101, which upgrade() sends', status);
  checkObject('headers', headers);
  let text = statusLine(status);
  for (const [name, value] of Object.entries(headers)) text += fieldLine(name, value);
  return `${text}\r\n`;
}
