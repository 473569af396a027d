// Stats without Node's constructor, which newer versions call deprecated: the same fields in the
// same order, on the same prototype.
import type { Stats } from 'node:fs';
import { fs } from '../builtins.js';

/** Newer versions make the dates from the milliseconds, when they are asked for. */
const { prototype } = fs().Stats;
const DATES_ARE_LAZY = 'atime' in prototype;

function dateOf(milliseconds: number): Date {
  return new Date(Math.round(milliseconds));
}

function Fields(this: Stats, from: Float64Array): void {
  this.dev = from[0];
  this.mode = from[1];
  this.nlink = from[2];
  this.uid = from[3];
  this.gid = from[4];
  this.rdev = from[5];
  this.blksize = from[6];
  this.ino = from[7];
  this.size = from[8];
  this.blocks = from[9];
  this.atimeMs = from[10];
  this.mtimeMs = from[11];
  this.ctimeMs = from[12];
  this.birthtimeMs = from[13];
  if (DATES_ARE_LAZY) return;
  this.atime = dateOf(from[10]);
  this.mtime = dateOf(from[11]);
  this.ctime = dateOf(from[12]);
  this.birthtime = dateOf(from[13]);
}
Fields.prototype = prototype;

const Constructor = Fields as unknown as new (from: Float64Array) => Stats;

/** From native code's fields; see native/core/system/file_calls.h for their order. */
export function statsFrom(fields: Float64Array): Stats {
  return new Constructor(fields);
}
