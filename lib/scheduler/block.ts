// How an operation of a channel, semaphore or group waits, or passes on when it need not.
import { DONE, pendingPromise, rejectOfLast, resolveOfLast } from './gate.js';
import type { Task, WaitTarget } from './task.js';
import { Waiter, type WaitList } from './waiter.js';

/** Blocks the task, or whoever calls when that is none, until somebody wakes the waiter. */
export function blockOn<T>(
  waiter: Waiter<T>,
  task: Task | null,
  reason: string,
  target: WaitTarget,
): Promise<T> {
  const context = task?.context;
  if (task !== null && context != null) return context.drive.park(task, waiter, reason, target);
  const gate = pendingPromise<T>();
  waiter.resolve = resolveOfLast<T>();
  waiter.reject = rejectOfLast();
  return gate;
}

/** The same, with a new waiter at the end of `list`. */
export function block<T>(
  list: WaitList,
  task: Task | null,
  reason: string,
  target: WaitTarget,
  payload?: unknown,
): Promise<T> {
  const waiter = new Waiter<T>();
  waiter.payload = payload;
  const gate = blockOn(waiter, task, reason, target);
  // A task that is cancelled, or waits already, was refused.
  if (!waiter.settled) list.push(waiter as Waiter);
  return gate;
}

/**
 * Asked before an operation takes or gives anything: a task that is refused only afterwards would
 * lose what it took. Null when the task may go on.
 */
export function refusal(task: Task | null): Promise<never> | null {
  return task?.context?.drive.refusal(task) ?? null;
}

/** For an operation that need not wait: a task whose slice is over gives way all the same. */
export function passOn(task: Task | null): Promise<void> {
  const context = task?.context;
  if (task === null || context == null || !context.shouldYield()) return DONE;
  return context.drive.yield<void>(task);
}

/** The same, with a value. */
export function passOnWith<T>(task: Task | null, value: T): Promise<T> {
  const context = task?.context;
  if (task === null || context == null || !context.shouldYield()) return Promise.resolve(value);
  return context.drive.yield<T>(task, value);
}
