// A Request as the Fetch standard has it, over a request as we have it: everything is made when it
// is asked for.
import type { HttpRequest } from '../request.js';
import { decode, ownArrayBuffer, parseForm, streamOf, usedError } from './body.js';
import { LightHeaders } from './headers.js';
import { apart, join, joinLater } from './platform.js';
import { isAbsolute, originOf, urlOf } from './url.js';

/**
 * Behaves like the platform's Request, and is an instance of it. Like any request it is valid until
 * its response has ended. `clone()` gives a Request of the platform's own, for `new Request(it)`.
 */
export class LightRequest {
  readonly #http: HttpRequest;
  readonly #origin: string;
  #url: string | undefined = undefined;
  #headers: LightHeaders | undefined = undefined;
  #body: ReadableStream<Uint8Array> | null | undefined = undefined;
  #used = false;

  /** @throws HttpRequestError with status 400 for a host that no URL can have */
  constructor(http: HttpRequest) {
    if (apart) join();
    this.#http = http;
    if (isAbsolute(http)) this.#url = urlOf(http, '');
    this.#origin = this.#url ?? originOf(http);
  }

  get method(): string {
    return this.#http.method;
  }

  /** Absolute, by the Host header, and as `new URL(url).href` writes it. */
  get url(): string {
    this.#url ??= urlOf(this.#http, this.#origin);
    return this.#url;
  }

  get headers(): LightHeaders {
    this.#headers ??= LightHeaders.of(this.#http);
    return this.#headers;
  }

  /** Parameters of the route that matched. */
  get params(): Record<string, string> {
    return this.#http.params;
  }

  get signal(): AbortSignal {
    return this.#http.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#body === undefined) {
      this.#body = this.#http.hasBody ? streamOf(this.#http.stream(), true) : null;
    }
    return this.#body;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#body?.locked ?? false);
  }

  async #bytes(): Promise<Buffer> {
    if (this.bodyUsed) throw usedError();
    if (!this.#http.hasBody) return Buffer.alloc(0);
    this.#used = true;
    if (this.#body === undefined || this.#body === null) return this.#http.body();
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#body as unknown as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  async text(): Promise<string> {
    return decode(await this.#bytes());
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return ownArrayBuffer(await this.#bytes());
  }
  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }
  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.headers.get('content-type') ?? '' });
  }
  async formData(): Promise<FormData> {
    const type = this.headers.get('content-type');
    return parseForm(await this.#bytes(), type);
  }

  /** A copy that is the platform's own; both can be read. */
  clone(): Request {
    if (this.bodyUsed) throw usedError();
    const { method, signal } = this;
    const headers = [...this.headers];
    let body: ReadableStream | null = null;
    if (this.body !== null && method !== 'GET' && method !== 'HEAD') {
      const [ours, theirs] = this.body.tee();
      this.#body = ours;
      body = theirs as ReadableStream;
    }
    const init = { method, headers, signal, body, duplex: 'half' };
    return new globalThis.Request(this.url, init as unknown as RequestInit);
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

joinLater(LightRequest.prototype, 'Request');
