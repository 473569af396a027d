// Headers as the Fetch standard has them, without its price: those of a request are read from where
// they were received until somebody changes or lists them.
import { invalidArgType } from '../../errors.js';
import { checkFieldValue, fieldKind } from '../header_fields.js';
import type { HttpRequest } from '../request.js';
import { apart, join, joinLater } from './platform.js';

type Pairs = Iterable<Iterable<string>>;
export type HeadersInit = Record<string, string> | Pairs;

const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const SET_COOKIE = 'set-cookie';

/** A value without the space around it; almost always as it is. */
function normalized(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  if (text === '') return text;
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  return first > 0x20 && last > 0x20 ? text : text.replace(AROUND, '');
}

function checkedName(name: unknown): string {
  const text = typeof name === 'string' ? name : String(name);
  fieldKind(text);
  return text.toLowerCase();
}

/**
 * Behaves like the platform's Headers, is an instance of it, and costs a fraction. Names are kept
 * in lower case.
 */
export class LightHeaders {
  /** Name, value, name, value, ... */
  #list: string[];
  /** Where they are read from as long as there is no list. */
  #source: HttpRequest | undefined;

  constructor(init?: HeadersInit | null) {
    if (apart) join();
    this.#list = [];
    this.#source = undefined;
    if (init !== undefined && init !== null) this.#fill(init);
  }

  /** @internal */
  static of(request: HttpRequest): LightHeaders {
    const headers = new LightHeaders();
    headers.#source = request;
    return headers;
  }

  #fill(init: HeadersInit): void {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw invalidArgType('init', 'an object', init);
    }
    if (typeof (init as Pairs)[Symbol.iterator] === 'function') {
      for (const pair of init as Pairs) {
        const [name, value, ...more] = pair;
        if (value === undefined || more.length > 0) {
          throw invalidArgType('init', 'made of pairs of name and value', pair);
        }
        this.append(name, value);
      }
      return;
    }
    for (const name of Object.keys(init)) this.append(name, (init as Record<string, string>)[name]);
  }

  #listed(): string[] {
    const source = this.#source;
    if (source === undefined) return this.#list;
    this.#source = undefined;
    const raw = source.rawHeaders();
    for (let i = 0; i < raw.length; i += 2) this.#list.push(raw[i].toLowerCase(), raw[i + 1]);
    return this.#list;
  }

  append(name: string, value: string): void {
    const list = this.#listed();
    const key = checkedName(name);
    const text = normalized(value);
    checkFieldValue(key, text);
    list.push(key, text);
  }

  set(name: string, value: string): void {
    const list = this.#listed();
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
    const list = this.#listed();
    const key = checkedName(name);
    for (let i = list.length - 2; i >= 0; i -= 2) if (list[i] === key) list.splice(i, 2);
  }

  get(name: string): string | null {
    const key = checkedName(name);
    if (this.#source !== undefined) return this.#source.header(key) ?? null;
    let found: string | null = null;
    const list = this.#list;
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
    const list = this.#listed();
    const cookies: string[] = [];
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === SET_COOKIE) cookies.push(list[i + 1]);
    }
    return cookies;
  }

  /** In the order of their names, several of one name joined, but for Set-Cookie. */
  #sorted(): [string, string][] {
    const list = this.#listed();
    const names = new Set<string>();
    for (let i = 0; i < list.length; i += 2) names.add(list[i]);
    return [...names].sort().flatMap((name): [string, string][] => {
      if (name === SET_COOKIE) return this.getSetCookie().map((value) => [name, value]);
      return [[name, this.get(name) as string]];
    });
  }

  forEach(
    callback: (value: string, name: string, headers: LightHeaders) => void,
    self?: unknown,
  ): void {
    for (const [name, value] of this.#sorted()) callback.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    yield* this.#sorted();
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.#sorted()) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.#sorted()) yield value;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** @internal As they were set: name, value, ... */
  _pairs(): readonly string[] {
    return this.#listed();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, string> {
    return Object.fromEntries(this.#sorted());
  }
}

function indexOf(list: readonly string[], name: string): number {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
  return -1;
}

// `headers instanceof Headers` holds. Every method and getter of the platform's is overridden.
joinLater(LightHeaders.prototype, 'Headers');
