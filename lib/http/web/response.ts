// A Response as the Fetch standard has it, cheap when it is only made, returned and sent.
import { STATUS_CODES } from 'node:http';
import {
  type BodyInit,
  type Content,
  decode,
  extractBody,
  ownArrayBuffer,
  parseForm,
  readAll,
  streamOf,
  TEXT_TYPE,
  usedError,
} from './body.js';
import { type HeadersInit, LightHeaders } from './headers.js';
import { apart, join, joinLater } from './platform.js';

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit | null;
}

const NO_BODY_STATUSES = [101, 204, 205, 304];

/**
 * Behaves like the platform's Response, and is an instance of it. Return it from `fetch` handlers:
 * text and bytes are sent without a stream.
 */
export class LightResponse {
  readonly #status: number;
  readonly #statusText: string;
  #content: Content;
  #headers: LightHeaders | undefined;
  #type: string;
  #used = false;

  /** @throws RangeError, TypeError as the standard says */
  constructor(body?: BodyInit | null, init?: ResponseInit) {
    if (apart) join();
    this.#status = 200;
    this.#statusText = '';
    this.#headers = undefined;
    this.#type = '';
    this.#content = undefined;
    if (init !== undefined && init !== null) {
      const { status, statusText, headers } = init;
      if (status !== undefined) this.#status = checkedStatus(status);
      if (statusText !== undefined) this.#statusText = String(statusText);
      if (headers !== undefined && headers !== null) this.#headers = new LightHeaders(headers);
    }
    if (body === undefined || body === null) return;
    if (NO_BODY_STATUSES.includes(this.#status)) {
      throw new TypeError(`A response with status ${this.#status} has no body`);
    }
    if (typeof body === 'string') {
      this.#content = body;
      this.#type = TEXT_TYPE;
    } else {
      const { content, type } = extractBody(body);
      this.#content = content;
      this.#type = type;
    }
  }

  get type(): string {
    return 'default';
  }
  get url(): string {
    return '';
  }
  get redirected(): boolean {
    return false;
  }
  get status(): number {
    return this.#status;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }
  get statusText(): string {
    return this.#statusText;
  }

  get headers(): LightHeaders {
    this.#headers ??= new LightHeaders();
    if (this.#type !== '') {
      if (!this.#headers.has('content-type')) this.#headers.append('content-type', this.#type);
      this.#type = '';
    }
    return this.#headers;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#content === undefined) return null;
    if (!(this.#content instanceof ReadableStream)) {
      const bytes = Buffer.from(this.#content as string);
      this.#content = streamOf(once(bytes));
    }
    return this.#content;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#content instanceof ReadableStream && this.#content.locked);
  }

  /** @internal What is to be sent; the body counts as used from here on. */
  _take(): Content {
    if (this.bodyUsed) throw usedError();
    if (this.#content !== undefined) this.#used = true;
    return this.#content;
  }

  /** @internal Headers as they were set; undefined: none. */
  _pairs(): readonly string[] | undefined {
    return this.#headers?._pairs();
  }

  /** @internal The Content-Type that goes with the body unless a header says otherwise. */
  get _type(): string {
    return this.#type;
  }

  async #bytes(): Promise<Buffer> {
    const content = this._take();
    if (content === undefined) return Buffer.alloc(0);
    if (content instanceof ReadableStream) return readAll(content);
    return Buffer.from(content as string);
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

  clone(): LightResponse {
    if (this.bodyUsed) throw usedError();
    let body = this.#content;
    if (body instanceof ReadableStream) {
      const [ours, theirs] = body.tee();
      this.#content = ours;
      body = theirs;
    }
    const { status, statusText, headers } = this;
    const copy = new LightResponse(null, { status, statusText, headers: [...headers] });
    copy.#content = body;
    return copy;
  }

  static json(data: unknown, init?: ResponseInit): LightResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('The value cannot be serialised as JSON');
    const response = new LightResponse(text, init);
    response.#type = 'application/json';
    return response;
  }

  static redirect(url: string | URL, status = 302): LightResponse {
    if (![301, 302, 303, 307, 308].includes(status)) {
      throw new RangeError(`${status} is not the status of a redirection`);
    }
    return new LightResponse(null, { status, headers: { location: String(new URL(url)) } });
  }

  static error(): Response {
    return globalThis.Response.error();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { status, headers } = this;
    return { status, statusText: this.#statusText || STATUS_CODES[status], headers };
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function checkedStatus(status: number): number {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`The status must be from 200 to 599, but is ${status}`);
  }
  return status;
}

joinLater(LightResponse.prototype, 'Response');
