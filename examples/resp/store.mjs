/** The keyspace. Keys are strings with one character a byte, in the order they were made. */

import { List, MemberSet, SortedSet } from './collections.mjs';
import { CommandError } from './errors.mjs';

/** @typedef {string | Buffer} Value */
/** @typedef {Value | List | MemberSet | SortedSet | Map<string, Value>} Content */
/**
 * @template T
 * @typedef {new () => T} Kind
 */

const wrongType = new CommandError(
  'WRONGTYPE Operation against a key holding the wrong kind of value',
);

/** What a key holds, and when it goes: milliseconds since the epoch, 0 for never. */
export class Entry {
  /** @param {Content} content @param {number} expires */
  constructor(content, expires) {
    this.content = content;
    this.expires = expires;
  }
}

export class Store {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** Keys that expire some day. @type {Set<string>} */
  #mortal = new Set();
  /** Where the sweep goes on. @type {Iterator<string> | undefined} */
  #sweeping;
  /** Keys that expiry has taken. */
  expired = 0;

  /** @param {() => number} [now] milliseconds since the epoch */
  constructor(now = Date.now) {
    this.now = now;
  }

  get size() {
    return this.#entries.size;
  }

  get mortalSize() {
    return this.#mortal.size;
  }

  /** @param {string} key @returns {Entry | undefined} */
  entry(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expires === 0 || entry.expires > this.now()) return entry;
    this.delete(key);
    this.expired += 1;
    return undefined;
  }

  /** @param {string} key @returns {Value | undefined} @throws {CommandError} it is no string */
  string(key) {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    const { content } = entry;
    if (typeof content === 'string' || Buffer.isBuffer(content)) return content;
    throw wrongType;
  }

  /**
   * The collection that a key holds.
   * @template {Content} T
   * @param {string} key
   * @param {Kind<T>} kind
   * @returns {T | undefined}
   * @throws {CommandError} it holds something else
   */
  collection(key, kind) {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.content instanceof kind) return entry.content;
    throw wrongType;
  }

  /**
   * The collection that a key holds, made if there is none.
   * @template {Content} T
   * @param {string} key
   * @param {Kind<T>} kind
   * @returns {T}
   */
  makeCollection(key, kind) {
    const known = this.collection(key, kind);
    if (known !== undefined) return known;
    const made = new kind();
    this.#entries.set(key, new Entry(made, 0));
    return made;
  }

  /** @param {string} key @param {Value} value @param {number} [expires] */
  set(key, value, expires = 0) {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, new Entry(value, expires));
      if (expires !== 0) this.#mortal.add(key);
      return;
    }
    entry.content = value;
    if (entry.expires !== expires) this.expire(key, entry, expires);
  }

  /** Changes what a key holds and leaves its expiry. @param {string} key @param {Value} value */
  replace(key, value) {
    const entry = this.entry(key);
    if (entry === undefined) this.#entries.set(key, new Entry(value, 0));
    else entry.content = value;
  }

  /** @param {string} key @returns {boolean} whether it was there */
  delete(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    if (entry.expires !== 0) this.#mortal.delete(key);
    return this.#entries.delete(key);
  }

  /** @param {string} key @param {Entry} entry @param {number} expires 0 for never */
  expire(key, entry, expires) {
    entry.expires = expires;
    if (expires === 0) this.#mortal.delete(key);
    else this.#mortal.add(key);
  }

  clear() {
    this.#entries.clear();
    this.#mortal.clear();
  }

  /** The keys that are not due. */
  *keys() {
    for (const key of this.#entries.keys()) {
      if (this.entry(key) !== undefined) yield key;
    }
  }

  /**
   * Drops keys that are due, going round all keys that expire, a few at a time.
   * @param {number} limit keys looked at
   * @returns {number} keys dropped
   */
  sweep(limit) {
    const before = this.expired;
    for (let looked = 0; looked < Math.min(limit, this.#mortal.size); looked += 1) {
      this.#sweeping ??= this.#mortal.values();
      const { value, done } = this.#sweeping.next();
      if (done) this.#sweeping = undefined;
      else this.entry(value);
    }
    return this.expired - before;
  }
}

/** @param {Content} content the word that TYPE answers */
export function typeName(content) {
  if (content instanceof List) return 'list';
  if (content instanceof MemberSet) return 'set';
  if (content instanceof SortedSet) return 'zset';
  if (content instanceof Map) return 'hash';
  return 'string';
}
