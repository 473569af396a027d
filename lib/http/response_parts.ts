// What a response is made of besides its methods: its states, and what only few of them need.
import { isUint8Array } from 'node:util/types';
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { HeadFlag } from '../runtime/protocol.js';
import { lengthOf } from '../runtime/staging.js';
import { checkObject } from '../tcp/options.js';
import { fieldLine } from './header_fields.js';
import { WINDOW_BYTES } from './large_body.js';
import { statusLine } from './tables.js';
import { HeadVariant } from './templates.js';

/** What has become of it, and what its head needs. */
export const enum Flag {
  streaming = 1, // its head cannot be changed any more
  ended = 2,
  first = 4, // it may be written: those before it are out
  headOut = 8,
  close = 16, // the connection ends with it
  ownDate = 32,
  ownServer = 64,
  chunked = 128,
  untilClose = 256, // the end of the connection is the end of the body
  dropped = 512, // the connection was over before it
}

export const NOT_DECLARED = -1;
const FIELDS_LENGTH_MAX = 32 * 1024;
export const TYPE_LENGTH_MAX = 256;
export const COMMAND_LENGTH_MAX = 2 ** 31 - 1;

export type Body = string | Uint8Array;

/** What few responses need. */
export interface Rare {
  declaredLength: number;
  sentLength: number;
  trailers: string;
  /** What was given before its turn came. */
  informational: string;
  waiting: Body[];
  turnComes: { resolve(): void; reject(error: Error): void }[];
  /** Told when the connection is over before the response is. */
  dropped: ((error: Error) => void) | undefined;
}

export function bytesOf(data: Body | undefined): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : lengthOf(data);
}

export function newRare(): Rare {
  return {
    declaredLength: NOT_DECLARED,
    sentLength: 0,
    trailers: '',
    informational: '',
    waiting: [],
    turnComes: [],
    dropped: undefined,
  };
}

/** The caller may use its memory again as soon as the call has returned, unless there is much. */
function kept(data: Body): Body {
  return typeof data === 'string' || lengthOf(data) > WINDOW_BYTES ? data : Buffer.from(data);
}

/** Who hears how much waits for its turn: bytes, or characters. */
interface Counts {
  waits(length: number): void;
}

/** A body, or a piece of one, is given before the turn of its response has come. */
export function later(rare: Rare, of: Counts, data: Body): void {
  rare.waiting.push(kept(data));
  of.waits(data.length);
}

export function takeWaiting(rare: Rare | undefined, of: Counts): Body[] {
  const pieces = rare?.waiting.splice(0) ?? [];
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length > 0) of.waits(-length);
  return pieces;
}

export function checkBody(name: string, body: unknown): asserts body is Uint8Array {
  if (!isUint8Array(body)) {
    throw invalidArgType(name, 'a string or a Uint8Array', body);
  }
}

/** How the head of a response differs from the plain one, by its flags and the request's. */
export function variantOf(flags: number, requested: number): number {
  let variant: number = HeadVariant.plain;
  if (flags & Flag.close) variant = HeadVariant.close;
  else if (!(requested & HeadFlag.version11)) variant = HeadVariant.keepAlive;
  if (flags & Flag.ownDate) variant |= HeadVariant.ownDate;
  if (flags & Flag.ownServer) variant |= HeadVariant.ownServer;
  return variant;
}

export function lengthError(declared: number, actual: number): RingpollError {
  return new RingpollError(
    'ERR_RINGPOLL_HTTP_CONTENT_LENGTH',
    `Content-Length says ${declared} bytes, but the body has ${actual}`,
  );
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_OUT_OF_RANGE */
export function checkInteger(name: string, value: unknown, from: number, to: number): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!Number.isInteger(value) || value < from || value > to) {
    throw outOfRange(name, `an integer from ${from} to ${to}`, value);
  }
}

/**
 * Holds a field that is added to `fields` against the limit. A long `type` is sent as a field too.
 * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
 */
export function checkFieldsLength(type: string, fields: string, name: string, value: string): void {
  const ofType = type.length > TYPE_LENGTH_MAX ? type.length : 0;
  if (ofType + fields.length + name.length + value.length <= FIELDS_LENGTH_MAX) return;
  throw outOfRange('the length of all headers', `at most ${FIELDS_LENGTH_MAX}`, name);
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
