// A connection's bytes as text, piece by piece: connection.decode().
import { invalidArgType } from '../errors.js';
import type { Chunk } from './chunk.js';

/** What of a TextDecoder is used. */
export interface StreamDecoder {
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}

/** @internal */
export function decoded(
  chunks: AsyncIterable<Chunk>,
  decoder: StreamDecoder,
): AsyncIterableIterator<string> {
  if (typeof decoder?.decode !== 'function') {
    throw invalidArgType('decoder', 'a TextDecoder', decoder);
  }
  return decode(chunks, decoder);
}

async function* decode(chunks: AsyncIterable<Chunk>, decoder: StreamDecoder) {
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk.bytes, { stream: true });
    if (text !== '') yield text;
  }
  // A character that was cut off by the end.
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}
