// A configuration in a file: read again when it changes, taken whole, or not at all.
import { fs } from '../builtins.js';
import { INT32_MAX, integer, milliseconds } from '../checks.js';
import { asError, invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type ConfigHandle, checkFunctions, type FollowedConfig } from './follow.js';
import { SharedText } from './shared.js';

export interface HotConfigOptions<T> {
  /** Makes the value of what the file says, or throws: then the old one stays. Default: the value
   * as it is. */
  validate?(value: unknown): T;
  /** Told of a file that cannot be read, is no JSON, or is refused. Default: a process warning. */
  error?(error: Error): unknown;
  /** Milliseconds between two looks at the file. Default: 1,000. */
  interval?: number;
  /** Bytes of the file, beyond which it is refused. Default: 1 MB. */
  maxBytes?: number;
}

const OPTIONS = optionNames<HotConfigOptions<unknown>>('hotConfig()', {
  ...{ validate: true, error: true, interval: true, maxBytes: true },
});
const INTERVAL_MS = 1000;
const BYTES_MAX = 2 ** 20;

/** What hotConfig() gives. */
export class HotConfig<T> implements FollowedConfig<T> {
  readonly #path: string;
  readonly #validate: (value: unknown) => T;
  readonly #error: (error: Error) => unknown;
  readonly #intervalMs: number;
  readonly #bytesMax: number;
  readonly #shared: SharedText;
  readonly #listeners = new Set<(value: T) => unknown>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** What was looked at last, taken or not. */
  #seen: string | undefined;
  #value: T;

  private constructor(path: string, options: HotConfigOptions<T>) {
    const { validate, error } = checkFunctions(options);
    this.#path = path;
    this.#validate = validate;
    this.#error = error;
    this.#intervalMs = milliseconds('options.interval', options.interval, INTERVAL_MS);
    this.#bytesMax = integer('options.maxBytes', options.maxBytes, 1, INT32_MAX >> 1, BYTES_MAX);
    this.#shared = SharedText.ofBytes(this.#bytesMax);
    this.#value = undefined as T;
  }

  /** @internal */
  static async _open<T>(path: string, options: HotConfigOptions<T>): Promise<HotConfig<T>> {
    const config = new HotConfig(path, options);
    await config.#look();
    config.#watch();
    return config;
  }

  /** The one that holds. */
  get value(): T {
    return this.#value;
  }

  get sequence(): number {
    return this.#shared.sequence;
  }

  /** For followConfig() in other threads. */
  get handle(): ConfigHandle {
    return { memory: this.#shared.memory };
  }

  /**
   * Calls `listener` with each configuration that is taken from now on.
   * @returns stops that
   */
  subscribe(listener: (value: T) => unknown): () => void {
    if (typeof listener !== 'function') throw invalidArgType('listener', 'a function', listener);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Looks at the file now.
   * @returns whether there was something new; rejects when it is refused, and tells `error` as well
   */
  async reload(): Promise<boolean> {
    try {
      return await this.#look();
    } catch (error) {
      this.#error(asError(error));
      throw error;
    }
  }

  /** Looks at the file no more; what holds stays. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #watch(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.reload().catch(() => {});
      this.#watch();
    }, this.#intervalMs).unref();
  }

  async #look(): Promise<boolean> {
    const text = await this.#read();
    if (text === this.#seen) return false;
    this.#seen = text;
    const value = this.#validate(JSON.parse(text));
    if (this.#closed) return false;
    // Other threads see it from here on, and this one as well.
    this.#shared.write(text);
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#error(asError(error));
      }
    }
    return true;
  }

  async #read(): Promise<string> {
    const handle = await fs().promises.open(this.#path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > this.#bytesMax) {
        throw new RangeError(`${this.#path} has ${size} bytes, over ${this.#bytesMax}`);
      }
      return await handle.readFile('utf8');
    } catch (error) {
      this.#seen = undefined;
      throw error;
    } finally {
      await handle.close();
    }
  }
}

/**
 * Reads a JSON file, and reads it again when it has changed. What `validate` refuses changes
 * nothing, and is told once. Write the file beside its place and rename it: then nobody sees a
 * half.
 * @returns rejects when the first one cannot be read, is no JSON, or is refused
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export async function hotConfig<T = unknown>(
  path: string,
  options: HotConfigOptions<T> = {},
): Promise<HotConfig<T>> {
  if (typeof path !== 'string') throw invalidArgType('path', 'a string', path);
  checkOptions(OPTIONS, options);
  return await HotConfig._open(path, options);
}
