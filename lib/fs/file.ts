// An open file: its two names (native code's number and the descriptor), and how it is opened and
// closed. It is closed when the last operation on it has ended.
import type * as Fs from 'node:fs';
import { fs } from '../builtins.js';
import { EAGAIN, REGULAR_FILE } from '../runtime/native_files.js';
import { appends, MODE_DEFAULT, usualFlags, usualMode, usualPath, writes } from './arguments.js';
import { abortError, checkAborted, fileError } from './errors.js';
import { inPool } from './pool.js';
import { request } from './requests.js';
import { type FileEngine, Op, Route, type Routes, routesFor } from './routes.js';
import { nextTurn, spend } from './share.js';

/** Whether a flush is under way, and the one that those who came later wait for. */
export interface SyncTurns {
  running: boolean;
  next: { promise: Promise<void>; start(): void } | undefined;
}

export class OpenedFile {
  /** Where its operations go, by the hint that it was opened with. */
  readonly routes: Routes;
  readonly id: number;
  readonly fd: number;
  readonly regular: boolean;
  /** Native code has opened it, so native code closes it; Node keeps count of those it opens. */
  readonly owned: boolean;
  readonly writable: boolean;
  /** False once native code has said that it never can. */
  readsNow: boolean;
  writesNow: boolean;
  readonly syncs: SyncTurns = { running: false, next: undefined };
  readonly datasyncs: SyncTurns = { running: false, next: undefined };
  #busy = 0;
  #onIdle: (() => void) | undefined;

  constructor(routes: Routes, id: number, owned: boolean, writable: boolean) {
    const about = routes.runtime.native.fileAbout(id);
    this.routes = routes;
    this.id = id;
    this.fd = about >> 2;
    this.regular = (about & 3) === REGULAR_FILE;
    this.owned = owned;
    this.writable = writable;
    this.readsNow = true;
    this.writesNow = true;
  }

  /** An operation begins that outlives the call. */
  enter(): void {
    this.#busy++;
  }

  leave(): void {
    if (--this.#busy > 0) return;
    this.#onIdle?.();
    this.#onIdle = undefined;
  }

  /** Resolves when no operation is under way. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** Opens like node:fs/promises, with the same complaints; any form of argument is welcome. */
export async function openFile(
  path: unknown,
  flags: unknown,
  mode?: unknown,
  signal?: AbortSignal,
  engine?: FileEngine,
): Promise<OpenedFile> {
  const routes = routesFor(engine);
  checkAborted(signal);
  const usual = { path: usualPath(path), flags: usualFlags(flags), mode: usualMode(mode) };
  if (usual.path === undefined || usual.flags === undefined || usual.mode === undefined) {
    return openInPool(routes, path, flags, mode);
  }
  // A written file is closed by a worker of the ring or of the pool; without a ring, the pool must
  // have opened it.
  if (routes.now && (routes.ring[Op.close] || !writes(usual.flags))) {
    if (!spend(0)) await nextTurn();
    const id = routes.runtime.native.fileOpenNow(usual.path, usual.flags);
    if (id >= 0 || id !== -EAGAIN) routes.count(Op.open, Route.now);
    if (id >= 0) return new OpenedFile(routes, id, true, writes(usual.flags));
    if (id !== -EAGAIN) throw fileError(id, 'open', usual.path);
  }
  if (!routes.ring[Op.open] || !routes.ring[Op.close]) return openInPool(routes, path, flags, mode);
  routes.count(Op.open, Route.ring);
  const { path: name, flags: bits, mode: permissions } = usual;
  const { result } = await request(
    (id) => routes.runtime.native.fileOpen(id, name, bits, permissions),
    signal,
  );
  if (result < 0) {
    if (signal?.aborted) throw abortError(signal);
    throw fileError(result, 'open', name);
  }
  return new OpenedFile(routes, result, true, writes(bits));
}

async function openInPool(
  routes: Routes,
  path: unknown,
  flags: unknown,
  mode: unknown,
): Promise<OpenedFile> {
  routes.count(Op.open, Route.pool);
  const fd = await inPool<number>((callback) => {
    fs().open(
      path as Fs.PathLike,
      (flags ?? 'r') as Fs.OpenMode,
      (mode ?? MODE_DEFAULT) as Fs.Mode,
      callback,
    );
  });
  const bits = usualFlags(flags) ?? 0;
  const id = routes.runtime.native.fileAdopt(fd, appends(bits));
  if (id < 0) {
    await inPool<void>((callback) => fs().close(fd, callback as Fs.NoParamCallback));
    throw fileError(id, 'open', String(path));
  }
  return new OpenedFile(routes, id, false, writes(bits));
}

/** Waits for what is under way, then closes. Nothing new may begin meanwhile. */
export async function closeFile(file: OpenedFile): Promise<void> {
  const { routes } = file;
  await file.idle();
  const { native } = routes.runtime;
  if (!file.owned) {
    routes.count(Op.close, Route.pool);
    const fd = native.fileForget(file.id);
    await inPool<void>((callback) => fs().close(fd, callback as Fs.NoParamCallback));
    return;
  }
  let result: number;
  if (!routes.ring[Op.close] || (!file.writable && routes.hint !== 'uring')) {
    routes.count(Op.close, Route.now);
    result = native.fileCloseNow(file.id);
  } else {
    routes.count(Op.close, Route.ring);
    ({ result } = await request((id) => native.fileClose(id, file.id)));
  }
  if (result < 0) throw fileError(result, 'close');
}
