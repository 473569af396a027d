// What a body can be made of.
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { invalidArgType } from '../../errors.js';

export type BodyInit =
  | string
  | ArrayBuffer
  | NodeJS.ArrayBufferView
  | Blob
  | URLSearchParams
  | FormData
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/** What is sent: text and bytes as they are, anything else as a stream. */
export type Content = string | Uint8Array | ReadableStream<Uint8Array> | undefined;

export interface Extracted {
  content: Content;
  /** The Content-Type that goes with it, '' for none. */
  type: string;
}

export const TEXT_TYPE = 'text/plain;charset=UTF-8';

/** @throws TypeError for what cannot be a body */
export function extractBody(body: BodyInit): Extracted {
  if (body instanceof Uint8Array) return { content: body, type: '' };
  if (ArrayBuffer.isView(body)) {
    return { content: new Uint8Array(body.buffer, body.byteOffset, body.byteLength), type: '' };
  }
  if (body instanceof ArrayBuffer || body instanceof SharedArrayBuffer) {
    return { content: new Uint8Array(body), type: '' };
  }
  if (body instanceof URLSearchParams) {
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { content: body.toString(), type };
  }
  if (body instanceof Blob) return { content: body.stream() as Content, type: body.type };
  if (body instanceof ReadableStream) return { content: checkUnlocked(body), type: '' };
  if (body instanceof FormData) {
    const platform = new globalThis.Response(body);
    const type = platform.headers.get('content-type') ?? '';
    return { content: platform.body as Content, type };
  }
  if (typeof (body as AsyncIterable<unknown>)?.[Symbol.asyncIterator] === 'function') {
    return { content: streamOf(body as AsyncIterable<unknown>), type: '' };
  }
  return { content: String(body), type: TEXT_TYPE };
}

function checkUnlocked(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (stream.locked) throw new TypeError('The stream is locked: somebody reads it already');
  return stream;
}

/**
 * A piece of a stream as bytes. Text is sent as UTF-8: the standard refuses it, and the platforms
 * that frameworks were made on take it.
 * @throws TypeError for what is neither text nor bytes
 */
export function bytesOfPiece(piece: unknown): Uint8Array {
  if (isUint8Array(piece)) return piece;
  if (typeof piece === 'string') return Buffer.from(piece, 'utf8');
  if (ArrayBuffer.isView(piece)) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
  if (isAnyArrayBuffer(piece)) return new Uint8Array(piece);
  throw invalidArgType('a piece of the stream', 'text or bytes', piece);
}

// A stream of bytes takes the ArrayBuffer of what is put into it away from everybody else.
function given(piece: Uint8Array, ours: boolean): Uint8Array {
  return ours && piece.byteLength === piece.buffer.byteLength ? piece : new Uint8Array(piece);
}

/**
 * A stream of bytes that pulls from an iterable, one piece at a time. `ours`: nobody else uses the
 * memory of the pieces, though they may share one ArrayBuffer.
 */
export function streamOf(pieces: AsyncIterable<unknown>, ours = false): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      type: 'bytes',
      async pull(controller: ReadableByteStreamController) {
        const { value, done } = await iterator.next();
        if (done === true) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        const bytes = bytesOfPiece(value);
        if (bytes.byteLength > 0) controller.enqueue(given(bytes, ours));
      },
      async cancel(reason: unknown) {
        await iterator.return?.(reason);
      },
    } as unknown as undefined,
    { highWaterMark: 0 },
  );
}
