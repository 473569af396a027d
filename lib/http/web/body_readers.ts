// How the body of a Request or a Response is read back: the same methods for both.
import { stream as streams } from '../../builtins.js';
import { Pieces } from '../../runtime/pieces.js';

/** The bytes of the body, which counts as used from the call on. Rejects when it cannot be read. */
export const TAKE = Symbol('take');

interface Owner {
  readonly headers: { get(name: string): string | null };
  [TAKE](): Promise<Buffer>;
}

const readers = {
  async text(this: Owner): Promise<string> {
    return decode(await this[TAKE]());
  },
  async json(this: Owner): Promise<unknown> {
    return JSON.parse(decode(await this[TAKE]()));
  },
  async arrayBuffer(this: Owner): Promise<ArrayBuffer> {
    return ownArrayBuffer(await this[TAKE]());
  },
  async bytes(this: Owner): Promise<Uint8Array> {
    return new Uint8Array(ownArrayBuffer(await this[TAKE]()));
  },
  async blob(this: Owner): Promise<Blob> {
    return asPlatform(await this[TAKE](), this.headers).blob() as Promise<Blob>;
  },
  async formData(this: Owner): Promise<FormData> {
    return asPlatform(await this[TAKE](), this.headers).formData() as Promise<FormData>;
  },
};

type Readers = typeof readers;
/** The methods as their owners have them. */
export type BodyReader<Name extends keyof Readers> = () => ReturnType<Readers[Name]>;

export function addReaders(prototype: object): void {
  for (const [name, value] of Object.entries(readers)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

// The platform has parsers for forms and for media types.
function asPlatform(bytes: Buffer, headers: Owner['headers']): Response {
  const type = headers.get('content-type');
  return new globalThis.Response(bytes, type === null ? {} : { headers: { 'content-type': type } });
}

/** Something of the stream has been read, or it was cancelled. */
export function isUsed(stream: unknown): boolean {
  return stream instanceof ReadableStream && streams().Readable.isDisturbed(stream as never);
}

/** Nobody else may read it: somebody has, or does. */
export function isUnusable(stream: unknown): boolean {
  return (
    stream instanceof ReadableStream &&
    (stream.locked || streams().Readable.isDisturbed(stream as never))
  );
}

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const pieces = new Pieces();
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(pieces.take());
    pieces.give(value);
  }
}

/** What a body looks like as a stream when its bytes were read without one: its reader stays. */
export function readStream(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  return stream;
}

/** A Buffer of its own: the ArrayBuffer holds its bytes and no others. */
function ownArrayBuffer(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset === 0 && byteLength === buffer.byteLength) return buffer as ArrayBuffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

export function usedError(): TypeError {
  return new TypeError('Body is unusable: it has been read already');
}

const BOM = 0xfeff;

/** As the standard decodes: a byte order mark is left out. */
function decode(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}
