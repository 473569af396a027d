// Content codings, undone by zlib.
import { zlib } from '../builtins.js';
import type { ClientResponse } from './response.js';

/** Codings of one response beyond which it is refused: each may multiply its bytes. */
const CODINGS_MAX = 3;

type Decoder = NodeJS.ReadWriteStream & { destroy(error?: Error): void };

const DECODERS: Record<string, () => Decoder> = {
  gzip: () => zlib().createGunzip(FLUSHED),
  'x-gzip': () => zlib().createGunzip(FLUSHED),
  deflate: () => zlib().createInflate(FLUSHED),
  br: () => zlib().createBrotliDecompress(),
};

/** A body that is cut off gives what it has, and then its error. */
const FLUSHED = { flush: 2, finishFlush: 2 }; // Z_SYNC_FLUSH

export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** The codings of a response in the order in which they are to be undone; undefined: unknown. */
export function codingsOf(response: ClientResponse): string[] | undefined {
  const value = response.header('content-encoding');
  if (value === undefined) return [];
  const codings = value
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  const known = codings.every((coding) => Object.hasOwn(DECODERS, coding));
  return known && codings.length <= CODINGS_MAX ? codings.reverse() : undefined;
}

/** The pieces of the body without its codings. */
export async function* decoded(
  response: ClientResponse,
  codings: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let source: AsyncIterable<Uint8Array> = response;
  for (const coding of codings) source = through(source, DECODERS[coding]());
  yield* source;
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  decoder: Decoder,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = feed(source, decoder);
  feeding.catch((error) => decoder.destroy(error));
  try {
    yield* decoder as unknown as AsyncIterable<Uint8Array>;
    await feeding;
  } finally {
    decoder.destroy();
  }
}

async function feed(source: AsyncIterable<Uint8Array>, decoder: Decoder): Promise<void> {
  for await (const piece of source) {
    if ((decoder as unknown as { destroyed: boolean }).destroyed) return;
    if (decoder.write(piece)) continue;
    await new Promise<void>((resolve) => {
      decoder.once('drain', resolve);
      decoder.once('close', resolve);
    });
  }
  decoder.end();
}
