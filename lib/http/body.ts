// The body of a request on its way to whoever reads it.
import { RingpollError } from '../errors.js';
import { Pieces } from '../runtime/pieces.js';
import { HeadFlag } from '../runtime/protocol.js';
import { HttpRequestError } from './errors.js';

/** Unread bytes beyond which reading from the socket pauses; it goes on at half of them. */
const UNREAD_BYTES_MAX = 256 * 1024;
/** So much of a body that nobody reads is worth waiting for. */
const DROPPED_BYTES_MAX = 64 * 1024;
/** A body that announces at most this much gets its memory with its first bytes. */
const WHOLE_AT_ONCE_MAX = 128 * 1024;
/** A longer one when this part of it has come: who promises much and sends little gets little. */
const WHOLE_PART = 1 / 8;
/** The longest one that is collected in one piece of memory from the start. */
const WHOLE_MAX = 1024 * 1024 * 1024;
/** What is left of a body from this size on is received straight into that memory. */
const INTO_MIN = 16 * 1024;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** What brings the bytes of a body, and can be told to wait. */
interface Source {
  pause(): void;
  resume(): void;
  /**
   * The rest of the body is received straight into its memory, where the source can do that:
   * filled() tells how much has come. undefined: not any more. Nothing may be left: the next body
   * of the connection is received so.
   */
  bodyInto?(body: RequestBody, whole: Buffer | undefined): boolean;
}

export class RequestBody {
  readonly #source: Source;
  readonly #announced: number;
  #pieces = new Pieces();
  #unread = 0;
  #received = 0;
  #complete = false;
  #error: Error | undefined;
  #waiting: Waiting | undefined;
  #discarding = false;
  #discarded = 0;
  #paused = false;
  /** Where the whole body goes, when its length is known and not too much. */
  #whole: Buffer | undefined;
  /** Somebody waits for the whole of it. */
  #collects = false;
  /** The source was asked to bring the rest of it there. */
  #asked = false;
  #limit = Number.POSITIVE_INFINITY;
  /** True once somebody reads. */
  used = false;
  /** The end of the response is not the body's: who reads goes on, and what is small is kept. */
  outlives = false;
  /** What it is read through, if there is such a thing: locked as soon as somebody reads. */
  through: { readonly locked: boolean } | undefined;
  /** The response has ended. */
  #kept = false;
  /** Trailer fields, there when the body is complete. */
  trailers: Record<string, string> = {};
  /** Runs when more is dropped than was worth waiting for. */
  tooMuch: (() => void) | undefined;
  /** Runs before the first read: the peer may be waiting for 100 Continue. */
  beforeRead: (() => void) | undefined;

  /** `announced` is its Content-Length, 0 when that is not known. */
  constructor(source: Source, announced: number) {
    this.#source = source;
    this.#announced = announced;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Complete, and every piece was kept. */
  get #isThere(): boolean {
    return this.#complete && this.#error === undefined;
  }

  get isRead(): boolean {
    return this.used || this.through?.locked === true;
  }

  /** Bytes are still to come that somebody reads, or may read. */
  get isAwaited(): boolean {
    return this.outlives && !this.#complete && !this.#discarding && this.#error === undefined;
  }

  /** Bytes that are known to be still to come. */
  get missing(): number {
    return this.#complete ? 0 : Math.max(0, this.#announced - this.#received);
  }

