// Headers as the Fetch standard has them, without its price: those of a request are read from where
// they were received until somebody changes or lists them.
import { invalidArgType } from '../../errors.js';
import { checkFieldValue, fieldName } from '../header_fields.js';
import { linkLater, linkPrototypes, prototypesLinked } from './platform.js';

type Pairs = Iterable<Iterable<string>>;
export type HeadersInit = Record<string, string> | Pairs;

/** What received headers are read from. */
export interface HeadersSource {
  header(name: string): string | undefined;
  /** Name, value, name, value, ... */
  rawHeaders(): readonly string[];
}

const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const SET_COOKIE = 'set-cookie';

// Symbols instead of private members, which a Proxy around the object could not reach.
/** Name, value, name, value, ... */
const LIST = Symbol('list');
/** Where they are read from as long as there is no list. */
const SOURCE = Symbol('source');

/** A value without the space around it; almost always as it is. */
function normalized(value: unknown): string {
  const text = `${value}`;
  if (text === '') return text;
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  return first > 0x20 && last > 0x20 ? text : text.replace(AROUND, '');
}

function checkedName(name: unknown): string {
  const text = `${name}`;
  fieldName(text);
  return text.toLowerCase();
}

/**
 * Behaves like the platform's Headers, is an instance of it, and costs a fraction. Names are kept
 * in lower case.
 */
export class LightHeaders {
  /** @internal */
  declare [LIST]: string[];
  /** @internal */
  declare [SOURCE]: HeadersSource | undefined;

  constructor(init?: HeadersInit | null) {
    if (!prototypesLinked) linkPrototypes();
    this[LIST] = [];
    this[SOURCE] = undefined;
    if (init !== undefined && init !== null) fill(this, init);
  }

  /** @internal */
  static of(source: HeadersSource): LightHeaders {
    const headers = new LightHeaders();
    headers[SOURCE] = source;
    return headers;
  }

  append(name: string, value: string): void {
    const list = listed(this);
    const key = checkedName(name);
    const text = normalized(value);
    checkFieldValue(key, text);
    list.push(key, text);
  }

  set(name: string, value: string): void {
    const list = listed(this);
    const key = checkedName(name);
    const text = normalized(value);
    checkFieldValue(key, text);
    const first = indexOf(list, key);
    if (first < 0) {
      list.push(key, text);
      return;
    }
    list[first + 1] = text;
    for (let i = list.length - 2; i > first; i -= 2) if (list[i] === key) list.splice(i, 2);
  }

  delete(name: string): void {
    const list = listed(this);
    const key = checkedName(name);
    for (let i = list.length - 2; i >= 0; i -= 2) if (list[i] === key) list.splice(i, 2);
  }

  get(name: string): string | null {
    const key = checkedName(name);
    if (this[SOURCE] !== undefined) return this[SOURCE].header(key) ?? null;
    let found: string | null = null;
    const list = this[LIST];
    const between = key === 'cookie' ? '; ' : ', ';
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === key) found = found === null ? list[i + 1] : found + between + list[i + 1];
    }
    return found;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getSetCookie(): string[] {
    const list = listed(this);
    const cookies: string[] = [];
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === SET_COOKIE) cookies.push(list[i + 1]);
    }
    return cookies;
  }

  forEach(
    callback: (value: string, name: string, headers: LightHeaders) => void,
    self?: unknown,
  ): void {
    for (const [name, value] of sorted(this)) callback.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    yield* sorted(this);
  }
  *keys(): IterableIterator<string> {
    for (const [name] of sorted(this)) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of sorted(this)) yield value;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** @internal As they were set: name, value, ... */
  _pairs(): readonly string[] {
    return listed(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, string> {
    return Object.fromEntries(sorted(this));
  }
}

function fill(headers: LightHeaders, init: HeadersInit): void {
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw invalidArgType('init', 'an object', init);
  }
  if (typeof (init as Pairs)[Symbol.iterator] === 'function') {
    for (const pair of init as Pairs) {
      const [name, value, ...more] = pair;
      if (value === undefined || more.length > 0) {
        throw invalidArgType('init', 'made of pairs of name and value', pair);
      }
      headers.append(name, value);
    }
    return;
  }
  const record = init as Record<string, string>;
  for (const name of Object.keys(record)) headers.append(name, record[name]);
}

function listed(headers: LightHeaders): string[] {
  const source = headers[SOURCE];
  const list = headers[LIST];
  if (source === undefined) return list;
  headers[SOURCE] = undefined;
  const raw = source.rawHeaders();
  for (let i = 0; i < raw.length; i += 2) list.push(raw[i].toLowerCase(), raw[i + 1]);
  return list;
}

/** In the order of their names, several of one name joined, but for Set-Cookie. */
function sorted(headers: LightHeaders): [string, string][] {
  const list = listed(headers);
  const names = new Set<string>();
  for (let i = 0; i < list.length; i += 2) names.add(list[i]);
  return [...names].sort().flatMap((name): [string, string][] => {
    if (name === SET_COOKIE) return headers.getSetCookie().map((value) => [name, value]);
    return [[name, headers.get(name) as string]];
  });
}

function indexOf(list: readonly string[], name: string): number {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
  return -1;
}

// `headers instanceof Headers` holds. Every method and getter of the platform's is overridden.
linkLater(LightHeaders.prototype, 'Headers');
