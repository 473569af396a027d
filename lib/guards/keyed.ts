// What is kept by key, for any number of keys, within a bound of memory.

/**
 * A map of at most `max` entries that forgets what was not asked for for the longest time, about:
 * it has two halves, and when the young one is full, the old one is dropped. What is asked for
 * becomes young again. Constant time.
 */
export class BoundedMap<V> {
  readonly #half: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  /** Many requests in a row are often of one key. */
  #lastKey: string | undefined;
  #last: V | undefined;

  constructor(max: number) {
    this.#half = Math.max(1, Math.floor(max / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    if (key === this.#lastKey) return this.#last;
    const value = this.#find(key);
    this.#lastKey = key;
    this.#last = value;
    return value;
  }

  #find(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined || this.#old.size === 0) return value;
    const aged = this.#old.get(key);
    if (aged === undefined) return undefined;
    this.#old.delete(key);
    this.#put(key, aged);
    return aged;
  }

  set(key: string, value: V): void {
    this.#lastKey = undefined;
    this.#put(key, value);
  }

  #put(key: string, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#lastKey = undefined;
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
