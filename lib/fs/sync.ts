// What changes or flushes an open file beside its bytes.
import type * as Fs from 'node:fs';
import type { Stats } from 'node:fs';
import { fs } from '../builtins.js';
import { EAGAIN, STAT_FIELDS } from '../runtime/native_files.js';
import { fileError } from './errors.js';
import type { OpenedFile, SyncTurns } from './file.js';
import { inPool } from './pool.js';
import { release, request, requestFlush, slabOf } from './requests.js';
import { Op, Route, type Routes } from './routes.js';
import { nextTurn, spend } from './share.js';
import { statsFrom } from './stats.js';

/** Other systems flush by more than fsync(2), and libuv knows by what. */
const OWN_THREADS = process.platform === 'linux';

/**
 * fsync or fdatasync. One runs at a time; whoever asks meanwhile shares the next one, which begins
 * when this one is over and so covers everything that was written before it was asked for.
 */
export function sync(
  file: OpenedFile,
  dataOnly: boolean,
  routes: Routes = file.routes,
): Promise<void> {
  const turns = dataOnly ? file.datasyncs : file.syncs;
  if (!turns.running) return begin(routes, file, dataOnly, turns);
  if (turns.next === undefined) {
    let start = () => {};
    const promise = new Promise<void>((resolve) => {
      start = () => resolve(begin(routes, file, dataOnly, turns));
    });
    turns.next = { promise, start };
  }
  return turns.next.promise;
}

function begin(
  routes: Routes,
  file: OpenedFile,
  dataOnly: boolean,
  turns: SyncTurns,
): Promise<void> {
  turns.running = true;
  const run = syncNow(routes, file, dataOnly);
  const over = () => {
    const { next } = turns;
    turns.running = false;
    turns.next = undefined;
    next?.start();
  };
  run.then(over, over);
  return run;
}

async function syncNow(routes: Routes, file: OpenedFile, dataOnly: boolean): Promise<void> {
  const op = dataOnly ? Op.datasync : Op.sync;
  const name = dataOnly ? 'fdatasync' : 'fsync';
  if (routes.ring[op]) {
    routes.count(op, Route.ring);
    const { result } = await request((id) => routes.runtime.native.fileSync(id, file.id, dataOnly));
    if (result < 0) throw fileError(result, name);
    return;
  }
  routes.count(op, Route.pool);
  const result = OWN_THREADS ? await requestFlush(file.id, dataOnly) : -EAGAIN;
  if (result === -EAGAIN) {
    return inPool<void>((callback) => fs()[name](file.fd, callback as Fs.NoParamCallback));
  }
  if (result < 0) throw fileError(result, name);
}

export async function truncateFile(file: OpenedFile, length: number): Promise<void> {
  const { routes } = file;
  if (!routes.ring[Op.truncate]) {
    routes.count(Op.truncate, Route.pool);
    return inPool<void>((callback) =>
      fs().ftruncate(file.fd, length, callback as Fs.NoParamCallback),
    );
  }
  routes.count(Op.truncate, Route.ring);
  const { result } = await request((id) => routes.runtime.native.fileTruncate(id, file.id, length));
  if (result < 0) throw fileError(result, 'ftruncate');
}

/** Reserves (or, by `mode`, punches, collapses, ...) a range; see fallocate(2). */
export async function allocate(
  file: OpenedFile,
  mode: number,
  offset: number,
  length: number,
): Promise<void> {
  const { routes } = file;
  const { native } = routes.runtime;
  const byRing = routes.ring[Op.fallocate];
  routes.count(Op.fallocate, byRing ? Route.ring : Route.pool);
  const result = byRing
    ? (await request((id) => native.fileAllocate(id, file.id, mode, offset, length))).result
    : await native.fileAllocateInPool(file.id, mode, offset, length);
  if (result < 0) throw fileError(result, 'fallocate');
}

const fields = new Float64Array(STAT_FIELDS);

/** By path or by open file; `path` is for the error alone. */
export async function statOf(
  routes: Routes,
  target: string | OpenedFile,
  follow: boolean,
  syscall: string,
): Promise<Stats> {
  const { native } = routes.runtime;
  const path = typeof target === 'string' ? target : undefined;
  const name = typeof target === 'string' ? target : target.id;
  if (routes.now) {
    if (!spend(0)) await nextTurn();
    const result = native.fileStatNow(name, follow, fields);
    if (result !== -EAGAIN) {
      routes.count(Op.stat, Route.now);
      if (result < 0) throw fileError(result, syscall, path);
      return statsFrom(fields);
    }
  }
  if (!routes.ring[Op.stat]) return statInPool(routes, target, follow);
  routes.count(Op.stat, Route.ring);
  const answer = await request((id) => native.fileStat(id, name, follow));
  if (answer.result < 0) throw fileError(answer.result, syscall, path);
  const slab = slabOf(answer);
  const stats = statsFrom(
    new Float64Array(slab.buffer, slab.byteOffset + answer.offset, STAT_FIELDS),
  );
  release(answer);
  return stats;
}

function statInPool(routes: Routes, target: string | OpenedFile, follow: boolean): Promise<Stats> {
  routes.count(Op.stat, Route.pool);
  return inPool<Stats>((callback) => {
    if (typeof target !== 'string') fs().fstat(target.fd, callback);
    else if (follow) fs().stat(target, callback);
    else fs().lstat(target, callback);
  });
}
