// Whole files: readFile, writeFile, appendFile.
import { fs, net } from '../builtins.js';
import { CURRENT_POSITION, EAGAIN } from '../runtime/native_files.js';
import { bytesOf, type FileOptions, usualFileOptions, usualPath } from './arguments.js';
import { abortError, checkAborted, fileError } from './errors.js';
import { closeFile, OpenedFile, openFile } from './file.js';
import { type FileEngine, hintOf, Op, Route, type Routes, routesFor } from './routes.js';
import { spend } from './share.js';
import { sync } from './sync.js';
import { readInto, writeFrom } from './transfer.js';

/** Larger files get memory of their own before they are read. */
const SCRATCH_BYTES = 64 * 1024;
/** What a read of a file of unknown size asks for. */
const PIECE_BYTES = 64 * 1024;
/** Opening and closing count like so many bytes. */
const OPEN_BYTES = 4 * 1024;
const SIZE_MAX = 2 ** 31 - 1;

/** The calls of open(2): an error that is none of these was the read's. */
const OPEN_ERRNOS = new Set([-2, -13, -20, -26, -30, -36, -40]);

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const details = new Float64Array(3);

const finished = (bytes: Buffer, { encoding }: FileOptions): Buffer | string =>
  encoding && (encoding as string) !== 'buffer' ? bytes.toString(encoding) : bytes;

/** readFile of a path. `otherwise` is node's, for what is unusual. */
export function readWholeFile(path: unknown, options: unknown): Promise<Buffer | string> {
  let engine: FileEngine;
  let usual: FileOptions | undefined;
  try {
    engine = hintOf(options);
    usual = usualFileOptions(options);
  } catch (error) {
    return Promise.reject(error);
  }
  const routes = routesFor(engine);
  const name = usualPath(path);
  if (name === undefined || usual === undefined) {
    routes.count(Op.readFile, Route.pool);
    return fs().promises.readFile(path as string, options as BufferEncoding);
  }
  const { encoding, flag, signal } = usual;
  const plain = flag === undefined || flag === null || flag === 'r';
  if (!routes.now || !plain || signal?.aborted || !spend(OPEN_BYTES)) {
    return readOpening(routes, name, usual);
  }
  const n = routes.runtime.native.fileReadWhole(name, scratch, details);
  if (n === -EAGAIN) {
    const [id, size, pipe] = details;
    if (pipe >= 0) return readPipe(pipe, usual);
    if (id < 0) return readOpening(routes, name, usual);
    return readAndClose(new OpenedFile(routes, id, true, false), size, usual);
  }
  routes.count(Op.readFile, Route.now);
  if (n < 0) {
    const error = OPEN_ERRNOS.has(n) ? fileError(n, 'open', name) : fileError(n, 'read');
    return Promise.reject(error);
  }
  spend(n);
  if (encoding && (encoding as string) !== 'buffer') {
    return Promise.resolve(scratch.toString(encoding, 0, n));
  }
  const bytes = Buffer.allocUnsafeSlow(n);
  scratch.copy(bytes, 0, 0, n);
  return Promise.resolve(bytes);
}

async function readOpening(routes: Routes, name: string, options: FileOptions) {
  const file = await openFile(name, options.flag, undefined, options.signal, routes.hint);
  return readAndClose(file, sizeOf(routes, file), options);
}

const fields = new Float64Array(14);
const SIZE_FIELD = 8;

/** The size of a regular file as far as it is known without waiting; 0: it is not. */
function sizeOf(routes: Routes, file: OpenedFile): number {
  if (!file.regular) return 0;
  return routes.runtime.native.fileStatNow(file.id, true, fields) === 0 ? fields[SIZE_FIELD] : 0;
}

async function readAndClose(file: OpenedFile, size: number, options: FileOptions) {
  try {
    return finished(await readAll(file, size, options.signal), options);
  } finally {
    await closeFile(file);
  }
}

