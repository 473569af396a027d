// The body of a response on its way to whoever reads it.
import { RingpollError } from '../errors.js';
import { runtime } from '../runtime/runtime.js';
import type { Chunk } from '../tcp/chunk.js';
import { overLimit } from './errors.js';

/** Unread bytes beyond which the socket is not read; it is again at half of them. */
export const UNREAD_BYTES_MAX = 256 * 1024;
/** A body that announces at most this much gets its memory at once. */
const WHOLE_AT_ONCE_MAX = 16 * 1024 * 1024;

/** What brings the bytes, and can be told to wait, or to bring no more. */
export interface BodySource {
  pauseBody(): void;
  resumeBody(): void;
  dropBody(): void;
}

/** Takes the pieces as they come. */
export interface BodySink {
  /** The chunk is valid until this returns. */
  data(chunk: Chunk): void;
  end(): void;
  fail(error: Error): void;
}

/** Gathers a body in one piece of memory. */
class Whole implements BodySink {
  readonly promise: Promise<Buffer>;
  #bytes: Buffer;
  #length = 0;
  readonly #limit: number;
  readonly #over: () => void;
  #resolve: (bytes: Buffer) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(announced: number, limit: number, over: () => void) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(announced, WHOLE_AT_ONCE_MAX));
    this.#limit = limit;
    this.#over = over;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  data(chunk: Chunk): void {
    const length = this.#length + chunk.length;
    if (length > this.#limit) {
      this.#over();
      return;
    }
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length, 16 * 1024));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk._slab.copy(this.#bytes, this.#length, chunk._offset, chunk._offset + chunk.length);
    this.#length = length;
  }

  end(): void {
    const { length } = this.#bytes;
    this.#resolve(length === this.#length ? this.#bytes : this.#bytes.subarray(0, this.#length));
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}

/** Takes nothing: the rest is read and dropped. */
const NOBODY: BodySink = { data() {}, end() {}, fail() {} };

export class ResponseBody {
  readonly #source: BodySource;
  readonly #announced: number;
  #kept: Chunk[] = [];
  #keptBytes = 0;
  #paused = false;
  #sink: BodySink | undefined;
  #complete = false;
  #error: Error | undefined;

  constructor(source: BodySource, announced: number) {
    this.#source = source;
    this.#announced = announced;
  }

  get used(): boolean {
    return this.#sink !== undefined;
  }

  push(chunk: Chunk): void {
    if (this.#sink !== undefined && this.#kept.length === 0) {
      this.#sink.data(chunk);
      chunk._endTurn(runtime().checked);
      return;
    }
    chunk._keep();
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > UNREAD_BYTES_MAX) this.pause();
  }

  finish(): void {
    this.#complete = true;
    if (this.#kept.length === 0) this.#sink?.end();
  }

  fail(error: Error): void {
    if (this.#complete || this.#error !== undefined) return;
    this.#error = error;
    if (this.#kept.length === 0) this.#sink?.fail(error);
  }

  pause(): void {
    if (this.#paused || this.#complete) return;
    this.#paused = true;
    this.#source.pauseBody();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#complete && this.#error === undefined) this.#source.resumeBody();
  }

  /** From here on the sink has the bytes: those that have come, at once. */
  give(sink: BodySink): void {
    if (this.used) {
      throw new RingpollError('ERR_RINGPOLL_HTTP_BODY_USED', 'The body has been read already');
    }
    this.#sink = sink;
    const { checked } = runtime();
    for (const chunk of this.#kept) {
      sink.data(chunk);
      chunk.release();
      chunk._endTurn(checked);
    }
    this.#kept = [];
    this.#keptBytes = 0;
    if (this.#error !== undefined) sink.fail(this.#error);
    else if (this.#complete) sink.end();
    else this.resume();
  }

  /** The body in one piece. @returns rejects when it is larger than `limit` bytes */
  whole(limit: number): Promise<Buffer> {
    const over = () => {
      this.fail(overLimit('limit'));
      this.drop();
    };
    if (this.#announced > limit) {
      this.#sink ??= NOBODY;
      this.drop();
      return Promise.reject(overLimit('limit'));
    }
    const whole = new Whole(this.#announced, limit, over);
    this.give(whole);
    return whole.promise;
  }

  /** Nobody wants the rest. */
  drop(): void {
    this.#sink = NOBODY;
    for (const chunk of this.#kept.splice(0)) chunk.release();
    if (!this.#complete && this.#error === undefined) this.#source.dropBody();
  }
}
