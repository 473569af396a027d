// Reads and writes. A count or -errno comes at once when memory has the answer, as a promise
// otherwise. Copies: none where the answer comes at once or from libuv's pool; one on the ring,
// whose memory is the arena's: the kernel must not write to memory that its owner could transfer
// away meanwhile.

import { BLOCK_BYTES_MAX, CURRENT_POSITION, NEVER, WAITS } from '../runtime/native_files.js';
import { abortError } from './errors.js';
import type { OpenedFile } from './file.js';
import { poolRead, poolWrite } from './pool.js';
import { release, request, slabOf } from './requests.js';
import { Op, Route, type Routes } from './routes.js';
import { nextTurn, spend } from './share.js';

/** Where the bytes are, and where in the file. */
export interface Transfer {
  bytes: Uint8Array;
  offset: number;
  length: number;
  /** -1: the descriptor's own position. */
  position: number;
}

const after = (position: number, done: number) =>
  position < 0 ? CURRENT_POSITION : position + done;

/** Fills [offset, offset + length) of `bytes`, or as much as there is. */
export function readInto(
  file: OpenedFile,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  signal?: AbortSignal,
  routes: Routes = file.routes,
): number | Promise<number> {
  const now = routes.now && file.readsNow;
  if (now && spend(length)) {
    const start = routes.begin();
    const n = routes.runtime.native.fileReadNow(file.id, bytes, offset, length, position);
    if (n > WAITS) {
      routes.count(Op.read, Route.now);
      routes.ended(Op.read, Route.now, n, start);
      return n;
    }
    if (n === NEVER) file.readsNow = false;
    const done = n === NEVER ? 0 : WAITS - n;
    return readSlowly(routes, file, { bytes, offset, length, position }, done, false, signal);
  }
  return readSlowly(routes, file, { bytes, offset, length, position }, 0, now, signal);
}

async function readSlowly(
  routes: Routes,
  file: OpenedFile,
  { bytes, offset, length, position }: Transfer,
  done: number,
  tryNow: boolean,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { native } = routes.runtime;
  file.enter();
  try {
    for (let now = tryNow; ; now = routes.now && file.readsNow) {
      if (signal?.aborted) throw abortError(signal);
      if (now) {
        while (!spend(length - done)) await nextTurn();
        const at = after(position, done);
        const n = native.fileReadNow(file.id, bytes, offset + done, length - done, at);
        if (n > WAITS) {
          routes.count(Op.read, Route.now);
          return n < 0 && done === 0 ? n : done + Math.max(n, 0);
        }
        if (n === NEVER) file.readsNow = false;
        else done += WAITS - n;
      }
      const wanted = routes.ring[Op.read]
        ? Math.min(length - done, BLOCK_BYTES_MAX)
        : length - done;
      const n = routes.ring[Op.read]
        ? await ringRead(routes, file, bytes, offset + done, wanted, after(position, done), signal)
        : await poolReadCounted(routes, file, bytes, offset + done, wanted, after(position, done));
      if (n < 0) return done === 0 ? n : done;
      done += n;
      if (n < wanted || done === length || !file.regular) return done;
    }
  } finally {
    file.leave();
  }
}

async function ringRead(
  routes: Routes,
  file: OpenedFile,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  routes.count(Op.read, Route.ring);
  const start = routes.begin();
  const answer = await request(
    (id) => routes.runtime.native.fileRead(id, file.id, length, position),
    signal,
  );
  if (answer.result < 0) {
    if (signal?.aborted) throw abortError(signal);
    return answer.result;
  }
  // Copies what fits: nothing, when the caller has transferred its memory away.
  slabOf(answer).copy(bytes, offset, answer.offset, answer.offset + answer.result);
  release(answer);
  routes.ended(Op.read, Route.ring, answer.result, start);
  return answer.result;
}

async function poolReadCounted(
  routes: Routes,
  file: OpenedFile,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  routes.count(Op.read, Route.pool);
  const start = routes.begin();
  const n = await poolRead(file.fd, bytes, offset, length, position);
  routes.ended(Op.read, Route.pool, n, start);
  return n;
}

/** Writes [offset, offset + length) of `bytes`; the count may be less, as with write(2). */
export function writeFrom(
  file: OpenedFile,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  signal?: AbortSignal,
  routes: Routes = file.routes,
): number | Promise<number> {
  if (routes.now && file.writesNow && spend(length)) {
    const start = routes.begin();
    const n = routes.runtime.native.fileWriteNow(file.id, bytes, offset, length, position);
    if (n > WAITS) {
      routes.count(Op.write, Route.now);
      routes.ended(Op.write, Route.now, n, start);
      return n;
    }
    if (n === NEVER) file.writesNow = false;
    const done = n === NEVER ? 0 : WAITS - n;
    return writeSlowly(routes, file, { bytes, offset, length, position }, done, signal);
  }
  return writeSlowly(routes, file, { bytes, offset, length, position }, 0, signal);
}

async function writeSlowly(
  routes: Routes,
  file: OpenedFile,
  { bytes, offset, length, position }: Transfer,
  done: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (signal?.aborted) throw abortError(signal);
  file.enter();
  try {
    const left = length - done;
    // More than a block goes in one call all the same, so that an append stays whole.
    const byRing = routes.ring[Op.write] && left <= BLOCK_BYTES_MAX;
    const route = byRing ? Route.ring : Route.pool;
    routes.count(Op.write, route);
    const start = routes.begin();
    const at = after(position, done);
    const n = byRing
      ? await ringWrite(file, bytes, offset + done, left, at, signal)
      : await poolWrite(file.fd, bytes, offset + done, left, at);
    routes.ended(Op.write, route, n, start);
    if (n >= 0) return done + n;
    // What was written at once is written, whatever became of the rest.
    if (done > 0) return done;
    if (byRing && signal?.aborted) throw abortError(signal);
    return n;
  } finally {
    file.leave();
  }
}

async function ringWrite(
  file: OpenedFile,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { native } = file.routes.runtime;
  const { result } = await request(
    (id) => native.fileWrite(id, file.id, bytes, offset, length, position),
    signal,
  );
  return result;
}
