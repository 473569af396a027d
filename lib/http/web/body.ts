// What a body can be made of, and how it is read back.

export type BodyInit =
  | string
  | ArrayBuffer
  | NodeJS.ArrayBufferView
  | Blob
  | URLSearchParams
  | FormData
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

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
  if (typeof (body as AsyncIterable<Uint8Array>)?.[Symbol.asyncIterator] === 'function') {
    return { content: streamOf(body as AsyncIterable<Uint8Array>), type: '' };
  }
  return { content: String(body), type: TEXT_TYPE };
}

function checkUnlocked(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (stream.locked) throw new TypeError('The stream is locked: somebody reads it already');
  return stream;
}

// A stream of bytes takes the ArrayBuffer of what is put into it away from everybody else.
function given(piece: Uint8Array, ours: boolean): Uint8Array {
  return ours && piece.byteLength === piece.buffer.byteLength ? piece : new Uint8Array(piece);
}

/**
 * A stream of bytes that pulls from an iterable, one piece at a time. `ours`: nobody else uses the
 * memory of the pieces, though they may share one ArrayBuffer.
 */
export function streamOf(
  pieces: AsyncIterable<Uint8Array>,
  ours = false,
): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      type: 'bytes',
      async pull(controller: ReadableByteStreamController) {
        const { value, done } = await iterator.next();
        if (done === true) {
          controller.close();
          controller.byobRequest?.respond(0);
        } else if (value.byteLength > 0) {
          controller.enqueue(given(value, ours));
        }
      },
      async cancel(reason: unknown) {
        await iterator.return?.(reason);
      },
    } as unknown as undefined,
    { highWaterMark: 0 },
  );
}

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A Buffer of its own: the ArrayBuffer holds its bytes and no others. */
export function ownArrayBuffer(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset === 0 && byteLength === buffer.byteLength) return buffer as ArrayBuffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

export function usedError(): TypeError {
  return new TypeError('Body is unusable: it has been read already');
}

/** Reads a form by the platform's parser. */
export function parseForm(bytes: Buffer, type: string | null): Promise<FormData> {
  const headers = type === null ? undefined : { 'content-type': type };
  return new globalThis.Response(bytes, { headers }).formData() as Promise<FormData>;
}

const BOM = 0xfeff;

/** As the standard decodes: a byte order mark is left out. */
export function decode(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}
