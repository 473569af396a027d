// Keys of jobs that several processes share, in Redis.
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { KeyStore } from './keys.js';
import type { RedisCommands } from './redis_client.js';

export interface RedisKeysOptions {
  /** Before each key. Default: 'ringpoll:key:'. */
  prefix?: string;
}

const OPTIONS = optionNames<RedisKeysOptions>('RedisKeys', { prefix: true });

/**
 * Idempotency keys in a Redis, for a JobQueue of several processes. While Redis is away, claim()
 * waits or rejects, as its client does.
 */
export class RedisKeys implements KeyStore {
  readonly #client: Pick<RedisCommands, 'sendCommand'>;
  readonly #prefix: string;

  /**
   * @param client connected, of the package `redis`
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
   */
  constructor(client: Pick<RedisCommands, 'sendCommand'>, options: RedisKeysOptions = {}) {
    if (typeof client?.sendCommand !== 'function') {
      throw invalidArgType('client', 'a client of the package redis', client);
    }
    checkOptions(OPTIONS, options);
    const { prefix = 'ringpoll:key:' } = options;
    if (typeof prefix !== 'string') throw invalidArgType('options.prefix', 'a string', prefix);
    this.#client = client;
    this.#prefix = prefix;
  }

  async claim(key: string, ms: number): Promise<boolean> {
    const args = ['SET', this.#prefix + key, '1', 'NX', 'PX', String(ms)];
    return (await this.#client.sendCommand(args)) !== null;
  }

  async release(key: string): Promise<void> {
    await this.#client.sendCommand(['DEL', this.#prefix + key]);
  }
}
