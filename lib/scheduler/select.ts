// Waits for the first of several channel operations; exactly one of them happens.
import { invalidArgType, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { blockOn, passOnWith, refusal } from './block.js';
import { Channel } from './channel.js';
import { systemClock } from './clock.js';
import { taskOf } from './context.js';
import { checkRandom, numberIn } from './options.js';
import type { Task, WaitTarget } from './task.js';
import type { TaskContext } from './types.js';
import { Waiter } from './waiter.js';

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** One arm of a select, from `receiveFrom()` or `sendTo()`. */
export interface SelectArm<T> {
  readonly channel: Channel<T>;
  readonly sends: boolean;
  readonly value: T | undefined;
}

export interface SelectResult<T> {
  /** Which arm it was; -1 is the timeout. */
  index: number;
  /** What was received; undefined for a send, a closed channel and the timeout. */
  value: T | undefined;
}

export interface SelectOptions {
  /** The context of the task that selects. */
  context?: TaskContext;
  /** Milliseconds to wait at most; 0 does not wait at all. Default for ever. */
  timeout?: number;
  /**
   * Numbers from 0 to below 1, which choose among arms that are possible at once: give a seeded
   * one to have the same choices again. Default: the scheduler's, or else Math.random.
   */
  random?: () => number;
}

const OPTIONS = optionNames<SelectOptions>(
  'select()',
  { context: true, timeout: true, random: true },
  { deadline: 'timeout', signal: 'context' },
);

/** The arm that receives; it also comes true when the channel is closed. */
export function receiveFrom<T>(channel: Channel<T>): SelectArm<T> {
  return { channel, sends: false, value: undefined };
}

/** The arm that sends `value`. */
export function sendTo<T>(channel: Channel<T>, value: T): SelectArm<T> {
  return { channel, sends: true, value };
}

class ArmWaiter extends Waiter {
  constructor(
    readonly index: number,
    readonly chosen: Waiter<SelectResult<unknown>>,
  ) {
    super();
  }

  override wake(value: unknown): void {
    if (this.settled) return;
    this.detach();
    this.chosen.wake({ index: this.index, value });
  }

  override fail(error: unknown): void {
    if (this.settled) return;
    this.detach();
    this.chosen.fail(error);
  }
}

/** Unknown as soon as one arm has an unknown waker; otherwise any of them all can end the wait. */
function jointTarget(targets: readonly WaitTarget[]): WaitTarget {
  return {
    isTransfer: true,
    wakers(waiter) {
      const each = targets.map((target) => target.wakers(waiter));
      if (each.includes(null)) return null;
      return { ids: each.flatMap((wakers) => wakers?.ids ?? []), all: false };
    },
  };
}

/** An integer from 0 to below `count`, whatever comes of a source that is not ours. */
function pick(random: () => number, count: number): number {
  const index = Math.trunc(random() * count);
  return index > 0 && index < count ? index : 0;
}

/**
 * Looks at the arms in an order of chance, so that each of those that are possible is as likely.
 * Any order that counts calls shows when other calls come between.
 */
function tryNow(
  arms: readonly SelectArm<unknown>[],
  random: () => number,
): SelectResult<unknown> | null {
  const left = arms.map((_, index) => index);
  while (left.length > 0) {
    const at = left.length === 1 ? 0 : pick(random, left.length);
    const index = left[at];
    left[at] = left[left.length - 1];
    left.pop();
    const { channel, sends, value } = arms[index];
    if (sends) {
      if (channel.offer(value)) return { index, value: undefined };
      if (channel.closed) throw closedError(channel);
    } else {
      const received = channel.take();
      if (received !== undefined || channel.closed) return { index, value: received };
    }
  }
  return null;
}

function closedError(channel: Channel<unknown>): RingpollError {
  return new RingpollError('ERR_RINGPOLL_CHANNEL_CLOSED', `The ${channel.name} is closed`);
}

function wait(
  arms: readonly SelectArm<unknown>[],
  task: Task | null,
  timeout: number,
): Promise<SelectResult<unknown>> {
  const chosen = new Waiter<SelectResult<unknown>>();
  const targets: WaitTarget[] = [];
  const gate = blockOn(chosen, task, `select of ${arms.length}`, jointTarget(targets));
  if (chosen.settled) return gate;
  const waiters = arms.map(({ channel, sends, value }, index) => {
    const waiter = new ArmWaiter(index, chosen);
    waiter.payload = value;
    targets.push(channel.enlist(waiter, sends, task));
    return waiter;
  });
  const clock = task?.context?.drive.clock ?? systemClock;
  let timer: unknown = null;
  if (timeout <= TIMEOUT_MS_MAX) {
    targets.push({ wakers: () => null });
    timer = clock.setTimer(() => chosen.wake({ index: -1, value: undefined }), timeout, true);
  }
  chosen.cleanup = () => {
    if (timer !== null) clock.clearTimer(timer);
    for (const waiter of waiters) if (!waiter.settled) waiter.detach();
  };
  return gate;
}

/**
 * Performs the first of the operations that is possible and resolves with which one it was.
 * Of several that are possible at once each is as likely as the others. Rejects with
 * ERR_RINGPOLL_CHANNEL_CLOSED when a channel to send to is closed.
 *
 * @throws TypeError for something that is no arm or no function, RangeError for a wrong timeout
 */
export async function select<T>(
  arms: readonly SelectArm<T>[],
  options: SelectOptions = {},
): Promise<SelectResult<T>> {
  checkOptions(OPTIONS, options);
  const { context, timeout = Number.POSITIVE_INFINITY } = options;
  checkRandom(options.random);
  numberIn('options.timeout', timeout, 0, Number.POSITIVE_INFINITY);
  if (!Array.isArray(arms)) throw invalidArgType('arms', 'an array of select arms', arms);
  for (const arm of arms) {
    if (!(arm?.channel instanceof Channel)) throw invalidArgType('arms', 'select arms', arm);
  }
  const task = taskOf(context);
  const refused = refusal(task);
  if (refused !== null) return refused;
  const random = options.random ?? task?.context?.drive.random ?? Math.random;
  const now = tryNow(arms as readonly SelectArm<unknown>[], random);
  const result =
    now !== null
      ? passOnWith(task, now)
      : timeout === 0
        ? passOnWith(task, { index: -1, value: undefined })
        : wait(arms as readonly SelectArm<unknown>[], task, timeout);
  return result as Promise<SelectResult<T>>;
}
