// Jobs that several processes share through a stream of Redis, each done at least once.
import { Buffer } from 'node:buffer';
import { crypto } from '../builtins.js';
import { asError, invalidArgType } from '../errors.js';
import { begin, closedError, isWorth } from './attempts.js';
import { checkKey, checkStop, type PushOptions, type QueueStopOptions } from './options.js';
import type { Entry, RedisCommands } from './redis_client.js';
import {
  type CheckedRedisQueue,
  checkRedisQueue,
  type RedisJobQueueOptions,
} from './redis_options.js';
import { type Delivery, RedisStore } from './redis_store.js';

export type RedisPushOptions = Pick<PushOptions, 'key'>;

export interface RedisQueueCounts {
  /** Attempts under way in this process, those included that Redis has to be told of. */
  running: number;
  /** Jobs of this process that wait for another attempt. */
  delayed: number;
  done: number;
  /** Attempts that failed. */
  failures: number;
  /** Jobs that have become dead letters. */
  dead: number;
  /** Jobs that were not taken, since their key was known. */
  duplicates: number;
  /** Jobs taken over: of a process that died or was too slow, or lost on the way to this one. */
  reclaimed: number;
}

/** A job that has failed for the last time. */
export interface RedisDeadLetter<T> {
  readonly id: string;
  /** undefined: it is no JSON. */
  readonly payload: T | undefined;
  readonly key: string | undefined;
  readonly attempts: number;
  /** The message of the last error. */
  readonly error: string;
}

interface Held {
  readonly entry: Entry;
  control: AbortController | undefined;
  timer: NodeJS.Timeout | undefined;
  acked: boolean;
}

const PAYLOAD_BYTES_MAX = 512 * 1024;
const SWEEPS_IN_VISIBILITY = 4;
const SWEEP_MS_MAX = 15_000;
/** Consumers that nobody has heard of for so many times of the visibility are forgotten. */
const FORGET_AFTER = 10;
const FORGET_MS_MIN = 600_000;
/** Jobs that wait for another attempt keep no others out, up to so many. */
const HELD_MAX = 1000;

/**
 * A queue in a stream of Redis (6.2 or newer), which processes share. A job is done at least once:
 * again when its process died, or took longer than `visibility`, or Redis lost what it was told.
 * Jobs begin about in the order in which they came.
 */
