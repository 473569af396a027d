// Operations on descriptors by way of node:fs, on libuv's pool. The forms with callbacks are used:
// they take descriptors, whoever opened them.
import { fs } from '../builtins.js';

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

/** A node:fs call as a promise; what it throws at once (bad arguments) rejects too. */
export function inPool<T>(call: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

/** The same for transfers: the count, or -errno as native code has it. */
function counted(call: (callback: Callback<number>) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    call((error, count) => {
      if (!error) resolve(count);
      else if (typeof error.errno === 'number') resolve(error.errno);
      else reject(error);
    });
  });
}

/** Native code's "the descriptor's own position" is null for Node. */
const placeOf = (position: number) => (position < 0 ? null : position);

export function poolRead(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return counted((callback) => fs().read(fd, bytes, offset, length, placeOf(position), callback));
}

export function poolWrite(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return counted((callback) => fs().write(fd, bytes, offset, length, placeOf(position), callback));
}
