// A file as the answer to a request.
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { fs } from '../builtins.js';
import { boolean } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { type EngineHint, type FileHandle, open } from '../fs/index.js';
import { checkOptions, optionNames } from '../option_names.js';
import { evaluateConditions, type Representation, requestedRange } from './conditions.js';
import { HttpRequestError } from './errors.js';
import { mediaType } from './media_types.js';

export interface SendFileOptions {
  /**
   * A folder that the file must be in. The path is then one of a URL: it is percent-decoded, and
   * what leads out of the folder is not found. Symbolic links are followed.
   */
  root?: string;
  /** With a root: names that begin with a dot are found too. Default: false. */
  dotfiles?: boolean;
  /** Content-Type. Default: by the end of the name. */
  type?: string;
  /** The Cache-Control header. Default: none. */
  cacheControl?: string;
  /** Send ETag. Default: true. */
  etag?: boolean;
  /** Send Last-Modified. Default: true. */
  lastModified?: boolean;
  /**
   * Who opens, reads and closes the file; see open() and sendFile() of ringpoll/fs. Default:
   * 'auto'. The connection has a hint of its own.
   */
  engine?: EngineHint;
}

const OPTIONS = optionNames<SendFileOptions>(
  'sendFile()',
  {
    root: true,
    dotfiles: true,
    type: true,
    cacheControl: true,
    etag: true,
    lastModified: true,
    engine: true,
  },
  {
    contentType: 'type',
    maxAge: 'cacheControl',
    immutable: 'cacheControl',
    headers: 'set them with response.header() before',
    index: 'add the name to a path that ends in / before',
    start: 'a Range header of the request chooses a part; sendWith() sends any',
    end: 'a Range header of the request chooses a part; sendWith() sends any',
  },
);

// A FIFO would otherwise keep open() waiting for a writer.
const { O_NONBLOCK, O_RDONLY } = fs().constants;
const FLAGS = O_RDONLY | O_NONBLOCK;

const NOT_FOUND = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL', 'ENXIO'];
const FORBIDDEN = ['EACCES', 'EPERM'];

/** What a file asks of the request for it. */
export interface FileAsked {
  readonly method: string;
  header(name: string): string | undefined;
}

/** What a file asks of the response that it is sent with. */
export interface FileAnswer {
  readonly _status: number;
  readonly _type: string;
  status(code: number): this;
  header(name: string, value: string): this;
  end(): void;
  _sendRange(file: FileHandle, start: number, length: number): Promise<void>;
}

/** The options of a call, checked. */
export interface Checked extends SendFileOptions {
  etag: boolean;
  lastModified: boolean;
  dotfiles: boolean;
}

export function checkSendFile(path: string, options: SendFileOptions): Checked {
  if (typeof path !== 'string') throw invalidArgType('path', 'a string', path);
  checkOptions(OPTIONS, options);
  for (const name of ['root', 'type', 'cacheControl'] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'string') {
      throw invalidArgType(`options.${name}`, 'a string', value);
    }
  }
  return {
    ...options,
    etag: boolean('options.etag', options.etag, true),
    lastModified: boolean('options.lastModified', options.lastModified, true),
    dotfiles: boolean('options.dotfiles', options.dotfiles, false),
  };
}

export async function sendFile(
  request: FileAsked,
  response: FileAnswer,
  path: string,
  checked: Checked,
): Promise<void> {
  const name = checked.root === undefined ? path : within(checked.root, path, checked.dotfiles);
  let handle: FileHandle | undefined;
  try {
    handle = name === undefined ? undefined : await openFile(name, checked.engine);
    const stats = await handle?.stat();
    if (handle === undefined || stats?.isFile() !== true) throw notFound();
    await answer(request, response, handle, stats as Stats, checked, name as string);
  } finally {
    await handle?.close();
  }
}

/** The path of a file, or of a folder without its last slash; undefined: it is not in `root`. */
export function within(root: string, path: string, dotfiles: boolean): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0') || decoded.endsWith('/')) return undefined;
  const names = decoded.split('/').filter((part) => part !== '' && part !== '.');
  const hidden = names.some((part) => part === '..' || (part.startsWith('.') && !dotfiles));
  return hidden ? undefined : join(root, ...names);
}

function notFound(): HttpRequestError {
  return new HttpRequestError('ERR_RINGPOLL_HTTP_NOT_FOUND', 404, 'Not Found');
}

async function openFile(name: string, engine: EngineHint | undefined): Promise<FileHandle> {
  try {
    return await open(name, FLAGS, undefined, { engine });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (NOT_FOUND.includes(code)) throw notFound();
    if (FORBIDDEN.includes(code)) {
      throw new HttpRequestError('ERR_RINGPOLL_HTTP_FORBIDDEN', 403, 'Forbidden');
    }
    throw error;
  }
}

/** What the kernel's coarse clock, which stamps Date, may be behind. */
const CLOCK_LAG_MS = 20;

/** RFC 9110 section 8.8.2.1: Last-Modified is never later than Date. */
function describe(stats: Stats): Representation {
  const { size, mtimeMs } = stats;
  const etag = `"${Math.round(mtimeMs * 1000).toString(36)}-${size.toString(36)}"`;
  const modifiedMs = Math.min(mtimeMs, Date.now() - CLOCK_LAG_MS);
  return { size, etag, modified: Math.floor(modifiedMs / 1000) };
}

async function answer(
  request: FileAsked,
  response: FileAnswer,
  handle: FileHandle,
  stats: Stats,
  options: Checked,
  name: string,
): Promise<void> {
  const what = describe(stats);
  const { method } = request;
  const field = (header: string) => request.header(header);
  // Conditions are about the file only when the answer is the file, and not, say, a page for 404.
  const conditional = response._status === 200 && (method === 'GET' || method === 'HEAD');
  if (options.etag) response.header('ETag', what.etag);
  if (options.lastModified) {
    response.header('Last-Modified', new Date(what.modified * 1000).toUTCString());
  }
  if (options.cacheControl !== undefined) response.header('Cache-Control', options.cacheControl);
  const status = conditional ? evaluateConditions(field, what) : 200;
  if (status !== 200) {
    response.status(status).end();
    return;
  }
  if (response._type === '') response.header('Content-Type', options.type ?? mediaType(name));
  response.header('Accept-Ranges', 'bytes');
  const range = conditional && method === 'GET' ? requestedRange(field, what) : undefined;
  if (range === 'unsatisfiable') {
    response.status(416).header('Content-Range', `bytes */${what.size}`).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: what.size };
  if (range !== undefined) {
    response.status(206).header('Content-Range', `bytes ${start}-${end - 1}/${what.size}`);
  }
  await response._sendRange(handle, start, end - start);
}
