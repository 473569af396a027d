// The body of a request: text and bytes that go with the head, or a stream that is pulled.
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { asError, invalidArgType } from '../errors.js';
import type { Connection } from '../tcp/connection.js';

export type RequestBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** Longer bodies are written behind the head, from where they are. */
export const BODY_WITH_HEAD_MAX = 16 * 1024;

/** Bytes whose length is known, or a source of pieces. */
export type Given = string | Uint8Array | RequestBodySource | undefined;

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE */
export function readBody(body: unknown): Given {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || isUint8Array(body)) return body;
  if (isAnyArrayBuffer(body)) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  const pieces = body as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown };
  if (typeof pieces[Symbol.asyncIterator] === 'function') {
    return new RequestBodySource((body as AsyncIterable<unknown>)[Symbol.asyncIterator]());
  }
  if (typeof pieces[Symbol.iterator] === 'function') {
    return new RequestBodySource((body as Iterable<unknown>)[Symbol.iterator]());
  }
  throw invalidArgType('options.body', 'text, bytes or an iterable of these', body);
}

type Pieces = AsyncIterator<unknown> | Iterator<unknown>;

/** Pulls pieces and writes them, as fast as the connection takes them. */
export class RequestBodySource {
  readonly #pieces: Pieces;
  #stopped = false;
  #ended = false;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** Pieces have been taken: it cannot be sent from its beginning again. */
  begun = false;

  /**
   * Writes all of it. @param declared bytes that the head has announced; undefined: in chunks
   * @returns rejects when the source fails, or has another length than was declared
   */
  async sendTo(
    connection: Connection,
    declared: number | undefined,
    trailers: () => string,
  ): Promise<void> {
    this.begun = true;
    let sent = 0;
    while (!this.#stopped) {
      const { value, done } = await this.#pieces.next();
      if (done === true) {
        this.#ended = true;
        break;
      }
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      if (!isUint8Array(bytes)) throw invalidArgType('a piece of the body', 'text or bytes', value);
      if (this.#stopped || bytes.length === 0) continue;
      sent += bytes.length;
      if (declared !== undefined && sent > declared) break;
      if (declared === undefined) {
        connection.write(`${bytes.length.toString(16)}\r\n`);
        connection.write(bytes);
        connection.write('\r\n');
      } else {
        connection.write(bytes);
      }
      if (!connection._belowMark()) await connection.drained();
    }
    if (this.#stopped) return;
    if (declared === undefined) connection.write(`0\r\n${trailers()}\r\n`);
    else if (sent !== declared) {
      this.cancel(undefined);
      throw new TypeError(`The body has not the ${declared} bytes of its content-length`);
    }
  }

  /** No more pieces are wanted. */
  cancel(reason: unknown): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = true;
    try {
      const result: unknown = this.#pieces.return?.(reason);
      Promise.resolve(result).catch(() => {});
    } catch (error) {
      process.emitWarning(asError(error));
    }
  }
}
