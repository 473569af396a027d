// What readers of messages take: chunks, and bytes from elsewhere.
import { invalidArgType } from '../errors.js';
import { Chunk } from '../tcp/chunk.js';

export type Bytes = Uint8Array | Chunk;

/** A view on them. */
export function bytesOf(name: string, data: unknown): Buffer {
  if (data instanceof Chunk) return data.bytes;
  if (Buffer.isBuffer(data)) return data;
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.length);
  throw invalidArgType(name, 'a Chunk or a Uint8Array', data);
}
