// A channel: values go from senders to receivers in order, and either side waits for the other.
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { block, passOn, passOnWith, refusal } from './block.js';
import { taskOf } from './context.js';
import { Deque } from './deque.js';
import { integerIn } from './options.js';
import type { Task, WaitTarget } from './task.js';
import type { TaskContext } from './types.js';
import { Users } from './users.js';
import { type Waiter, WaitList } from './waiter.js';

const CAPACITY_MAX = 2 ** 30;

export interface ChannelOptions {
  /** Values that fit in before a send waits: 0 (unbuffered) to 2^30. Default 0. */
  capacity?: number;
  /** Shown in reports. */
  name?: string;
}

const OPTIONS = optionNames<ChannelOptions>(
  'Channel',
  { capacity: true, name: true },
  { size: 'capacity', buffer: 'capacity', highWaterMark: 'capacity' },
);

/**
 * A first-in, first-out channel. Unbuffered, a send resolves when its value was received; buffered,
 * when the value is in the buffer. `undefined` cannot be sent: receiving it means the end.
 *
 * Give the context of the task to every operation made inside one: then the wait shows in
 * `tasks()`, ends when the task is cancelled, goes on in turn, and counts for the debug reports.
 * Values are handed over by reference: no copies.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly capacity: number;
  readonly name: string;
  readonly #buffer = new Deque<T>();
  readonly #senders = new WaitList();
  readonly #receivers = new WaitList();
  readonly #sending: Users;
  readonly #receiving: Users;
  #closed = false;

  /** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, RangeError ERR_RINGPOLL_OUT_OF_RANGE */
  constructor(options: ChannelOptions | number = {}) {
    const given = typeof options === 'number' ? { capacity: options } : options;
    if (typeof given !== 'object' || given === null) {
      throw invalidArgType('options', 'an object or a number', options);
    }
    checkOptions(OPTIONS, given);
    this.capacity = integerIn('options.capacity', given.capacity ?? 0, 0, CAPACITY_MAX);
    this.name = given.name ?? 'channel';
    this.#sending = new Users(`receive from ${this.name}`);
    this.#receiving = new Users(`send to ${this.name}`);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Values in the buffer. */
  get length(): number {
    return this.#buffer.length;
  }

  /** Senders and receivers that wait. */
  get waiting(): { senders: number; receivers: number } {
    return { senders: this.#senders.size, receivers: this.#receivers.size };
  }

  /**
   * Sends a value, waiting for a receiver or for room.
   * Rejects with ERR_RINGPOLL_CHANNEL_CLOSED when the channel is closed, also while it waits.
   */
  send(value: T, context?: TaskContext): Promise<void> {
    const task = context === undefined ? null : taskOf(context);
    const refused = refusal(task);
    if (refused !== null) return refused;
    this.#sending.note(task);
    if (this.offer(value)) return passOn(task);
    if (this.#closed) return Promise.reject(this.#closedError());
    return block<void>(this.#senders, task, this.#receiving.reason, this.#receiving, value);
  }

  /**
   * Receives the next value, waiting for one; undefined when the channel is closed and empty.
   */
  receive(context?: TaskContext): Promise<T | undefined> {
    const task = context === undefined ? null : taskOf(context);
    const refused = refusal(task);
    if (refused !== null) return refused;
    this.#receiving.note(task);
    const value = this.take();
    if (value !== undefined || this.#closed) return passOnWith(task, value);
    return block<T | undefined>(this.#receivers, task, this.#sending.reason, this.#sending);
  }

  /** Sends if that is possible without waiting; says whether it did. */
  trySend(value: T): boolean {
    this.#sending.note(null);
    return this.offer(value);
  }

  /** The next value if there is one now. */
  tryReceive(): T | undefined {
    this.#receiving.note(null);
    return this.take();
  }

  /**
   * Ends the channel: what is in the buffer can still be received, waiting receivers get undefined,
   * waiting senders are rejected. Closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let waiter = this.#receivers.shift(); waiter !== null; waiter = this.#receivers.shift()) {
      waiter.wake(undefined);
    }
    for (let waiter = this.#senders.shift(); waiter !== null; waiter = this.#senders.shift()) {
      waiter.fail(this.#closedError());
    }
  }

  /** Receives until the channel is closed and empty. */
  async *values(context?: TaskContext): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const value = await this.receive(context);
      if (value === undefined) return;
      yield value;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.values();
  }

  /** @internal */
  offer(value: T): boolean {
    if (value === undefined) throw invalidArgValue('value', 'defined', value);
    if (this.#closed) return false;
    const receiver = this.#receivers.shift();
    if (receiver !== null) {
      receiver.wake(value);
      return true;
    }
    if (this.#buffer.length >= this.capacity) return false;
    this.#buffer.push(value);
    return true;
  }

  /** @internal */
  take(): T | undefined {
    const value = this.#buffer.shift();
    const sender = this.#senders.shift();
    if (sender === null) return value;
    const sent = sender.payload as T;
    sender.wake(undefined);
    if (value === undefined) return sent;
    this.#buffer.push(sent);
    return value;
  }

  /** @internal Puts one arm of a select in line. */
  enlist(waiter: Waiter, sends: boolean, task: Task | null): WaitTarget {
    (sends ? this.#sending : this.#receiving).note(task);
    (sends ? this.#senders : this.#receivers).push(waiter);
    return sends ? this.#receiving : this.#sending;
  }

  #closedError(): RingpollError {
    return new RingpollError('ERR_RINGPOLL_CHANNEL_CLOSED', `The ${this.name} is closed`);
  }
}
