// A response's body piece by piece, for a loop or a stream.
import type { Chunk } from '../tcp/chunk.js';
import { type BodySink, type ResponseBody, UNREAD_BYTES_MAX } from './body.js';

class Queue implements BodySink {
  readonly #body: ResponseBody;
  readonly pieces: Buffer[] = [];
  bytes = 0;
  ended = false;
  error: Error | undefined;
  waiting: (() => void) | undefined;

  constructor(body: ResponseBody) {
    this.#body = body;
  }

  data(chunk: Chunk): void {
    this.pieces.push(chunk.copy());
    this.bytes += chunk.length;
    if (this.bytes > UNREAD_BYTES_MAX) this.#body.pause();
    this.#wake();
  }

  end(): void {
    this.ended = true;
    this.#wake();
  }

  fail(error: Error): void {
    this.error = error;
    this.#wake();
  }

  #wake(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }
}

/** The pieces in order, each copied once. Leaving the loop early drops the rest. */
export async function* piecesOf(body: ResponseBody): AsyncGenerator<Buffer, void, undefined> {
  const queue = new Queue(body);
  body.give(queue);
  try {
    for (;;) {
      const piece = queue.pieces.shift();
      if (piece !== undefined) {
        queue.bytes -= piece.length;
        if (queue.bytes <= UNREAD_BYTES_MAX / 2) body.resume();
        yield piece;
      } else if (queue.error !== undefined) {
        throw queue.error;
      } else if (queue.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          queue.waiting = resolve;
        });
      }
    }
  } finally {
    if (!queue.ended) body.drop();
  }
}
