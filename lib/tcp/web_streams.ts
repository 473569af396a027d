// A connection as streams of the web platform: connection.readable and connection.writable.
import { runtime } from '../runtime/runtime.js';
import type { Chunk } from './chunk.js';
import { closedBecause, closedOf } from './closing.js';
import { closedError, extraOf, Flag, type Sink, type Streams } from './connection_state.js';
import { giveTo, hasEnded, type Source } from './sinks.js';
import { checkWritable, type Writable } from './writable.js';

/** A connection, as far as its streams know it. */
interface Streamed extends Source {
  write(data: Writable): boolean;
  drained(): Promise<void>;
  shutdown(): Promise<void>;
  reset(): void;
}

function streamsOf(connection: Streamed): Streams {
  const extra = extraOf(connection);
  extra.streams ??= {};
  return extra.streams;
}

/** Reads only what a reader has asked for. */
class ByteSource implements Sink {
  readonly #connection: Streamed;
  #controller: ReadableByteStreamController | undefined;
  /** pull() was called, and no bytes have come since. */
  #wanted = false;
  #done = false;

  constructor(connection: Streamed) {
    this.#connection = connection;
  }

  get over(): boolean {
    return this.#done && (this.#connection._flags & Flag.closed) !== 0;
  }

  /** While `writable` is in use, the end is its own. */
  get endsWriting(): boolean {
    return streamsOf(this.#connection).writable !== undefined;
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
  }

  pull(): void {
    this.#wanted = true;
    this.#connection.resume();
  }

  cancel(): void {
    const connection = this.#connection;
    this.#done = true;
    // What still comes is dropped; the peer's end is to be seen.
    if (this.endsWriting && !(connection._flags & Flag.ending)) connection.resume();
    else connection.close();
  }

  data(chunk: Chunk): void {
    if (!this.#done) {
      this.#wanted = false;
      this.#give(chunk.bytes);
      if (!this.#wanted) this.#connection.pause();
    }
    chunk._endTurn(runtime().checked);
  }

  #give(bytes: Uint8Array): void {
    const controller = this.#controller as ReadableByteStreamController;
    const request = controller.byobRequest;
    let taken = 0;
    if (request?.view != null) {
      const { buffer, byteOffset, byteLength } = request.view;
      taken = Math.min(byteLength, bytes.length);
      new Uint8Array(buffer, byteOffset, taken).set(bytes.subarray(0, taken));
      request.respond(taken);
    }
    // A copy with memory of its own, which the stream gives away.
    if (taken < bytes.length) controller.enqueue(new Uint8Array(bytes.subarray(taken)));
  }

  end(): void {
    if (this.#done) return;
    this.#done = true;
    const controller = this.#controller as ReadableByteStreamController;
    controller.close();
    controller.byobRequest?.respond(0);
  }

  close(error?: Error): void {
    if (error === undefined) this.end();
    if (this.#done) return;
    this.#done = true;
    this.#controller?.error(error);
  }
}

/** @internal */
export function readableOf(connection: Streamed): ReadableStream<Uint8Array> {
  const streams = streamsOf(connection);
  if (streams.readable !== undefined) return streams.readable;
  const source = new ByteSource(connection);
  giveTo(connection, source);
  connection.pause();
  streams.readable = new ReadableStream({
    type: 'bytes',
    start: (controller) => source.start(controller),
    pull: () => source.pull(),
    cancel: () => source.cancel(),
  });
  if (connection._flags & Flag.closed) source.close(extraOf(connection).closeError);
  else if (hasEnded(connection)) source.end();
  return streams.readable;
}

/** @internal */
export function writableOf(connection: Streamed): WritableStream<Writable> {
  const streams = streamsOf(connection);
  streams.writable ??= new WritableStream<Writable>({
    start(controller) {
      const over = (error: unknown) => controller.error(error);
      closedOf(connection).then(() => over(closedError()), over);
    },
    write(data) {
      checkWritable('chunk', data);
      if (connection.write(data)) return undefined;
      return connection.drained().catch((error) => closedBecause(connection, error));
    },
    close: () => connection.shutdown(),
    abort: () => connection.reset(),
  });
  return streams.writable;
}