/** readFile of a handle: from where its position stands. */
export async function readRestOf(file: OpenedFile, options: FileOptions) {
  const routes = options.engine === undefined ? file.routes : routesFor(hintOf(options));
  return finished(await readAll(file, sizeOf(routes, file), options.signal, routes), options);
}

async function readAll(
  file: OpenedFile,
  size: number,
  signal?: AbortSignal,
  routes?: Routes,
): Promise<Buffer> {
  checkAborted(signal);
  if (size > SIZE_MAX) {
    const error = new RangeError(`File size (${size}) is greater than 2 GiB`);
    throw Object.assign(error, { code: 'ERR_FS_FILE_TOO_LARGE' });
  }
  const pieces: Buffer[] = [];
  for (let total = 0; ; ) {
    const piece = Buffer.allocUnsafeSlow(size > 0 ? size - total : PIECE_BYTES);
    const n = await readInto(file, piece, 0, piece.length, CURRENT_POSITION, signal, routes);
    if (n < 0) throw fileError(n, 'read');
    total += n;
    if (n > 0) pieces.push(n === piece.length ? piece : piece.subarray(0, n));
    if (n === 0 || (size > 0 && total >= size)) break;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

/** A FIFO ends when its writers have gone, which only its own events tell without a thread. */
function readPipe(fd: number, options: FileOptions): Promise<Buffer | string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const { signal } = options;
    const socket = new (net().Socket)({ fd, readable: true, writable: false });
    const abort = () => socket.destroy(abortError(signal as AbortSignal));
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('end', () => resolve(finished(Buffer.concat(pieces), options)));
    socket.on('error', reject);
    socket.on('close', () => signal?.removeEventListener('abort', abort));
  });
}

type Data = string | NodeJS.ArrayBufferView | Iterable<unknown> | AsyncIterable<unknown>;

export function isUsualData(data: unknown): data is Data {
  if (typeof data === 'string' || ArrayBuffer.isView(data)) return true;
  if (typeof data !== 'object' || data === null) return false;
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}

/** writeFile and appendFile of a path. */
export async function writeWholeFile(
  path: unknown,
  data: unknown,
  options: unknown,
  flag: string,
): Promise<void> {
  const routes = routesFor(hintOf(options));
  const usual = usualFileOptions(options);
  if (usual === undefined || !isUsualData(data)) {
    routes.count(Op.write, Route.pool);
    const write = flag === 'a' ? fs().promises.appendFile : fs().promises.writeFile;
    return write(path as string, data as string, options as BufferEncoding);
  }
  checkAborted(usual.signal);
  const file = await openFile(path, usual.flag || flag, usual.mode, usual.signal, routes.hint);
  try {
    await writeAll(file, data, usual);
    if (usual.flush) await sync(file, false);
  } finally {
    await closeFile(file);
  }
}

/** writeFile of a handle: to where its position stands. */
export async function writeAll(file: OpenedFile, data: Data, options: FileOptions): Promise<void> {
  if (typeof data === 'string' || ArrayBuffer.isView(data)) {
    return writePiece(file, data, options);
  }
  for await (const piece of data as AsyncIterable<string | NodeJS.ArrayBufferView>) {
    checkAborted(options.signal);
    await writePiece(file, piece, options);
  }
}

async function writePiece(
  file: OpenedFile,
  data: string | ArrayBufferView,
  { encoding, signal, engine }: FileOptions,
): Promise<void> {
  const routes = engine === undefined ? file.routes : routesFor(hintOf({ engine }));
  const bytes = ArrayBuffer.isView(data) ? bytesOf(data) : Buffer.from(data, encoding ?? 'utf8');
  for (let done = 0; done < bytes.byteLength; ) {
    checkAborted(signal);
    const left = bytes.byteLength - done;
    const n = await writeFrom(file, bytes, done, left, CURRENT_POSITION, signal, routes);
    if (n < 0) throw fileError(n, 'write');
    done += n;
  }
}
