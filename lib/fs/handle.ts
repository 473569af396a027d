// An open file as the user has it.
import type * as Fs from 'node:fs';
import type { BigIntStats, PathLike, Stats } from 'node:fs';
import type { Interface } from 'node:readline';
import { brand } from '../brand.js';
import { fs, readline } from '../builtins.js';
import { invalidArgType, outOfRange } from '../errors.js';
import type { Connection } from '../tcp/connection.js';
import { type FileOptions, usualFileOptions } from './arguments.js';
import { told } from './diagnostics.js';
import { checkAborted, checkNotNegative, closedFileError, fileError } from './errors.js';
import { closeFile, type OpenedFile, openFile } from './file.js';
import {
  type Request,
  readRequest,
  signalOf,
  type TransferOptions,
  writeRequest,
} from './handle_arguments.js';
import { OPEN, type OpenOptions, routesOf, SEND, SEND_TO, type SendOptions } from './hints.js';
import { unwatchLeak, watchLeak } from './leaks.js';
import { STAT, type StatOptions } from './names.js';
import { inPool } from './pool.js';
import { hintOf, Op, Route, type Routes, routesFor } from './routes.js';
import { sendRange } from './send.js';
import {
  openReadStream,
  openWriteStream,
  type ReadStreamOptions,
  type WriteStreamOptions,
} from './streams.js';
import { allocate, statOf, sync, truncateFile } from './sync.js';
import { readInto, writeFrom } from './transfer.js';
import { isUsualData, readRestOf, writeAll } from './whole.js';

type View = NodeJS.ArrayBufferView;

export interface ReadResult<T> {
  bytesRead: number;
  buffer: T;
}

export interface WriteResult<T> {
  bytesWritten: number;
  buffer: T;
}

/**
 * An open file. Its methods take, answer and complain like those of node:fs/promises's FileHandle.
 * Close it: one that is forgotten is closed by the collector, with a warning.
 */
export class FileHandle {
  readonly #file: OpenedFile;
  #closing: Promise<void> | undefined;

  /** @internal Use open(). */
  constructor(file: OpenedFile) {
    this.#file = file;
    watchLeak(this, file);
  }

  /** The descriptor, or -1 once closed. It stays this handle's: do not close it. */
  get fd(): number {
    return this.#closing === undefined ? this.#file.fd : -1;
  }

