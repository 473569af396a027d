// A Request as the Fetch standard has it, over a request as we have it: everything is made when it
// is asked for.
import type { HttpRequest } from '../request.js';
import { streamOf } from './body.js';
import {
  addReaders,
  type BodyReader,
  isUnusable,
  isUsed,
  readAll,
  readStream,
  TAKE,
  usedError,
} from './body_readers.js';
import { LightHeaders } from './headers.js';
import { linkLater, linkPrototypes, prototypesLinked } from './platform.js';
import { isAbsolute, originOf, urlOf } from './url.js';

// Symbols instead of private members, which a Proxy around the request could not reach.
const HTTP = Symbol('http');
const URL = Symbol('url');
const ORIGIN = Symbol('origin');
const HEADERS = Symbol('headers');
const PARAMS = Symbol('params');
/** The body as a stream, once somebody has asked for it. */
const STREAM = Symbol('stream');
/** The body was read without a stream. */
const USED = Symbol('used');
/** Gives the same request as the platform's; another copy of this package finds it too. */
export const REAL = Symbol.for('ringpoll.real');

/**
 * Behaves like the platform's Request, is an instance of it, and costs a fraction. It may be used
 * for as long as somebody has it: what has come of its body stays readable behind the response.
 */
export class LightRequest {
  declare readonly [HTTP]: HttpRequest;
  declare readonly [ORIGIN]: string;
  declare [URL]: string | undefined;
  declare [HEADERS]: LightHeaders | undefined;
  declare [PARAMS]: unknown;
  declare [STREAM]: ReadableStream<Uint8Array> | null | undefined;
  declare [USED]: boolean;
  declare readonly text: BodyReader<'text'>;
  declare readonly json: BodyReader<'json'>;
  declare readonly arrayBuffer: BodyReader<'arrayBuffer'>;
  declare readonly bytes: BodyReader<'bytes'>;
  declare readonly blob: BodyReader<'blob'>;
  declare readonly formData: BodyReader<'formData'>;

  /** @throws HttpRequestError with status 400 for a host that no URL can have */
  constructor(http: HttpRequest) {
    if (!prototypesLinked) linkPrototypes();
    this[HTTP] = http;
    this[URL] = isAbsolute(http) ? urlOf(http, '') : undefined;
    this[ORIGIN] = this[URL] ?? originOf(http);
    this[HEADERS] = undefined;
    this[PARAMS] = undefined;
    this[STREAM] = undefined;
    this[USED] = false;
  }

  get method(): string {
    return this[HTTP].method;
  }

  /** Absolute, by the Host header, and as `new URL(url).href` writes it. */
  get url(): string {
    this[URL] ??= urlOf(this[HTTP], this[ORIGIN]);
    return this[URL];
  }

  get headers(): LightHeaders {
    this[HEADERS] ??= LightHeaders.of(this[HTTP]);
    return this[HEADERS];
  }

  /** Parameters of the route that matched, or what a router has put in their place. */
  get params(): Record<string, string> {
    return (this[PARAMS] as Record<string, string> | undefined) ?? this[HTTP].params;
  }
  set params(value: unknown) {
    this[PARAMS] = value;
  }

  get signal(): AbortSignal {
    return this[HTTP].signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this[STREAM] === undefined) {
      const { _body: body } = this[HTTP];
      if (body === undefined) {
        this[STREAM] = null;
      } else if (this[USED]) {
        this[STREAM] = readStream();
      } else {
        this[STREAM] = streamOf(this[HTTP].stream(), true);
        body.through = this[STREAM];
      }
    }
    return this[STREAM];
  }

  get bodyUsed(): boolean {
    return this[USED] || isUsed(this[STREAM]);
  }

  async [TAKE](): Promise<Buffer> {
    if (this[USED] || isUnusable(this[STREAM])) throw usedError();
    if (!this[HTTP].hasBody) return Buffer.alloc(0);
    const stream = this[STREAM];
    if (stream !== undefined && stream !== null) return readAll(stream);
    this[USED] = true;
    return this[HTTP].body();
  }

  /** A copy; the bodies of both can be read. */
  clone(): LightRequest {
    if (this[USED] || isUnusable(this[STREAM])) throw usedError();
    const copy = new LightRequest(this[HTTP]);
    if (this[HEADERS] !== undefined) copy[HEADERS] = new LightHeaders(this[HEADERS]);
    copy[PARAMS] = this[PARAMS];
    copy[STREAM] = null;
    if (this.body !== null) [this[STREAM], copy[STREAM]] = this.body.tee();
    return copy;
  }

  /** The platform's, which takes the body over. @throws TypeError when that has been used */
  [REAL](withBody: boolean): Request {
    const { method, signal } = this;
    const init: Record<string, unknown> = { method, signal, headers: [...this.headers] };
    if (withBody && this[HTTP].hasBody) {
      if (this[USED] || isUnusable(this[STREAM])) throw usedError();
      init.body = this.body;
      init.duplex = 'half';
    }
    return new globalThis.Request(this.url, init as RequestInit);
  }

  get cache(): string {
    return 'default';
  }
  get credentials(): string {
    return 'same-origin';
  }
  get destination(): string {
    return '';
  }
  get duplex(): string {
    return 'half';
  }
  get integrity(): string {
    return '';
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  get isReloadNavigation(): boolean {
    return false;
  }
  get keepalive(): boolean {
    return false;
  }
  get mode(): string {
    return 'cors';
  }
  get redirect(): string {
    return 'follow';
  }
  get referrer(): string {
    return 'about:client';
  }
  get referrerPolicy(): string {
    return '';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { method, url, headers } = this;
    return { method, url, headers };
  }
}

addReaders(LightRequest.prototype);
linkLater(LightRequest.prototype, 'Request');

/** The request behind one of this face; undefined: it is of another kind. */
export function httpOf(request: unknown): HttpRequest | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  return (request as Partial<LightRequest>)[HTTP];
}
