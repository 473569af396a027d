// Files on ringpoll's loop, with the names, arguments and results of node:fs/promises.
import type { PathLike } from 'node:fs';
import type { Connection } from '../tcp/connection.js';
import type { FileOptions } from './arguments.js';
import { told } from './diagnostics.js';
import { FileHandle } from './handle.js';
import type { SendOptions } from './hints.js';
import { readWholeFile, writeWholeFile } from './whole.js';

export type { FileOptions } from './arguments.js';
export type { FileCost } from './costs.js';
export type { FileOperationEvent } from './diagnostics.js';
export {
  access,
  chmod,
  link,
  mkdir,
  mkdtemp,
  opendir,
  readlink,
  realpath,
  rm,
  rmdir,
  symlink,
  utimes,
  watch,
} from './directories.js';
export type { FileError } from './errors.js';
export {
  FileHandle,
  open,
  type ReadResult,
  type WriteResult,
} from './handle.js';
export type { TransferOptions } from './handle_arguments.js';
export type { OpenOptions, SendOptions } from './hints.js';
export {
  copyFile,
  lstat,
  type NameOptions,
  type ReaddirOptions,
  readdir,
  rename,
  type StatOptions,
  stat,
  truncate,
  unlink,
} from './names.js';
export { type EngineHint, explain, type OperationReport, type Report } from './routes.js';
export type { ReadStreamOptions, WriteStreamOptions } from './streams.js';

type Data = string | NodeJS.ArrayBufferView;
type AnyData = Data | Iterable<Data> | AsyncIterable<Data>;

/**
 * The whole file: a Buffer, or a string in the given encoding. Up to 64 KB that lie in the page
 * cache are read at once, on this thread; with an encoding, straight into the string.
 * Copies: the kernel's, and one into the result; none but the kernel's from 64 KB on.
 */
export function readFile(
  path: PathLike | FileHandle,
  options?: (FileOptions & { encoding?: null }) | null,
): Promise<Buffer>;
export function readFile(
  path: PathLike | FileHandle,
  options: BufferEncoding | (FileOptions & { encoding: BufferEncoding }),
): Promise<string>;
export function readFile(
  path: PathLike | FileHandle,
  options?: BufferEncoding | FileOptions | null,
): Promise<Buffer | string>;
export function readFile(
  path: PathLike | FileHandle,
  options?: BufferEncoding | FileOptions | null,
): Promise<Buffer | string> {
  if (path instanceof FileHandle) return path.readFile(options as FileOptions & { encoding: null });
  return told('readFile', path, () => readWholeFile(path, options));
}

/** Makes the file, or empties it, and writes everything. Also from an iterable or a stream. */
export function writeFile(
  path: PathLike | FileHandle,
  data: AnyData,
  options?: BufferEncoding | FileOptions | null,
): Promise<void> {
  if (path instanceof FileHandle) return path.writeFile(data, options);
  return told('writeFile', path, () => writeWholeFile(path, data, options, 'w'));
}

/** Writes at the end of the file, which is made if need be. */
export function appendFile(
  path: PathLike | FileHandle,
  data: AnyData,
  options?: BufferEncoding | FileOptions | null,
): Promise<void> {
  if (path instanceof FileHandle) return path.appendFile(data, options);
  return told('appendFile', path, () => writeWholeFile(path, data, options, 'a'));
}

/**
 * Sends `length` bytes of a file from `start` to a connection, behind what was written to it before
 * and ahead of what is written later. They count as the connection's pending bytes until the
 * kernel has taken them, and then the promise resolves. By sendfile(2) from the page cache, without
 * a copy; what is not there is read first, so that the loop does not wait for the disk. By whom,
 * `options.engine` tells, or else the engine that the handle was opened with.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE for an unknown engine
 * @throws RingpollError ERR_RINGPOLL_CONNECTION_CLOSED, ERR_RINGPOLL_WRITE_AFTER_END, or
 *   ERR_RINGPOLL_FILE_TRUNCATED when the file has become shorter: then fewer bytes were sent
 */
export function sendFile(
  connection: Connection,
  handle: FileHandle,
  start: number,
  length: number,
  options?: SendOptions,
): Promise<void> {
  const send = () => handle._sendRange(connection, start, length, options);
  return told('sendFile', undefined, send);
}