  /**
   * Reads into `buffer`. Copies: the kernel's into the buffer, and one more when the bytes come by
   * the ring, which is when they are not in the page cache.
   * @returns rejects with an AbortError when `signal` is aborted; a part may have been read then
   */
  read<T extends View>(
    buffer: T,
    offset?: number | null | TransferOptions,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<ReadResult<T>>;
  read<T extends View = Buffer>(options?: TransferOptions & { buffer?: T }): Promise<ReadResult<T>>;
  read(
    first?: unknown,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): Promise<ReadResult<View>> {
    if (this.#closing !== undefined) return Promise.reject(closedFileError('read'));
    let request: Request | undefined;
    try {
      request = readRequest(first, offset, length, position);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request === undefined) return this.#readUnusual(first, offset, length, position);
    if (request.engine !== undefined || request.signal !== undefined) return this.#readBy(request);
    const { bytes, buffer } = request;
    const n = readInto(this.#file, bytes, request.offset, request.length, request.position);
    if (typeof n !== 'number') return n.then((count) => this.#read(count, buffer));
    if (n < 0) return Promise.reject(fileError(n, 'read'));
    return Promise.resolve({ bytesRead: n, buffer });
  }

  #read(count: number, buffer: View): ReadResult<View> {
    if (count < 0) throw fileError(count, 'read');
    return { bytesRead: count, buffer };
  }

  async #readBy(request: Request) {
    const { bytes, buffer, offset, length, position, signal } = request;
    checkAborted(signal);
    const routes = this.#routesOf(request);
    return this.#read(
      await readInto(this.#file, bytes, offset, length, position, signal, routes),
      buffer,
    );
  }

  #routesOf({ engine }: Request): Routes {
    return engine === undefined ? this.#file.routes : routesFor(hintOf({ engine }));
  }

  #readUnusual(...[first, ...rest]: unknown[]): Promise<ReadResult<View>> {
    // The form with callbacks tells its own forms apart by how many arguments there are.
    const apart = ArrayBuffer.isView(first) && (typeof rest[0] !== 'object' || rest[0] === null);
    const args = apart ? [first, ...rest] : [first, ...rest].filter((arg) => arg !== undefined);
    this.#file.routes.count(Op.read, Route.pool);
    return this.#use('read', async (file) => {
      checkAborted(signalOf(first, rest[0]));
      if (apart && ((rest[0] ?? 0) as number) >= 0) {
        checkNotNegative('length', rest[1] ?? first.byteLength - ((rest[0] ?? 0) as number));
      }
      let buffer: View | undefined;
      const bytesRead = await inPool<number>((callback) => {
        const done = (error: NodeJS.ErrnoException | null, count: number, read: View) => {
          buffer = read;
          callback(error, count);
        };
        (fs().read as (...all: unknown[]) => void)(file.fd, ...args, done);
      });
      return { bytesRead: bytesRead ?? 0, buffer: buffer as View };
    });
  }

  /**
   * Writes `buffer`, or a string as UTF-8. Like write(2) it may take less than everything.
   * Copies: the kernel's, and one more for at most 256 KB that go by the ring: the buffer may be
   * used again at once. With more, leave it alone until the promise resolves.
   * @returns rejects with an AbortError when `signal` is aborted, and nothing was written
   */
  write<T extends View>(
    buffer: T,
    offset?: number | null | TransferOptions,
    length?: number | null,
    position?: number | null,
  ): Promise<WriteResult<T>>;
  write(
    data: string,
    position?: number | null,
    encoding?: BufferEncoding | null,
  ): Promise<WriteResult<string>>;
  write(
    data: unknown,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): Promise<WriteResult<unknown>> {
    if (this.#closing !== undefined) return Promise.reject(closedFileError('write'));
    if ((data as View | undefined)?.byteLength === 0) {
      return Promise.resolve({ bytesWritten: 0, buffer: data });
    }
    let request: Request | undefined;
    try {
      request =
        typeof data === 'string' && (length ?? 'utf8') === 'utf8'
          ? writeRequest(Buffer.from(data), 0, undefined, offset)
          : writeRequest(data, offset, length, position);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request === undefined) return this.#writeUnusual(data, offset, length, position);
    if (request.engine !== undefined || request.signal !== undefined) {
      return this.#writeBy(request, data);
    }
    return this.#write(request, data, this.#file.routes);
  }

  async #writeBy(request: Request, data: unknown) {
    checkAborted(request.signal);
    return this.#write(request, data, this.#routesOf(request));
  }

  #write({ bytes, offset, length, position, signal }: Request, buffer: unknown, routes: Routes) {
    const n = writeFrom(this.#file, bytes, offset, length, position, signal, routes);
    const answer = (count: number) => {
      if (count < 0) throw fileError(count, 'write');
      return { bytesWritten: count, buffer };
    };
    if (typeof n !== 'number') return n.then(answer);
    return n < 0 ? Promise.reject(fileError(n, 'write')) : Promise.resolve(answer(n));
  }

  #writeUnusual(data: unknown, ...args: unknown[]): Promise<WriteResult<unknown>> {
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    this.#file.routes.count(Op.write, Route.pool);
    return this.#use('write', async (file) => {
      checkAborted(signalOf(args[0]));
      const bytesWritten = await inPool<number>((callback) => {
        (fs().write as (...all: unknown[]) => void)(file.fd, data, ...args, callback);
      });
      return { bytesWritten: bytesWritten ?? 0, buffer: data };
    });
  }

  /** Fills the buffers one after the other. */
  async readv<T extends readonly View[]>(
    buffers: T,
    position?: number | null,
  ): Promise<{ bytesRead: number; buffers: T }> {
    if (!isUsualList(buffers) || !isUsualPlace(position)) {
      return this.#use('readv', async (file) => {
        file.routes.count(Op.read, Route.pool);
        const place = typeof position === 'number' ? position : null;
        const bytesRead = await inPool<number>((callback) =>
          fs().readv(file.fd, buffers as unknown as View[], place, callback),
        );
        return { bytesRead, buffers };
      });
    }
    return this.#use('readv', async (file) => {
      let bytesRead = 0;
      for (const buffer of buffers) {
        const request = readRequest(buffer, 0, undefined, placeAfter(position, bytesRead));
        if (request === undefined) continue; // an empty one
        const n = await readInto(file, request.bytes, 0, request.length, request.position);
        if (n < 0 && bytesRead === 0) throw fileError(n, 'read');
        bytesRead += Math.max(n, 0);
        if (n < request.length) break;
      }
      return { bytesRead, buffers };
    });
  }

  /** Writes the buffers one after the other, as one write (one copy more than write()). */
  async writev<T extends readonly View[]>(
    buffers: T,
    position?: number | null,
  ): Promise<{ bytesWritten: number; buffers: T }> {
    return this.#use('writev', async (file) => {
      const place = typeof position === 'number' ? position : null;
      const request = isUsualList(buffers) ? gathered(buffers, place) : undefined;
      if (request === undefined) {
        this.#file.routes.count(Op.write, Route.pool);
        const bytesWritten = await inPool<number>((callback) =>
          fs().writev(file.fd, buffers as unknown as View[], place as number, callback),
        );
        return { bytesWritten, buffers };
      }
      const n = await writeFrom(file, request.bytes, 0, request.length, request.position);
      if (n < 0) throw fileError(n, 'write');
      return { bytesWritten: n, buffers };
    });
  }

  /** From where the descriptor stands to the end. @throws AbortError */
  readFile(options?: FileOptions & { encoding?: null }): Promise<Buffer>;
  readFile(options: BufferEncoding | (FileOptions & { encoding: BufferEncoding })): Promise<string>;
  readFile(options?: BufferEncoding | FileOptions | null): Promise<Buffer | string> {
    return this.#use('readFile', async (file) => {
      const usual = usualFileOptions(options);
      if (usual !== undefined) return readRestOf(file, usual);
      file.routes.count(Op.readFile, Route.pool);
      return inPool<Buffer | string>((callback) =>
        fs().readFile(file.fd, options as BufferEncoding, callback),
      );
    });
  }

  /** Writes everything, from where the descriptor stands. @throws AbortError */
  writeFile(
    data: string | View | Iterable<string | View> | AsyncIterable<string | View>,
    options?: BufferEncoding | FileOptions | null,
  ): Promise<void> {
    return this.#use('writeFile', async (file) => {
      const usual = usualFileOptions(options);
      if (usual === undefined || !isUsualData(data)) {
        file.routes.count(Op.write, Route.pool);
        return inPool<void>((callback) =>
          fs().writeFile(
            file.fd,
            data as View,
            options as BufferEncoding,
            callback as Fs.NoParamCallback,
          ),
        );
      }
      checkAborted(usual.signal);
      await writeAll(file, data, usual);
      if (usual.flush) await sync(file, false, routesOf(file, usual));
    });
  }

  /** The same as writeFile(): whether bytes are appended is the flag's matter, given to open(). */
  appendFile(
    data: string | View | Iterable<string | View> | AsyncIterable<string | View>,
    options?: BufferEncoding | FileOptions | null,
  ): Promise<void> {
    return this.writeFile(data, options);
  }

  stat(options?: StatOptions & { bigint?: false }): Promise<Stats>;
  stat(options: { bigint: true }): Promise<BigIntStats>;
  stat(options?: StatOptions): Promise<Stats | BigIntStats> {
    return this.#use<Stats | BigIntStats>('fstat', async (file) => {
      const routes = routesOf(file, options, STAT);
      if (!options?.bigint) return statOf(routes, file, true, 'fstat');
      routes.count(Op.stat, Route.pool);
      return inPool<BigIntStats>((callback) => fs().fstat(file.fd, { bigint: true }, callback));
    });
  }

  /** Cuts or extends the file; negative lengths count as 0. */
  truncate(length = 0): Promise<void> {
    return this.#use('ftruncate', async (file) => {
      if (Number.isSafeInteger(length)) return truncateFile(file, Math.max(0, length));
      return inPool<void>((done) => fs().ftruncate(file.fd, length, done as Fs.NoParamCallback));
    });
  }

  /**
   * fallocate(2): reserves a range, so that writes to it cannot run out of space. `mode` holds its
   * flags, 0 by default. Linux only.
   */
  fallocate(offset: number, length: number, mode = 0): Promise<void> {
    for (const [name, value] of Object.entries({ offset, length, mode })) {
      if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
      if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(name, 'at least 0', value);
    }
    return this.#use('fallocate', (file) => allocate(file, mode, offset, length));
  }

  /** Resolves when everything is on the disk. */
  sync(): Promise<void> {
    return this.#use('fsync', (file) => sync(file, false));
  }

  /** Like sync(), but for times and other attributes that are not needed to read the data. */
  datasync(): Promise<void> {
    return this.#use('fdatasync', (file) => sync(file, true));
  }

  chmod(mode: Fs.Mode): Promise<void> {
    return this.#inPool('fchmod', (fd, done) => fs().fchmod(fd, mode, done));
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#inPool('fchown', (fd, done) => fs().fchown(fd, uid, gid, done));
  }

  utimes(atime: Fs.TimeLike, mtime: Fs.TimeLike): Promise<void> {
    return this.#inPool('futimes', (fd, done) => fs().futimes(fd, atime, mtime, done));
  }

  /** A Readable over the file: iterate over it, or pipe it. It closes the handle at its end. */
  createReadStream(options: ReadStreamOptions = {}): Fs.ReadStream {
    return openReadStream(this, options);
  }

  /** A Writable over the file. It closes the handle when it has finished. */
  createWriteStream(options: WriteStreamOptions = {}): Fs.WriteStream {
    return openWriteStream(this, options);
  }

  /** The lines of the file, to iterate over. */
  readLines(options: ReadStreamOptions = {}): Interface {
    return readline().createInterface({
      input: this.createReadStream(options),
      crlfDelay: Infinity,
    });
  }

  /**
   * Sends bytes of the file to a connection, behind what was written to it before. `start` and
   * `end` are both included, as with streams; by default everything. Resolves when the kernel has
   * taken the bytes. `engine` is that of sendFile(). Copies: none for what is in the page cache
   * (Linux), one for the rest.
   * @throws RingpollError ERR_RINGPOLL_CONNECTION_CLOSED, ERR_RINGPOLL_FILE_TRUNCATED
   */
  sendTo(
    connection: Connection,
    options: { start?: number; end?: number } & SendOptions = {},
  ): Promise<void> {
    return this.#use('sendTo', async (file) => {
      const routes = routesOf(file, options, SEND_TO);
      const { start = 0 } = options;
      const end = options.end ?? (await statOf(routes, file, true, 'fstat')).size - 1;
      return sendRange(connection, file, start, Math.max(0, end + 1 - start), routes);
    });
  }

  /** Waits for what is under way, then closes. Further calls get the same promise. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      unwatchLeak(this);
      this.#closing = closeFile(this.#file);
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  _sendRange(
    connection: Connection,
    start: number,
    length: number,
    options: SendOptions | undefined,
  ): Promise<void> {
    return this.#use('sendFile', async (file) =>
      sendRange(connection, file, start, length, routesOf(file, options, SEND)),
    );
  }

  async #use<T>(syscall: string, work: (file: OpenedFile) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedFileError(syscall);
    const file = this.#file;
    file.enter();
    try {
      return await work(file);
    } finally {
      file.leave();
    }
  }

  #inPool(syscall: string, call: (fd: number, done: Fs.NoParamCallback) => void): Promise<void> {
    return this.#use(syscall, (file) =>
      inPool<void>((callback) => call(file.fd, callback as Fs.NoParamCallback)),
    );
  }
}

/**
 * Opens a file; the first three arguments are those of node:fs/promises.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE for an unknown engine
 */
