// Operations that native code has under way, by the number that names them on both sides.
import { type EventSink, registerSink, Wing } from '../runtime/dispatch.js';
import { NO_BLOCK } from '../runtime/native_files.js';
import { Command, Event } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { routesFor } from './routes.js';

/** What became of an operation. */
export interface Answer {
  /** A count, a file's number, or -errno. */
  result: number;
  /** The block that holds what was read; give it back with release(). */
  block: number;
  slab: number;
  offset: number;
}

/** The answer that brings no memory. */
const without = (result: number): Answer => ({ result, block: NO_BLOCK, slab: 0, offset: 0 });

/** Wants pieces of a file that is being sent. */
export type Fetch = (id: number, position: number, length: number) => void;

interface Waiting {
  resolve(answer: Answer): void;
  fetch?: Fetch;
}

class Requests implements EventSink {
  readonly runtime: Runtime;
  #flushThreads: unknown;
  readonly #waiting: (Waiting | undefined)[] = [];
  readonly #free: number[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    registerSink(Wing.files, this);
  }

  add(waiting: Waiting): number {
    const id = this.#free.pop() ?? this.runtime.newFileId();
    this.#waiting[id] = waiting;
    return id;
  }

  end(id: number, answer: Answer): void {
    const waiting = this.#waiting[id];
    if (waiting === undefined) return; // another copy's
    this.#waiting[id] = undefined;
    this.#free.push(id);
    waiting.resolve(answer);
  }

  /** Made at their first use: with a ring nobody needs them. */
  get flushThreads(): unknown {
    this.#flushThreads ??= this.runtime.native.fileFlushes((pairs) => {
      for (let at = 0; at < pairs.length; at += 2) this.end(pairs[at], without(pairs[at + 1]));
    });
    return this.#flushThreads;
  }

  event(kind: number, at: number): void {
    const { events } = this.runtime;
    const id = events[at + 1];
    if (kind === Event.fileFetch) {
      const position = (events[at + 5] >>> 0) * 2 ** 32 + (events[at + 4] >>> 0);
      this.#waiting[id]?.fetch?.(id, position, events[at + 3]);
      return;
    }
    this.end(id, {
      result: events[at + 3],
      offset: events[at + 4],
      slab: events[at + 5],
      block: events[at + 6],
    });
  }
}

let current: Requests | undefined;
function requests(): Requests {
  current ??= new Requests(routesFor().runtime);
  return current;
}

/**
 * Submits an operation and resolves with its answer. An abort cancels it in the kernel; what has
 * begun and cannot be stopped ends first, so that nothing is written to memory afterwards.
 */
export function request(submit: (id: number) => number, signal?: AbortSignal): Promise<Answer> {
  const pending = requests();
  return new Promise((resolve) => {
    if (signal === undefined) {
      const id = pending.add({ resolve });
      begin(pending, id, submit);
      return;
    }
    const cancel = () => pending.runtime.native.fileCancel(id);
    const id = pending.add({
      resolve(answer) {
        signal.removeEventListener('abort', cancel);
        resolve(answer);
      },
    });
    signal.addEventListener('abort', cancel, { once: true });
    begin(pending, id, submit);
  });
}

function begin(pending: Requests, id: number, submit: (id: number) => number): void {
  const error = submit(id);
  if (error !== 0) pending.end(id, without(error));
}

/** fsync or fdatasync on a thread; resolves with 0 or -errno, -EAGAIN when there is no thread. */
export async function requestFlush(file: number, dataOnly: boolean): Promise<number> {
  const { runtime, flushThreads } = requests();
  const { result } = await request((id) =>
    runtime.native.fileFlush(flushThreads, id, file, dataOnly),
  );
  return result;
}

/** Like request() for what ends by itself and asks for pieces meanwhile. */
export function requestWithFetch(submit: (id: number) => void, fetch: Fetch): Promise<Answer> {
  const pending = requests();
  return new Promise((resolve) => submit(pending.add({ resolve, fetch })));
}

/** Gives the answer's block back. */
export function release(answer: Answer): void {
  if (answer.block !== NO_BLOCK) requests().runtime.command(Command.release, answer.block, 0);
}

/** The memory that the answer's block lies in. */
export function slabOf(answer: Answer): Buffer {
  return requests().runtime.memory.slabs[answer.slab];
}
