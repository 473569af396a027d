// Runs the bodies of tasks: the first step of each, and every further one of generators.
// An async function goes on by itself as soon as its gate opens.
import type { Drive } from './drive.js';
import type { Task, TaskOwner } from './task.js';
import { Waiter } from './waiter.js';

const PROMISE_THEN = Promise.prototype.then;

function isGenerator(value: object): value is Generator<unknown, unknown, unknown> {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Generator';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** What the body of a task may return. */
const enum Result {
  value,
  promise,
  thenable,
  generator,
}

/** Throws what a getter of the result throws: that is the task's error, and nobody else's. */
function kindOf(result: unknown): Result {
  if (typeof result !== 'object' || result === null) return Result.value;
  if (result instanceof Promise) return Result.promise;
  if (isGenerator(result)) return Result.generator;
  return isThenable(result) ? Result.thenable : Result.value;
}

export class Runner {
  readonly #drive: () => Drive;
  readonly #owner: TaskOwner;

  constructor(drive: () => Drive, owner: TaskOwner) {
    this.#drive = drive;
    this.#owner = owner;
  }

  /** Gives the task its step; true when that is over on return already. */
  dispatch(task: Task): boolean {
    if (!task.started) return this.#start(task);
    const { openGate, failGate, wakeValue, wakeFailed } = task;
    task.wakeValue = undefined;
    task.yielding = false;
    if (openGate === null || failGate === null) return this.#step(task, wakeValue, wakeFailed);
    task.openGate = null;
    task.failGate = null;
    if (wakeFailed) failGate(wakeValue);
    else openGate(wakeValue);
    return false;
  }

  #start(task: Task): boolean {
    task.started = true;
    if (task.cancelled !== null) return this.#end(task, true, task.cancelled.reason);
    let result: unknown;
    let kind: Result;
    try {
      result = task.scope?.runInAsyncScope(task.body as never, undefined, task.context);
      kind = kindOf(result);
    } catch (error) {
      return this.#end(task, true, error);
    }
    return this.#follow(task, result, kind);
  }

  /** What the body returned may be the value, a promise of it, or a generator to step through. */
  #follow(task: Task, result: unknown, kind: Result): boolean {
    if (kind === Result.value) return this.#end(task, false, result);
    if (kind === Result.generator) {
      task.iterator = result as Generator<unknown, unknown, unknown>;
      return this.#step(task, undefined, false);
    }
    if (kind === Result.promise) PROMISE_THEN.call(result, task.onFulfilled, task.onRejected);
    else Promise.resolve(result).then(task.onFulfilled, task.onRejected);
    return false;
  }

  #end(task: Task, failed: boolean, value: unknown): true {
    this.#owner.ended(task, failed, value);
    return true;
  }

  /** Runs a generator up to its next wait, or to a bare yield after the slice is used up. */
  #step(task: Task, input: unknown, inputFailed: boolean): boolean {
    let value = input;
    let failed = inputFailed;
    for (;;) {
      let step: IteratorResult<unknown, unknown>;
      let waits: boolean;
      try {
        step = this.#resume(task, value, failed);
        waits = isThenable(step.value);
      } catch (error) {
        return this.#end(task, true, error);
      }
      value = step.value;
      if (step.done === true) {
        return this.#follow(task, value, waits ? Result.thenable : Result.value);
      }
      failed = false;
      if (waits) {
        this.#waitFor(task, Promise.resolve(value));
        return true;
      }
      if (value !== undefined || task.context?.shouldYield() !== true) continue;
      if (task.cancelled === null) {
        this.#drive().yieldGenerator(task);
        return true;
      }
      value = task.cancelled.reason;
      failed = true;
    }
  }

  #resume(task: Task, value: unknown, failed: boolean): IteratorResult<unknown, unknown> {
    const iterator = task.iterator as Generator<unknown, unknown, unknown>;
    const method = failed ? iterator.throw : iterator.next;
    return task.scope?.runInAsyncScope(method, iterator, value) as IteratorResult<unknown, unknown>;
  }

  #waitFor(task: Task, promise: PromiseLike<unknown>): void {
    if (task.openGate !== null) {
      // An operation of the context has parked the task, and its gate opens in turn.
      const { id } = task;
      const stepOn = (value: unknown, failed: boolean) => {
        if (task.id === id && task.iterator !== null) this.#step(task, value, failed);
      };
      promise.then(
        (value) => stepOn(value, false),
        (error) => stepOn(error, true),
      );
      return;
    }
    const waiter = new Waiter();
    this.#drive().parkGenerator(task, waiter);
    promise.then(
      (value) => waiter.wake(value),
      (error) => waiter.fail(error),
    );
  }
}
