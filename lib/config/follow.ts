// The configuration as other threads see it.
import { asError, invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { SharedText } from './shared.js';

/** Of HotConfig.handle: give it to a thread by workerData or postMessage(). */
export interface ConfigHandle {
  readonly memory: SharedArrayBuffer;
}

export interface FollowOptions<T> {
  /** Makes the value of what the file says, or throws. Default: the value as it is. */
  validate?(value: unknown): T;
  /** Told of a configuration that validate() refuses here; the old one stays. Default: a process
   * warning. */
  error?(error: Error): unknown;
}

export interface FollowedConfig<T> {
  /** The newest one. Looking costs one read of shared memory while nothing is new. */
  readonly value: T;
  /** Counts the configurations: 1 is the first. */
  readonly sequence: number;
}

const OPTIONS = optionNames<FollowOptions<unknown>>('followConfig()', {
  validate: true,
  error: true,
});

/** Both functions, checked. */
export function checkFunctions<T>(options: FollowOptions<T>): {
  validate: (value: unknown) => T;
  error: (error: Error) => unknown;
} {
  const { validate = (value: unknown) => value as T, error } = options;
  for (const [name, value] of Object.entries({ validate, error: error ?? validate })) {
    if (typeof value !== 'function') throw invalidArgType(`options.${name}`, 'a function', value);
  }
  return { validate, error: error ?? ((each) => process.emitWarning(each)) };
}

class Followed<T> implements FollowedConfig<T> {
  readonly #shared: SharedText;
  readonly #validate: (value: unknown) => T;
  readonly #error: (error: Error) => unknown;
  #sequence: number;
  #value: T;

  constructor(shared: SharedText, options: FollowOptions<T>) {
    const { validate, error } = checkFunctions(options);
    this.#shared = shared;
    this.#validate = validate;
    this.#error = error;
    const { text, sequence } = shared.read();
    this.#sequence = sequence;
    this.#value = validate(JSON.parse(text));
  }

  get value(): T {
    if (this.#shared.sequence !== this.#sequence) this.#renew();
    return this.#value;
  }

  get sequence(): number {
    return this.#shared.sequence;
  }

  #renew(): void {
    const { text, sequence } = this.#shared.read();
    this.#sequence = sequence;
    try {
      this.#value = this.#validate(JSON.parse(text));
    } catch (error) {
      this.#error(asError(error));
    }
  }
}

/**
 * The configuration of another thread's hotConfig().
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION; what validate()
 *   throws at the first one
 */
export function followConfig<T = unknown>(
  handle: ConfigHandle,
  options: FollowOptions<T> = {},
): FollowedConfig<T> {
  const { memory } = handle ?? {};
  if (!(memory instanceof SharedArrayBuffer)) {
    throw invalidArgType('handle', 'the handle of a HotConfig', handle);
  }
  checkOptions(OPTIONS, options);
  return new Followed<T>(new SharedText(memory), options);
}
