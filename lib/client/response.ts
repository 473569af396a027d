// A response: its head is read from where it was received, when it is asked for.
import { RingpollError } from '../errors.js';
import {
  contentLengthOf,
  fieldValue,
  findHeader,
  headerCountOf,
  nameOf,
  rawNameOf,
} from '../http/head.js';
import { Head } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { Chunk } from '../tcp/chunk.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import type { BodySink, ResponseBody } from './body.js';
import { piecesOf } from './body_stream.js';
import { overLimit } from './errors.js';
import { copyOut } from './head_copy.js';

/** Bytes of a body that text(), json() and their like take, unless they are told otherwise. */
export const WHOLE_BODY_BYTES_MAX = 128 * 1024 * 1024;

/** Bytes of a body that nobody wants, which are read all the same. */
const WORTH_READING_MAX = 64 * 1024;

const BOM = 0xfeff;

interface Latin1 {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** Gives the connection of an upgrade or a tunnel away. */
export interface Tunnel {
  handOver<Data>(handlers: Handlers<Data>): Connection<Data>;
}

// A head.HeadView without saying so: members that are internal are not in the types of the package.
/**
 * The response to a request. The body is read once, by one of text(), json(), bytes(),
 * arrayBuffer(), a loop, or dump(); a connection whose body nobody reads is not used again.
 */
export class ClientResponse {
  /** @internal */
  _words: Uint32Array;
  /** @internal */
  _at: number;
  /** @internal */
  _slab: Buffer;
  /** @internal */
  _offset: number;
  /** @internal Bytes of a body that lies right behind the head; -1: it comes in pieces. */
  _along: number;
  /** @internal */
  _body: ResponseBody | undefined = undefined;
  /** @internal */
  _tunnel: Tunnel | undefined = undefined;
  /** @internal */
  _used = false;
  /** @internal Nobody will look at it again. */
  _over = false;
  /** The status code, 101 to 999. */
  readonly status: number;
  #headers: Record<string, string | string[]> | undefined = undefined;
  #trailers: Record<string, string> | undefined = undefined;

  /** @internal */
  constructor(words: Uint32Array, at: number, slab: Buffer, offset: number, along: number) {
    this._words = words;
    this._at = at;
    this._slab = slab;
    this._offset = offset;
    this._along = along;
    this.status = words[at + Head.method];
  }

  /** Whether the status is one of success: 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The reason phrase as the server has sent it. */
  get statusText(): string {
    const start = this._offset + this._words[this._at + Head.methodOffset];
    const length = this._words[this._at + Head.methodLength];
    return (this._slab as Buffer & Latin1).latin1Slice(start, start + length);
  }

  /**
   * The headers by their names in lower case. Several of one name are joined by ', ', but for
   * Set-Cookie, which is an array.
   */
  get headers(): Readonly<Record<string, string | string[]>> {
    if (this.#headers !== undefined) return this.#headers;
    const headers: Record<string, string | string[]> = Object.create(null);
    for (let i = 0; i < headerCountOf(this); i++) {
      const name = nameOf(this, i);
      const value = fieldValue(this, i);
      const before = headers[name];
      if (name === 'set-cookie')
        headers[name] = before === undefined ? [value] : [...before, value];
      else headers[name] = before === undefined ? value : `${before}, ${value}`;
    }
    this.#headers = headers;
    return headers;
  }

  /** One header; several of its name are joined by ', '. Decodes no other. */
  header(name: string): string | undefined {
    return findHeader(this, name.toLowerCase());
  }

  /** Name, value, name, value, ... as they were sent. */
  rawHeaders(): string[] {
    const raw: string[] = [];
    for (let i = 0; i < headerCountOf(this); i++) raw.push(rawNameOf(this, i), fieldValue(this, i));
    return raw;
  }

  /** Trailer fields by their names in lower case; there when the body has been read. */
  get trailers(): Readonly<Record<string, string>> {
    this.#trailers ??= {};
    return this.#trailers;
  }

  /** @internal */
  _trailers(): Record<string, string> {
    this.#trailers ??= {};
    return this.#trailers;
  }

  get bodyUsed(): boolean {
    return this._used || (this._body?.used ?? false);
  }

  /** @internal The head, and a body that came along, outlast the turn. */
  _detach(): void {
    if (this._over) return;
    copyOut(this, this._used || this._along < 0 ? 0 : this._along);
  }

  /** Where a body lies that came along. */
  #begin(limit: number): number {
    if (this._used) {
      throw new RingpollError('ERR_RINGPOLL_HTTP_BODY_USED', 'The body has been read already');
    }
    this._used = true;
    if (this._along > limit) throw overLimit('limit');
    return this._offset + this._words[this._at + Head.length];
  }

