// What a response has been told so far, and what has become of it.
import { Pieces } from '../runtime/pieces.js';
import type { HttpRequest } from './request.js';
import { keptBody } from './response_checks.js';
import type { Body, ResponseOutlet } from './response_outlet.js';

export const enum ResponseFlag {
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
  late = 1024, // its deadline has answered in the place of its handler
}

export const NOT_DECLARED = -1;
/** Pieces that are shorter share memory while they wait: bytes, or characters. */
const SMALL_LENGTH = 4 * 1024;

/** What few responses need. */
export interface ResponseExtras {
  declaredLength: number;
  sentLength: number;
  trailers: string;
  /** What was given before its turn came. */
  informational: string;
  waiting: (Body | Pieces)[];
  turnComes: { resolve(): void; reject(error: Error): void }[];
  /** Told when the connection is over before the response is. */
  dropped: ((error: Error) => void) | undefined;
  /** Told when the peer has ended its side (`half`), or left, before the response has ended. */
  left: ((half: boolean) => void) | undefined;
  /** Told when the response has ended, or the connection before it. */
  done: (() => void) | undefined;
  /** The same, for those that only look on. */
  observer: { _over(): void } | undefined;
}

/** An HttpResponse, as the framing and the fields see it. */
export interface ResponseState {
  readonly _outlet: ResponseOutlet<ResponseState>;
  readonly _request: HttpRequest;
  _flags: number;
  _status: number;
  /** Content-Type; '' for none. */
  _type: string;
  /** The other header fields, as whole lines. */
  _fields: string;
  /** A bit for each name in `_fields`; names may share one. */
  _names: number;
  _extras: ResponseExtras | undefined;
  /** When its request came, in nanoseconds, if it is measured and has outlasted its turn. */
  _since: number | undefined;
}

function newExtras(): ResponseExtras {
  return {
    declaredLength: NOT_DECLARED,
    sentLength: 0,
    trailers: '',
    informational: '',
    waiting: [],
    turnComes: [],
    dropped: undefined,
    left: undefined,
    done: undefined,
    observer: undefined,
  };
}

export function extrasOf(response: ResponseState): ResponseExtras {
  response._extras ??= newExtras();
  return response._extras;
}

/** It is over, in one way or the other. */
export function tellDone({ _extras: extras }: ResponseState): void {
  if (extras === undefined) return;
  const { done, observer } = extras;
  extras.done = extras.observer = undefined;
  done?.();
  observer?._over();
}

/** A body, or a piece of one, is given before the turn of its response has come. */
export function sendLater(response: ResponseState, data: Body): void {
  const { waiting } = extrasOf(response);
  if (!(response._flags & ResponseFlag.streaming) || data.length >= SMALL_LENGTH) {
    waiting.push(keptBody(data));
    response._outlet.waits(data.length);
    return;
  }
  // There may be many, and an object for each costs more than they do.
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  let last = waiting.at(-1);
  if (!(last instanceof Pieces)) {
    last = new Pieces();
    waiting.push(last);
  }
  last.give(bytes);
  response._outlet.waits(bytes.length);
}

export function takeWaiting({ _extras: extras, _outlet: outlet }: ResponseState): Body[] {
  const parts = extras?.waiting.splice(0) ?? [];
  const pieces = parts.flatMap((part) => (part instanceof Pieces ? part.take() : [part]));
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length > 0) outlet.waits(-length);
  return pieces;
}
