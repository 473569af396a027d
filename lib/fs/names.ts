// Operations on names: what is where in the tree of files.
import type { BigIntStats, Dirent, ObjectEncodingOptions, PathLike, Stats } from 'node:fs';
import { fs } from '../builtins.js';
import { optionNames } from '../option_names.js';
import { usualPath } from './arguments.js';
import { fileError } from './errors.js';
import { closeFile, openFile } from './file.js';
import { request } from './requests.js';
import { type EngineHint, hintOf, Op, Route, routesFor } from './routes.js';
import { statOf, truncateFile } from './sync.js';

export interface StatOptions {
  /** Node's BigIntStats instead; always by libuv's pool. */
  bigint?: boolean;
  /** Where it should go, see open(). Default: 'auto'. */
  engine?: EngineHint;
}

export interface NameOptions {
  /** Where it should go, see open(). Default: 'auto'. */
  engine?: EngineHint;
}

export const STAT = optionNames<StatOptions>('stat()', { bigint: true, engine: true });
const NAME = optionNames<NameOptions>('an operation on names', { engine: true });

/** Answered from memory where the kernel can promise that it needs no disk and no server. */
export function stat(path: PathLike, options?: StatOptions & { bigint?: false }): Promise<Stats>;
export function stat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
export function stat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
export async function stat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats> {
  const routes = routesFor(hintOf(options, STAT));
  const name = usualPath(path);
  if (name !== undefined && !options?.bigint) return statOf(routes, name, true, 'stat');
  routes.count(Op.stat, Route.pool);
  return fs().promises.stat(path, options);
}

/** Like stat(), of the link itself. */
export function lstat(path: PathLike, options?: StatOptions & { bigint?: false }): Promise<Stats>;
export function lstat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
export function lstat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
export async function lstat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats> {
  const routes = routesFor(hintOf(options, STAT));
  const name = usualPath(path);
  if (name !== undefined && !options?.bigint) return statOf(routes, name, false, 'lstat');
  routes.count(Op.stat, Route.pool);
  return fs().promises.lstat(path, options);
}

/** Moves `oldPath` to `newPath`, replacing what is there. */
export async function rename(
  oldPath: PathLike,
  newPath: PathLike,
  options?: NameOptions,
): Promise<void> {
  const routes = routesFor(hintOf(options, NAME));
  const from = usualPath(oldPath);
  const to = usualPath(newPath);
  if (from === undefined || to === undefined || !routes.ring[Op.rename]) {
    routes.count(Op.rename, Route.pool);
    return fs().promises.rename(oldPath, newPath);
  }
  routes.count(Op.rename, Route.ring);
  const { result } = await request((id) => routes.runtime.native.fileRename(id, from, to));
  if (result < 0) throw fileError(result, 'rename', from, to);
}

/** Removes a name that is no directory's. */
export async function unlink(path: PathLike, options?: NameOptions): Promise<void> {
  const routes = routesFor(hintOf(options, NAME));
  const name = usualPath(path);
  if (name === undefined || !routes.ring[Op.unlink]) {
    routes.count(Op.unlink, Route.pool);
    return fs().promises.unlink(path);
  }
  routes.count(Op.unlink, Route.ring);
  const { result } = await request((id) => routes.runtime.native.fileUnlink(id, name));
  if (result < 0) throw fileError(result, 'unlink', name);
}

/** Cuts or extends the file to `length` bytes. */
export async function truncate(path: PathLike, length = 0, options?: NameOptions): Promise<void> {
  const engine = hintOf(options, NAME);
  if (!Number.isSafeInteger(length)) {
    routesFor(engine).count(Op.truncate, Route.pool);
    return fs().promises.truncate(path, length);
  }
  const file = await openFile(path, 'r+', undefined, undefined, engine);
  try {
    await truncateFile(file, Math.max(0, length));
  } finally {
    await closeFile(file);
  }
}

export interface ReaddirOptions extends NameOptions {
  /** Lists what is in the folders below as well; false. */
  recursive?: boolean;
  withFileTypes?: boolean;
}

const READDIR = optionNames<ReaddirOptions & ObjectEncodingOptions>('readdir()', {
  encoding: true,
  recursive: true,
  withFileTypes: true,
  engine: true,
});

/**
 * The names in a folder, or Dirents. Always by libuv's pool: the ring has no operation that lists
 * a directory. So `engine: 'uring'` is a refusal, counted and explained by explain().
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE for an unknown engine
 */
export function readdir(
  path: PathLike,
  options?:
    | (ReaddirOptions & ObjectEncodingOptions & { withFileTypes?: false })
    | BufferEncoding
    | null,
): Promise<string[]>;
export function readdir(
  path: PathLike,
  options: (ReaddirOptions & { encoding: 'buffer'; withFileTypes?: false }) | 'buffer',
): Promise<Buffer[]>;
export function readdir(
  path: PathLike,
  options: ReaddirOptions & ObjectEncodingOptions & { withFileTypes: true },
): Promise<Dirent[]>;
export async function readdir(path: PathLike, options?: unknown): Promise<unknown> {
  routesFor(hintOf(options, READDIR)).count(Op.readdir, Route.pool);
  return fs().promises.readdir(path, options as BufferEncoding);
}

/**
 * Always by libuv's pool, which has the kernel clone or copy the file; the ring would move the
 * bytes through a pipe. So `engine: 'uring'` is a refusal, counted and explained by explain().
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE for an unknown engine
 */
export async function copyFile(
  source: PathLike,
  destination: PathLike,
  mode?: number,
  options?: NameOptions,
): Promise<void> {
  routesFor(hintOf(options, NAME)).count(Op.copyFile, Route.pool);
  return fs().promises.copyFile(source, destination, mode);
}
