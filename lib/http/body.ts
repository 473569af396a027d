// The body of a request on its way to whoever reads it.
import { RingpollError } from '../errors.js';
import type { Connection } from '../tcp/connection.js';

/** Unread bytes beyond which reading from the socket pauses. */
const UNREAD_BYTES_MAX = 256 * 1024;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export class RequestBody {
  readonly #connection: Connection;
  #pieces: Buffer[] = [];
  #unread = 0;
  #complete = false;
  #error: Error | undefined;
  #waiting: Waiting | undefined;
  #discarding = false;
  #paused = false;
  #whole = false;
  /** True once somebody reads. */
  used = false;
  /** Trailer fields, there when the body is complete. */
  trailers: Record<string, string> = {};
  /** Runs before the first read: the peer may be waiting for 100 Continue. */
  beforeRead: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Bytes have come; they are copied out of the receive block. */
  push(slab: Buffer, offset: number, length: number): void {
    if (this.#discarding) return;
    this.#pieces.push(Buffer.from(slab.subarray(offset, offset + length)));
    this.#unread += length;
    if (!this.#whole && this.#unread > UNREAD_BYTES_MAX && !this.#paused) {
      this.#paused = true;
      this.#connection.pause();
    }
    this.#wake();
  }

  finish(): void {
    this.#complete = true;
    this.#wake();
  }

  fail(error: Error): void {
    if (this.#complete) return;
    this.#error = error;
    this.#wake();
  }

  /** Nobody will read the rest. */
  discard(): void {
    this.#discarding = true;
    this.#pieces = [];
    this.#unread = 0;
    this.#resume();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection.resume();
  }

  #begin(): void {
    if (this.used) {
      throw new RingpollError('ERR_RINGPOLL_HTTP_BODY_USED', 'The body has been read already');
    }
    this.used = true;
    this.beforeRead?.();
  }

  async whole(): Promise<Buffer> {
    this.#begin();
    this.#whole = true; // its size is limited by maxBodyBytes
    this.#resume();
    while (!this.#complete) await this.#more();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  async *stream(): AsyncGenerator<Buffer, void, undefined> {
    this.#begin();
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#unread -= piece.length;
          yield piece;
        } else if (this.#complete) {
          return;
        } else {
          this.#resume();
          await this.#more();
        }
      }
    } finally {
      if (!this.#complete) this.discard();
    }
  }

  async #more(): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    if (this.#error !== undefined && this.#pieces.length === 0) throw this.#error;
  }
}
