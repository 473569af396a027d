// `for await (const chunk of connection)`: linear code instead of handlers.
import { runtime } from '../runtime/runtime.js';
import type { Chunk } from './chunk.js';
import { extraOf, type Sink } from './connection_state.js';
import { giveTo, hasEnded, type Source } from './sinks.js';

interface Waiting {
  resolve(result: IteratorResult<Chunk>): void;
  reject(error: Error): void;
}

class ChunkIterator implements AsyncIterableIterator<Chunk>, Sink {
  readonly #connection: Source;
  readonly #chunks: Chunk[] = [];
  /** Calls of next() that no chunk has answered yet, in their order. */
  #waiting: Waiting[] = [];
  /** Chunks that the consumer has had time to see. */
  #lent: Chunk[] = [];
  #ended = false;
  #error: Error | undefined;

  constructor(connection: Source) {
    this.#connection = connection;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get over(): boolean {
    return this.#ended;
  }

  data(chunk: Chunk): void {
    chunk._keep();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#chunks.push(chunk);
      this.#connection.pause();
      return;
    }
    waiting.resolve(this.#lend(chunk));
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
    for (const waiting of this.#waiting.splice(0)) {
      if (this.#error === undefined) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(this.#error);
    }
  }

  /** Before the consumer runs: calls of next() in one breath must not end each other's chunks. */
  #lend(chunk: Chunk): IteratorResult<Chunk> {
    queueMicrotask(() => this.#lent.push(chunk));
    return { done: false, value: chunk };
  }

  #takeBack(): void {
    const { checked } = runtime();
    for (const chunk of this.#lent.splice(0)) chunk._endTurn(checked);
  }

  /** Several calls may wait at once; chunks answer them in their order. */
  next(): Promise<IteratorResult<Chunk>> {
    this.#takeBack();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve(this.#lend(chunk));
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended || this.#connection.readyState === 'closed') {
      return Promise.resolve({ done: true, value: undefined });
    }
    this.#connection.resume();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<Chunk>> {
    this.#takeBack();
    for (const chunk of this.#chunks.splice(0)) chunk.release();
    if (!this.#ended) this.#connection.close();
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** @internal Iterators of one connection are one: the chunks are shared out among them. */
export function iterate(connection: Source): AsyncIterableIterator<Chunk> {
  const { sink } = extraOf(connection);
  if (sink instanceof ChunkIterator && !sink.over) return sink;
  const iterator = new ChunkIterator(connection);
  giveTo(connection, iterator);
  if (hasEnded(connection)) iterator.end();
  return iterator;
}