  /**
   * The body as UTF-8 text, without a byte order mark.
   * @param limit bytes; a larger body is dropped. Default: 128 MB
   * @returns rejects with ERR_RINGPOLL_HTTP_BODY_USED, or the ClientError that ended the body
   */
  async text(limit = WHOLE_BODY_BYTES_MAX): Promise<string> {
    if (this._along < 0) return textOf(await this.#whole(limit));
    const start = this.#begin(limit);
    const { _slab: slab, _along: length } = this;
    if (length > 0 && slab[start] === 0xef) return textOf(slab.subarray(start, start + length));
    return (slab as Buffer & Latin1).utf8Slice(start, start + length);
  }

  /** The body as JSON. @returns rejects as text(), and with SyntaxError */
  async json(limit = WHOLE_BODY_BYTES_MAX): Promise<unknown> {
    return JSON.parse(await this.text(limit));
  }

  /** The body in memory of its own (one copy). @returns rejects as text() */
  async bytes(limit = WHOLE_BODY_BYTES_MAX): Promise<Buffer> {
    if (this._along < 0) return this.#whole(limit);
    const start = this.#begin(limit);
    const bytes = Buffer.allocUnsafeSlow(this._along);
    this._slab.copy(bytes, 0, start, start + this._along);
    return bytes;
  }

  /** The same as an ArrayBuffer. */
  async arrayBuffer(limit = WHOLE_BODY_BYTES_MAX): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.bytes(limit);
    return byteOffset === 0 && byteLength === buffer.byteLength
      ? (buffer as ArrayBuffer)
      : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  }

  #whole(limit: number): Promise<Buffer> {
    this._used = true;
    return (this._body as ResponseBody).whole(limit);
  }

  /** The pieces of the body, in memory of their own. Leaving the loop early drops the rest. */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    if (this._along < 0) {
      this._used = true;
      return piecesOf(this._body as ResponseBody);
    }
    return once(this.bytes());
  }

  /** Reads the body and drops it, so that the connection can be used again. */
  async dump(): Promise<void> {
    if (this._along >= 0) {
      this._used = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this._give({ data() {}, end: resolve, fail: reject });
    });
  }

  /** Drops the body. When it is still coming, its connection is closed. */
  cancel(): void {
    this._used = true;
    this._body?.drop();
  }

  /** @internal What is short is read, for the sake of the connection. */
  _discard(): void {
    if (this._along < 0 && contentLengthOf(this) > WORTH_READING_MAX) this.cancel();
    else this.dump().catch(() => {});
  }

  /** Waits with the body: no more of it is read than what has come. */
  pause(): void {
    this._body?.pause();
  }

  /** Goes on after pause(). */
  resume(): void {
    this._body?.resume();
  }

  /** @internal The sink gets the body, without a copy. */
  _give(sink: BodySink): void {
    if (this._along < 0) {
      this._used = true;
      (this._body as ResponseBody).give(sink);
      return;
    }
    const start = this.#begin(Number.POSITIVE_INFINITY);
    if (this._along > 0) {
      const chunk = Chunk._own(this._slab.subarray(start, start + this._along) as Buffer);
      sink.data(chunk);
      chunk._endTurn(runtime().checked);
    }
    sink.end();
  }

  /**
   * The connection behind a response 101, or one of success to CONNECT. Bytes that came behind the
   * head are its first data.
   * @throws RingpollError ERR_RINGPOLL_HTTP_UPGRADE when this is no such response
   */
  upgrade<Data>(handlers: Handlers<Data>): Connection<Data> {
    if (this._tunnel === undefined) {
      const message = 'upgrade(): the response opens no tunnel, or it was taken already';
      throw new RingpollError('ERR_RINGPOLL_HTTP_UPGRADE', message);
    }
    const tunnel = this._tunnel;
    this._tunnel = undefined;
    return tunnel.handOver(handlers);
  }
}

async function* once(bytes: Promise<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const piece = await bytes;
  if (piece.length > 0) yield piece;
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}