  /** Bytes have come; they are copied out of the receive block. */
  push(slab: Buffer, offset: number, length: number): void {
    this.#received += length;
    if (this.#discarding) {
      this.#drop(length);
      return;
    }
    if (this.#collects && this.#prepareWhole()) {
      slab.copy(this.#whole as Buffer, this.#received - length, offset, offset + length);
      this.#receiveDirectly();
      return;
    }
    this.#pieces.add(slab, offset, length);
    this.#unread += length;
    if (this.#received > this.#limit) {
      this.fail(tooLarge(this.#limit));
      this.discard();
    } else if (this.#kept && !this.isRead && this.#unread > DROPPED_BYTES_MAX) {
      this.forget();
      this.#tellTooMuch();
    } else if (this.#limit === Number.POSITIVE_INFINITY && this.#unread > UNREAD_BYTES_MAX) {
      this.#pause();
    }
    this.#wake();
  }

  /** Bytes have come straight into the memory of the whole. */
  filled(length: number): void {
    this.#received += length;
    if (this.#discarding) this.#drop(length);
  }

  #drop(length: number): void {
    this.#discarded += length;
    if (this.#discarded > DROPPED_BYTES_MAX) this.#tellTooMuch();
  }

  #tellTooMuch(): void {
    this.tooMuch?.();
    this.tooMuch = undefined;
  }

  finish(): void {
    this.#complete = true;
    // What comes next is another request's, and may be all that its handler waits for.
    this.#resume();
    this.#wake();
  }

  fail(error: Error): void {
    if (this.#complete || this.#error !== undefined) return;
    this.#error = error;
    this.#resume();
    this.#wake();
  }

  /** Nobody will read the rest. */
  discard(): void {
    this.#discarding = true;
    this.#pieces = new Pieces();
    this.#unread = 0;
    if (this.#asked && !this.#complete) this.#source.bodyInto?.(this, undefined);
    this.#collects = false;
    this.#whole = undefined;
    this.#resume();
  }

  /** The response has ended, and the request has not. False: it is as good as forgotten. */
  outlive(): boolean {
    if (!this.isAwaited || (!this.isRead && this.#unread > DROPPED_BYTES_MAX)) return false;
    this.#kept = true;
    return true;
  }

  /** The response has ended: whoever still reads is told, and does not get a part for the whole. */
  forget(): void {
    const message = 'The response ended before the body of its request had been read';
    this.fail(new RingpollError('ERR_RINGPOLL_HTTP_REQUEST_OVER', message));
    this.discard();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  #pause(): void {
    if (this.#paused || this.#complete) return;
    this.#paused = true;
    this.#source.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  #begin(): void {
    if (this.used) {
      throw new RingpollError('ERR_RINGPOLL_HTTP_BODY_USED', 'The body has been read already');
    }
    this.used = true;
    this.beforeRead?.();
  }

  /**
   * Of a length that is announced, what has come when there is memory for the whole is copied, and
   * the rest is received straight into it. Everything else is copied twice.
   */
  async whole(limit: number): Promise<Buffer> {
    this.#begin();
    if (this.#announced > limit || this.#received > limit) {
      this.discard();
      throw tooLarge(limit);
    }
    this.#limit = limit;
    this.#collects = true;
    if (this.#received > 0 && this.#prepareWhole()) this.#receiveDirectly();
    this.#resume();
    while (!this.#isThere) await this.#more();
    if (this.#whole !== undefined) return this.#whole;
    const pieces = this.#pieces.take();
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** Whether there is memory for the whole of it, with what has come before in its place. */
  #prepareWhole(): boolean {
    if (this.#whole !== undefined) return true;
    const bytes = this.#announced;
    if (this.#complete || bytes === 0 || bytes > WHOLE_MAX) return false;
    if (bytes > WHOLE_AT_ONCE_MAX && this.#received < bytes * WHOLE_PART) return false;
    const whole = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const piece of this.#pieces.take()) at += piece.copy(whole, at);
    this.#unread = 0;
    this.#whole = whole;
    return true;
  }

  #receiveDirectly(): void {
    if (this.#asked || this.#announced < INTO_MIN || this.#whole === undefined) return;
    this.#asked = true;
    this.#source.bodyInto?.(this, this.#whole);
  }

  async *stream(): AsyncGenerator<Buffer, void, undefined> {
    this.#begin();
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#unread -= piece.length;
          if (this.#unread <= UNREAD_BYTES_MAX / 2) this.#resume();
          yield piece;
        } else if (this.#isThere) {
          return;
        } else {
          await this.#more();
        }
      }
    } finally {
      if (!this.#complete) this.discard();
    }
  }

  /** Resolves when something has come; what has come before an error is there first. */
  async #more(): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    if (this.#error !== undefined && this.#pieces.empty) throw this.#error;
  }
}

/**
 * Whether the connection ends with the response to a request with these flags: the rest of a body
 * that nobody reads is not waited for if it is long, or may never come.
 */
export function mustCloseAfter(body: RequestBody, flags: number): boolean {
  if (body.complete) return false;
  // Who reads goes on behind the response.
  if (body.isRead && body.isAwaited) return false;
  if (flags & HeadFlag.expectContinue && !body.used) return true;
  return body.missing > DROPPED_BYTES_MAX;
}

function tooLarge(limit: number): HttpRequestError {
  const message = `The body is larger than ${limit} bytes`;
  return new HttpRequestError('ERR_RINGPOLL_HTTP_BODY_TOO_LARGE', 413, message);
}