export class RedisJobQueue<T> {
  readonly #checked: CheckedRedisQueue<T>;
  readonly #store: RedisStore;
  readonly #held = new Map<string, Held>();
  readonly #counts: RedisQueueCounts = {
    ...{ running: 0, delayed: 0, done: 0, failures: 0, dead: 0, duplicates: 0, reclaimed: 0 },
  };
  #sweeper: NodeJS.Timeout | undefined;
  #isReading = false;
  #wakes: (() => void)[] = [];
  #closed = false;
  #destroyed = false;

  /**
   * @param client connected, of the package `redis`; a duplicate of it reads
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  constructor(client: RedisCommands, options: RedisJobQueueOptions<T> = {}) {
    if (typeof client?.sendCommand !== 'function' || typeof client.duplicate !== 'function') {
      throw invalidArgType('client', 'a client of the package redis', client);
    }
    this.#checked = checkRedisQueue(options);
    const { run, consumer = crypto().randomUUID() } = this.#checked;
    this.#store = new RedisStore(client, this.#checked as CheckedRedisQueue<never>, consumer);
    if (run === undefined) return;
    void this.#read();
    this.#sweepLater();
  }

  get counts(): RedisQueueCounts {
    return { ...this.#counts };
  }

  /**
   * Takes a job: Redis has it when the promise resolves. When it rejects because the connection
   * broke, Redis may have it all the same: push it again with the same key.
   * @param payload what JSON can say, up to 512 KB
   * @returns false: its key is known, and nothing was taken
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_QUEUE_FULL, ERR_RINGPOLL_QUEUE_CLOSED; and the client's
   */
  async push(payload: T, options: RedisPushOptions = {}): Promise<boolean> {
    const key = checkKey(options);
    if (this.#closed) throw closedError('jobs');
    const text = JSON.stringify(payload) as string | undefined;
    if (text === undefined || Buffer.byteLength(text) > PAYLOAD_BYTES_MAX) {
      throw invalidArgType('payload', `JSON of up to ${PAYLOAD_BYTES_MAX} bytes`, payload);
    }
    const taken = await this.#store.push(text, key ?? '');
    if (!taken) this.#counts.duplicates++;
    return taken;
  }

  /** Jobs that are not done yet, those of all processes. @returns rejects as the client does */
  length(): Promise<number> {
    return this.#store.length();
  }

  /** The dead letters that are kept, the oldest first. @returns rejects as the client does */
  async deadLetters(): Promise<RedisDeadLetter<T>[]> {
    const letters = await this.#store.deadLetters();
    return letters.map(({ id, fields }) => ({
      id,
      payload: payloadIn(fields),
      key: keyIn(fields),
      attempts: Number(fields.get('attempts') ?? 0),
      error: fields.get('error') ?? '',
    }));
  }

  /**
   * Takes the dead letters that are kept as new jobs, with all attempts.
   * @returns how many; rejects as the client does
   */
  revive(): Promise<number> {
    return this.#store.revive();
  }

  /**
   * Takes no more jobs, and finishes those that this process has, with their attempts. At the
   * timeout the rest is given up, as by destroy().
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  async stop(options: QueueStopOptions = {}): Promise<void> {
    const timeoutMs = checkStop(options);
    this.#close();
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.destroy(), timeoutMs);
    const isBusy = () => this.#isReading || this.#held.size > 0;
    while (isBusy() && !this.#destroyed) await this.#changed();
    if (this.#checked.run !== undefined && !this.#destroyed) {
      // Only without a job: what is pending would be lost.
      const forgotten = this.#store.forget(Number.MAX_SAFE_INTEGER, true).catch(() => {});
      let isOver = false;
      forgotten.finally(() => {
        isOver = true;
        this.#wake();
      });
      while (!isOver && !this.#destroyed) await this.#changed();
    }
    clearTimeout(timer);
    this.#store.destroy();
  }

  /**
   * Gives up what this process has: signals of attempts under way abort. Other processes take
   * these jobs when `visibility` has passed.
   */
  destroy(): void {
    this.#close();
    this.#destroyed = true;
    this.#store.destroy();
    for (const { control, timer } of this.#held.values()) {
      clearTimeout(timer);
      control?.abort(closedError('jobs'));
    }
    this.#held.clear();
    this.#counts.running = this.#counts.delayed = 0;
    this.#wake();
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#sweeper);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  get #room(): number {
    if (this.#held.size >= HELD_MAX + this.#checked.concurrency) return 0;
    return this.#checked.concurrency - this.#counts.running;
  }

  async #whenRoom(): Promise<void> {
    while (this.#room <= 0 && !this.#closed) await this.#changed();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    let fresh = true;
    const round = async () => {
      if (fresh) {
        await this.#store.openGroup();
        await this.#store.openReader();
        await this.#takeLost();
        fresh = false;
      }
      await this.#whenRoom();
      if (this.#closed) return;
      for (const entry of await this.#store.read(this.#room)) {
        if (!this.#held.has(entry.id)) this.#begin({ entry, attempt: 1 });
      }
    };
    while (!this.#closed) {
      await this.#store.insist(async () => {
        try {
          await round();
        } catch (error) {
          // Redis may have begun anew, and what it has sent last may be lost.
          fresh = true;
          this.#store.closeReader();
          if (!this.#closed) throw error;
        }
      });
    }
    this.#isReading = false;
    this.#wake();
  }

  /** Jobs that Redis has given to this consumer, and that have not come here. */
  async #takeLost(): Promise<void> {
    for (let id = '0'; ; ) {
      const page = await this.#store.readOwn(id);
      if (page.length === 0) return;
      for (const entry of page) {
        id = entry.id;
        if (this.#held.has(id)) continue;
        await this.#whenRoom();
        if (this.#closed) return;
        this.#reclaim(await this.#store.takeOwn(id));
      }
    }
  }

  async #sweep(): Promise<void> {
    const { visibilityMs } = this.#checked;
    try {
      for (const id of await this.#store.old()) {
        if (this.#held.has(id)) continue;
        await this.#whenRoom();
        if (this.#closed) return;
        this.#reclaim(await this.#store.takeOld(id));
      }
      await this.#store.forget(Math.max(FORGET_MS_MIN, FORGET_AFTER * visibilityMs), false);
    } catch (error) {
      if (!this.#closed) this.#store.failed(error);
    }
    if (!this.#closed) this.#sweepLater();
  }

  #sweepLater(): void {
    const everyMs = Math.ceil(this.#checked.visibilityMs / SWEEPS_IN_VISIBILITY);
    this.#sweeper = setTimeout(() => this.#sweep(), Math.min(everyMs, SWEEP_MS_MAX)).unref();
  }

  #reclaim(delivery: Delivery | undefined): void {
    if (delivery === undefined || this.#held.has(delivery.entry.id)) return;
    this.#counts.reclaimed++;
    this.#begin(delivery);
  }

  #begin({ entry, attempt }: Delivery): void {
    if (this.#destroyed) return;
    const held: Held = { entry, control: undefined, timer: undefined, acked: false };
    this.#held.set(entry.id, held);
    this.#counts.running++;
    this.#start(held, attempt);
  }

  #start(held: Held, attempt: number): void {
    if (attempt > this.#checked.retries.length + 1) {
      void this.#bury(held, attempt - 1, new Error('Its processes ended, or were too slow'));
      return;
    }
    let payload: T;
    try {
      payload = JSON.parse(held.entry.fields.get('payload') ?? '') as T;
    } catch (error) {
      void this.#bury(held, attempt, asError(error));
      return;
    }
    this.#attempt(held, payload, attempt);
  }

  #attempt(held: Held, payload: T, attempt: number): void {
    const { run, visibilityMs } = this.#checked;
    const control = new AbortController();
    held.control = control;
    const { id, fields } = held.entry;
    const ack = async () => {
      held.acked = true;
      await this.#store.insist(() => this.#store.done(id));
    };
    const context = { id, attempt, key: keyIn(fields), signal: control.signal, ack };
    begin({
      control,
      timeoutMs: visibilityMs,
      arm: (late) => {
        held.timer = setTimeout(late, visibilityMs);
      },
      run: () => run?.(payload, context),
      isCurrent: () => this.#held.get(id) === held && held.control === control,
      succeeded: () => void this.#succeeded(held),
      failed: (error) => this.#failed(held, attempt, error),
    });
  }

  async #succeeded(held: Held): Promise<void> {
    this.#endAttempt(held);
    this.#counts.done++;
    // Also when it has said so itself: that may have been lost.
    await this.#store.insist(() => this.#store.done(held.entry.id));
    this.#leave(held);
  }

  #failed(held: Held, attempt: number, error: Error): void {
    const { retries, retryIf } = this.#checked;
    this.#endAttempt(held);
    this.#counts.failures++;
    if (held.acked) {
      this.#leave(held);
    } else if (attempt <= retries.length && isWorth(retryIf, error, attempt)) {
      this.#counts.running--;
      this.#counts.delayed++;
      held.timer = setTimeout(() => this.#again(held), retries[attempt - 1]);
      this.#wake();
    } else {
      void this.#bury(held, attempt, error);
    }
  }

  async #again(held: Held): Promise<void> {
    const { id } = held.entry;
    const isHeld = () => this.#held.get(id) === held;
    await this.#whenSlot();
    if (!isHeld()) return;
    this.#counts.delayed--;
    this.#counts.running++;
    const delivery = await this.#store.insist(() => this.#store.takeOwn(id));
    if (!isHeld()) return;
    // Nothing: somebody else has taken it meanwhile.
    if (delivery === undefined) this.#leave(held);
    else this.#start(held, delivery.attempt);
  }

  /** Also while the queue is closed: what it has is finished. */
  async #whenSlot(): Promise<void> {
    const { concurrency } = this.#checked;
    while (this.#counts.running >= concurrency && !this.#destroyed) await this.#changed();
  }

  async #bury(held: Held, attempts: number, error: Error): Promise<void> {
    const buried = await this.#store.insist(() => this.#store.bury(held.entry, attempts, error));
    if (buried === true) this.#counts.dead++;
    this.#leave(held);
  }

  #endAttempt(held: Held): void {
    clearTimeout(held.timer);
    held.control = undefined;
  }

  #leave(held: Held): void {
    if (this.#held.get(held.entry.id) !== held) return;
    this.#held.delete(held.entry.id);
    this.#counts.running--;
    this.#wake();
  }
}

function keyIn(fields: ReadonlyMap<string, string>): string | undefined {
  const key = fields.get('key');
  return key === '' ? undefined : key;
}

function payloadIn<T>(fields: ReadonlyMap<string, string>): T | undefined {
  try {
    return JSON.parse(fields.get('payload') ?? '') as T;
  } catch {
    return undefined;
  }
}