export async function open(
  path: PathLike,
  flags?: string | number,
  mode?: Fs.Mode,
  options?: OpenOptions,
): Promise<FileHandle> {
  const opened = told('open', path, () =>
    openFile(path, flags, mode, undefined, hintOf(options, OPEN)),
  );
  return new FileHandle(await opened);
}

function isUsualList(buffers: unknown): buffers is readonly View[] {
  return Array.isArray(buffers) && buffers.length > 0 && buffers.every(ArrayBuffer.isView);
}

/** What is no number, and what is below 0, stands for the descriptor's own position. */
function isUsualPlace(position: unknown): boolean {
  return typeof position !== 'number' || position < 0 || Number.isSafeInteger(position);
}

function placeAfter(position: number | null | undefined, done: number): number | null {
  return typeof position === 'number' && position >= 0 ? position + done : null;
}

/** One request for them all; undefined when they are empty, or too much to be copied twice. */
function gathered(buffers: readonly View[], position: number | null): Request | undefined {
  const total = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  if (total > GATHERED_BYTES_MAX) return undefined;
  const pieces = buffers.map((view) =>
    Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength),
  );
  return writeRequest(Buffer.concat(pieces, total), 0, undefined, position);
}

const GATHERED_BYTES_MAX = 256 * 1024;
brand('fs.FileHandle', FileHandle);
