// What the ring has no operation for, or none that node:fs would not do as well: folders, links and
// permissions. They are here so that a program needs one import, and run in libuv's pool.
import type { promises } from 'node:fs';
import { fs } from '../builtins.js';

type Promises = typeof promises;
type Name =
  | 'access'
  | 'chmod'
  | 'link'
  | 'mkdir'
  | 'mkdtemp'
  | 'opendir'
  | 'readlink'
  | 'realpath'
  | 'rm'
  | 'rmdir'
  | 'symlink'
  | 'utimes'
  | 'watch';

/** The function of node:fs/promises: its arguments, its results and its errors. */
function ofNode<Of extends Name>(name: Of): Promises[Of] {
  const call = (...args: unknown[]) =>
    (fs().promises[name] as (...args: unknown[]) => unknown)(...args);
  Object.defineProperty(call, 'name', { value: name });
  return call as Promises[Of];
}

/** As in node:fs/promises. */
export const access = ofNode('access');
/** As in node:fs/promises. */
export const chmod = ofNode('chmod');
/** As in node:fs/promises. */
export const link = ofNode('link');
/** As in node:fs/promises. */
export const mkdir = ofNode('mkdir');
/** As in node:fs/promises. */
export const mkdtemp = ofNode('mkdtemp');
/** As in node:fs/promises. */
export const opendir = ofNode('opendir');
/** As in node:fs/promises. */
export const readlink = ofNode('readlink');
/** As in node:fs/promises. */
export const realpath = ofNode('realpath');
/** As in node:fs/promises. */
export const rm = ofNode('rm');
/** As in node:fs/promises. */
export const rmdir = ofNode('rmdir');
/** As in node:fs/promises. */
export const symlink = ofNode('symlink');
/** As in node:fs/promises. */
export const utimes = ofNode('utimes');
/** As in node:fs/promises: an async iterator over the changes of a file or a folder. */
export const watch = ofNode('watch');
