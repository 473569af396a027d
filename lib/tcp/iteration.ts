// `for await (const chunk of connection)`: linear code instead of handlers.
import { runtime } from '../loop/runtime.js';
import type { Chunk } from './chunk.js';
import { type Connection, extraOf, Flag, type Sink } from './connection.js';

interface Waiting {
  resolve(result: IteratorResult<Chunk>): void;
  reject(error: Error): void;
}

class ChunkIterator implements AsyncIterableIterator<Chunk>, Sink {
  readonly #connection: Connection;
  readonly #chunks: Chunk[] = [];
  #waiting: Waiting | undefined;
  #current: Chunk | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  data(chunk: Chunk): void {
    const waiting = this.#waiting;
    chunk._keep();
    if (waiting === undefined) {
      this.#chunks.push(chunk);
      this.#connection.pause();
      return;
    }
    this.#waiting = undefined;
    this.#current = chunk;
    waiting.resolve({ done: false, value: chunk });
  }

  end(): void {
    this.#finish();
  }

  close(error?: Error): void {
    this.#finish(error);
  }

  #finish(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (this.#error === undefined) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(this.#error);
  }

  next(): Promise<IteratorResult<Chunk>> {
    this.#current?._endTurn(runtime().checked);
    this.#current = this.#chunks.shift();
    if (this.#current !== undefined) {
      return Promise.resolve({ done: false, value: this.#current });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended || this.#connection.readyState === 'closed') {
      return Promise.resolve({ done: true, value: undefined });
    }
    this.#connection.resume();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Chunk>> {
    this.#current?._endTurn(runtime().checked);
    for (const chunk of this.#chunks) chunk.release();
    this.#chunks.length = 0;
    if (!this.#ended) this.#connection.close();
    this.#ended = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** @internal */
export function iterate(connection: Connection): AsyncIterableIterator<Chunk> {
  const extra = extraOf(connection);
  const iterator = new ChunkIterator(connection);
  extra.sink = iterator;
  if (connection._flags & Flag.readEnded && extra.held.length === 0) iterator.end();
  return iterator;
}
