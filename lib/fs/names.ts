// Operations on names: what is where in the tree of files.
import { type BigIntStats, type PathLike, promises, type Stats } from 'node:fs';
import { usualPath } from './arguments.js';
import { fileError } from './errors.js';
import { closeFile, openFile } from './file.js';
import { request } from './requests.js';
import { type EngineHint, hintOf, Op, Route, routes } from './routes.js';
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

/** Answered from memory where the kernel can promise that it needs no disk and no server. */
export function stat(path: PathLike, options?: StatOptions & { bigint?: false }): Promise<Stats>;
export function stat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
export function stat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
export async function stat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats> {
  const of = routes(hintOf(options));
  const name = usualPath(path);
  if (name !== undefined && !options?.bigint) return statOf(of, name, true, 'stat');
  of.count(Op.stat, Route.pool);
  return promises.stat(path, options);
}

/** Like stat(), of the link itself. */
export function lstat(path: PathLike, options?: StatOptions & { bigint?: false }): Promise<Stats>;
export function lstat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
export function lstat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
export async function lstat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats> {
  const of = routes(hintOf(options));
  const name = usualPath(path);
  if (name !== undefined && !options?.bigint) return statOf(of, name, false, 'lstat');
  of.count(Op.stat, Route.pool);
  return promises.lstat(path, options);
}

/** Moves `oldPath` to `newPath`, replacing what is there. */
export async function rename(
  oldPath: PathLike,
  newPath: PathLike,
  options?: NameOptions,
): Promise<void> {
  const of = routes(hintOf(options));
  const from = usualPath(oldPath);
  const to = usualPath(newPath);
  if (from === undefined || to === undefined || !of.ring[Op.rename]) {
    of.count(Op.rename, Route.pool);
    return promises.rename(oldPath, newPath);
  }
  of.count(Op.rename, Route.ring);
  const { result } = await request((id) => of.runtime.native.fileRename(id, from, to));
  if (result < 0) throw fileError(result, 'rename', from, to);
}

/** Removes a name that is no directory's. */
export async function unlink(path: PathLike, options?: NameOptions): Promise<void> {
  const of = routes(hintOf(options));
  const name = usualPath(path);
  if (name === undefined || !of.ring[Op.unlink]) {
    of.count(Op.unlink, Route.pool);
    return promises.unlink(path);
  }
  of.count(Op.unlink, Route.ring);
  const { result } = await request((id) => of.runtime.native.fileUnlink(id, name));
  if (result < 0) throw fileError(result, 'unlink', name);
}

/** Cuts or extends the file to `length` bytes. */
export async function truncate(path: PathLike, length = 0, options?: NameOptions): Promise<void> {
  const engine = hintOf(options);
  if (!Number.isSafeInteger(length)) {
    routes(engine).count(Op.truncate, Route.pool);
    return promises.truncate(path, length);
  }
  const file = await openFile(path, 'r+', undefined, undefined, engine);
  try {
    await truncateFile(file, Math.max(0, length));
  } finally {
    await closeFile(file);
  }
}

/** Always by libuv's pool: the ring has no operation that lists a directory. */
export const readdir: typeof promises.readdir = ((...args: [PathLike]) => {
  routes().count(Op.readdir, Route.pool);
  return promises.readdir(...args);
}) as typeof promises.readdir;

/** Always by libuv's pool, which has the kernel clone or copy the file. */
export function copyFile(source: PathLike, destination: PathLike, mode?: number): Promise<void> {
  routes().count(Op.copyFile, Route.pool);
  return promises.copyFile(source, destination, mode);
}
