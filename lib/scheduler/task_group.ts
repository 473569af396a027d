// Child tasks that do not outlive their scope.
import { RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { block, passOn } from './block.js';
import { taskOf } from './context.js';
import type { SpawnedTask } from './handle.js';
import type { TaskContext, TaskFunction, TaskHandle, TaskOptions, TaskResult } from './types.js';
import { WaitList } from './waiter.js';

const OPTIONS = optionNames<{ signal?: AbortSignal }>('TaskGroup', { signal: true });

/** Where the children of a group run: a `HybridScheduler`. */
export interface Spawner {
  spawn<R>(body: TaskFunction<R>, options?: TaskOptions): TaskHandle<TaskResult<R>>;
  /** @internal */
  spawnWith<R>(
    body: TaskFunction<R>,
    options: TaskOptions | undefined,
    onEnded: () => void,
  ): SpawnedTask<TaskResult<R>>;
}

/**
 * Made by `scheduler.group()`, or by `await using group = new TaskGroup(scheduler)`.
 * Leaving the scope cancels the children that still run and waits until they have ended.
 * A child that fails cancels the others.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #scheduler: Spawner;
  readonly #children = new Set<SpawnedTask<unknown>>();
  readonly #joiners = new WaitList();
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort = () => this.cancel(this.#outer?.reason);
  #failure: { error: unknown } | null = null;

  constructor(scheduler: Spawner, options: { signal?: AbortSignal } = {}) {
    checkOptions(OPTIONS, options);
    this.#scheduler = scheduler;
    this.#outer = options.signal;
    if (this.#outer?.aborted === true) this.cancel(this.#outer.reason);
    else this.#outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  /** Children that have not ended. */
  get size(): number {
    return this.#children.size;
  }

  /** Aborts when the group is cancelled, fails or is left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs a child; see `HybridScheduler.run()`. A failure also shows in `join()`. */
  run<R>(body: TaskFunction<R>, options?: TaskOptions): Promise<TaskResult<R>> {
    return this.spawn(body, options).promise;
  }

  /** Runs a child and returns its handle. In a cancelled group it never starts. */
  spawn<R>(body: TaskFunction<R>, options?: TaskOptions): TaskHandle<TaskResult<R>> {
    const child = this.#scheduler.spawnWith(body, options, () => this.#childEnded(child));
    this.#children.add(child);
    child.promise.then(undefined, (error) => this.#childFailed(child, error));
    if (this.signal.aborted) child.cancel(this.signal.reason);
    return child;
  }

  /** Cancels all children; `reason` is what their promises reject with. */
  cancel(reason: unknown = new DOMException('The group was cancelled', 'AbortError')): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
    for (const child of [...this.#children]) child.cancel(reason);
  }

  /**
   * Resolves when all children have ended. Rejects with the error of the first that failed, or else
   * with the reason of the group's signal when that has aborted.
   */
  async join(context?: TaskContext): Promise<void> {
    const task = taskOf(context);
    if (this.#children.size === 0) await passOn(task);
    else await block<void>(this.#joiners, task, 'join of group', this);
    this.throwIfFailed();
    if (this.#outer?.aborted === true) throw this.#outer.reason;
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Cancels what still runs and resolves when it has ended. */
  async leave(): Promise<void> {
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
    this.cancel(new RingpollError('ERR_RINGPOLL_CANCELLED', 'The scope of the group was left'));
    if (this.#children.size > 0) await block<void>(this.#joiners, null, 'join of group', this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    this.throwIfFailed();
  }

  /** @internal */
  wakers(): { ids: number[]; all: boolean } {
    return { ids: Array.from(this.#children, ({ id }) => id), all: true };
  }

  #childEnded(child: SpawnedTask<unknown>): void {
    this.#children.delete(child);
    if (this.#children.size > 0) return;
    for (let waiter = this.#joiners.shift(); waiter !== null; waiter = this.#joiners.shift()) {
      waiter.wake(undefined);
    }
  }

  #childFailed(child: SpawnedTask<unknown>, error: unknown): void {
    if (child.cancelledByHand || this.#failure !== null) return;
    this.#failure = { error };
    this.cancel(error);
  }
}
