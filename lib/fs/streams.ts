// Node's own file streams over our handles: their options, events, backpressure and iteration, with
// reads and writes that take our routes.
import type * as Fs from 'node:fs';
import { fs } from '../builtins.js';
import { checkOptions, optionNames } from '../option_names.js';
import { closedFileError } from './errors.js';

export interface ReadStreamOptions {
  encoding?: BufferEncoding;
  /** Closes the handle at the end or on an error; true. */
  autoClose?: boolean;
  emitClose?: boolean;
  /** First and last byte, both included. */
  start?: number;
  end?: number;
  /** Bytes of one read; 64 KB. */
  highWaterMark?: number;
  signal?: AbortSignal;
}

const READ_STREAM = optionNames<ReadStreamOptions>('createReadStream()', {
  encoding: true,
  autoClose: true,
  emitClose: true,
  start: true,
  end: true,
  highWaterMark: true,
  signal: true,
});

export interface WriteStreamOptions {
  encoding?: BufferEncoding;
  /** Closes the handle at the end or on an error; true. */
  autoClose?: boolean;
  emitClose?: boolean;
  /** Where in the file to begin; where the descriptor stands. */
  start?: number;
  /** Bytes that may wait before write() answers false; 16 KB. */
  highWaterMark?: number;
  /** Syncs before it closes; false. */
  flush?: boolean;
  signal?: AbortSignal;
}

const WRITE_STREAM = optionNames<WriteStreamOptions>('createWriteStream()', {
  encoding: true,
  autoClose: true,
  emitClose: true,
  start: true,
  highWaterMark: true,
  flush: true,
  signal: true,
});

type Done = (error: unknown, count?: number, buffer?: unknown) => void;

interface Transferred {
  bytesRead?: number;
  bytesWritten?: number;
  buffer?: unknown;
}

/** What a stream needs of a handle. */
export interface StreamFile {
  readonly fd: number;
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<unknown>;
  write(buffer: Buffer, offset: number, length: number, position: number): Promise<unknown>;
  writev(buffers: Buffer[], position: number): Promise<unknown>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The calls that Node's streams make, on one handle instead of a descriptor. */
function callsOn(handle: StreamFile) {
  // On a tick of its own, so that what a stream's listener throws is no rejection.
  const answer = (promise: Promise<unknown>, done: Done) => {
    promise.then(
      (value) => {
        const { bytesRead, bytesWritten, buffer } = (value ?? {}) as Transferred;
        process.nextTick(done, null, bytesRead ?? bytesWritten, buffer);
      },
      (error) => process.nextTick(done, error),
    );
  };
  return {
    open() {
      throw closedFileError('open'); // a stream over a handle opens nothing
    },
    read(_: number, buffer: Buffer, offset: number, length: number, at: number, done: Done) {
      answer(handle.read(buffer, offset, length, at), done);
    },
    write(_: number, buffer: Buffer, offset: number, length: number, at: number, done: Done) {
      answer(handle.write(buffer, offset, length, at), done);
    },
    writev(_: number, buffers: Buffer[], at: number, done: Done) {
      answer(handle.writev(buffers, at), done);
    },
    fsync(_: number, done: Done) {
      answer(handle.sync(), done);
    },
    close(_: number, done: Done) {
      answer(handle.close(), done);
    },
  };
}

// The streams' constructors take options that their types do not know.
type Constructor<T> = new (path: undefined, options: object) => T;

export function openReadStream(handle: StreamFile, options: ReadStreamOptions): Fs.ReadStream {
  checkOptions(READ_STREAM, options);
  const ReadStream = fs().ReadStream as unknown as Constructor<Fs.ReadStream>;
  return new ReadStream(undefined, { ...options, fd: handle.fd, fs: callsOn(handle) });
}

export function openWriteStream(handle: StreamFile, options: WriteStreamOptions): Fs.WriteStream {
  checkOptions(WRITE_STREAM, options);
  const WriteStream = fs().WriteStream as unknown as Constructor<Fs.WriteStream>;
  return new WriteStream(undefined, { ...options, fd: handle.fd, fs: callsOn(handle) });
}
