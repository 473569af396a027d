// A backplane over Redis pub/sub, by a client of the package `redis` that the program brings along.
import { Buffer } from 'node:buffer';
import { crypto } from '../builtins.js';
import { asError, invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { Backplane } from './backplane.js';

/** What is needed of a client of `redis` (node-redis 4 and newer). */
export interface RedisClient {
  readonly isReady: boolean;
  publish(channel: string, message: Buffer): PromiseLike<unknown>;
  duplicate(): RedisSubscriber;
}

export interface RedisSubscriber {
  on(event: 'error', listener: (error: Error) => void): unknown;
  connect(): PromiseLike<unknown>;
  subscribe(
    channel: string,
    listener: (message: Buffer) => void,
    bufferMode: true,
  ): PromiseLike<unknown>;
  destroy?(): unknown;
  disconnect?(): unknown;
}

export interface RedisTopicsOptions {
  /** The channel of Redis that all topics go through. Default: 'ringpoll'. */
  channel?: string;
  /**
   * Failures: Redis is away, or a message could not be given to it. Without it the first one of
   * each outage becomes a process warning.
   */
  error?(error: Error): unknown;
}

const OPTIONS = optionNames<RedisTopicsOptions>('redisTopics()', { channel: true, error: true });
/** Given to Redis and not answered yet; beyond that messages are left out. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const ID_BYTES = 16;
const LENGTH_BYTES = 2;

class RedisTopics implements Backplane {
  readonly #client: RedisClient;
  readonly #channel: string;
  readonly #onError: ((error: Error) => unknown) | undefined;
  /** Tells what we have published from what others did: Redis gives us both. */
  readonly #id = crypto().randomBytes(ID_BYTES);
  #waiting = 0;
  #warned = false;

  constructor(client: RedisClient, channel: string, error: RedisTopicsOptions['error']) {
    this.#client = client;
    this.#channel = channel;
    this.#onError = error;
  }

  publish(topic: string, message: Uint8Array): void {
    // A client that is away would keep them, without a limit, and send them when they are old.
    if (!this.#client.isReady) {
      this.#failed(new Error('Redis is away: a message was not given to it'));
      return;
    }
    const name = Buffer.from(topic, 'utf8');
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(name.length);
    const bytes = Buffer.concat([this.#id, length, name, message]);
    if (this.#waiting + bytes.length > WAITING_BYTES_MAX) {
      this.#failed(new Error('Redis is slow: a message was not given to it'));
      return;
    }
    this.#waiting += bytes.length;
    const answered = (failure?: unknown) => {
      this.#waiting -= bytes.length;
      if (failure === undefined) this.#warned = false;
      else this.#failed(failure);
    };
    this.#client.publish(this.#channel, bytes).then(
      () => answered(),
      (error: unknown) => answered(error ?? new Error('Redis has refused a message')),
    );
  }

  async onMessage(deliver: (topic: string, message: Uint8Array) => void): Promise<() => void> {
    const subscriber = this.#client.duplicate();
    subscriber.on('error', (error) => this.#failed(error));
    let over = false;
    const take = (bytes: Buffer) => this.#take(bytes, deliver);
    // It waits until Redis is there, and is subscribed again after each outage.
    const connecting = (async () => {
      await subscriber.connect();
      await subscriber.subscribe(this.#channel, take, true);
    })();
    connecting.catch((error: unknown) => {
      if (!over) this.#failed(error);
    });
    return () => {
      over = true;
      if (subscriber.destroy !== undefined) subscriber.destroy();
      else subscriber.disconnect?.();
    };
  }

  /** Others may write to the channel too: what is no message of ours is left out. */
  #take(bytes: Buffer, deliver: (topic: string, message: Uint8Array) => void): void {
    const at = ID_BYTES + LENGTH_BYTES;
    if (bytes.length < at || bytes.compare(this.#id, 0, ID_BYTES, 0, ID_BYTES) === 0) return;
    const end = at + bytes.readUInt16BE(ID_BYTES);
    if (bytes.length <= end) return;
    deliver(bytes.toString('utf8', at, end), bytes.subarray(end));
  }

  #failed(reason: unknown): void {
    const error = asError(reason);
    if (this.#onError !== undefined) this.#onError(error);
    else if (!this.#warned) process.emitWarning(error);
    this.#warned = true;
  }
}

/**
 * Topics that all processes share which are on the same channel of a Redis, at most once: while
 * Redis is away, publishes reach this process alone. For the option `topics`, of one server.
 * @param client connected, of the package `redis`. It publishes; a duplicate of it subscribes
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function redisTopics(client: RedisClient, options: RedisTopicsOptions = {}): Backplane {
  if (typeof client?.publish !== 'function' || typeof client.duplicate !== 'function') {
    throw invalidArgType('client', 'a client of the package redis', client);
  }
  checkOptions(OPTIONS, options);
  const { channel = 'ringpoll', error } = options;
  if (typeof channel !== 'string') throw invalidArgType('options.channel', 'a string', channel);
  if (error !== undefined && typeof error !== 'function') {
    throw invalidArgType('options.error', 'a function', error);
  }
  return new RedisTopics(client, channel, error);
}
