// A Response as the Fetch standard has it, cheap when it is only made, returned and sent.
import { statusText } from '../status_texts.js';
import { type BodyInit, type Content, extractBody, streamOf, TEXT_TYPE } from './body.js';
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
import { type HeadersInit, LightHeaders } from './headers.js';
import { linkLater, linkPrototypes, prototypesLinked } from './platform.js';

export interface ResponseInit {
  status?: number;
  /** For whoever reads it; what is sent is the status' usual phrase, which clients ignore. */
  statusText?: string;
  headers?: HeadersInit | null;
}

const NO_BODY_STATUSES = [101, 204, 205, 304];

// Symbols instead of private members, which a Proxy around the response could not reach.
const STATUS = Symbol('status');
const STATUS_TEXT = Symbol('statusText');
const CONTENT = Symbol('content');
const HEADERS = Symbol('headers');
const TYPE = Symbol('type');
/** The body was taken without a stream. */
const USED = Symbol('used');

/**
 * Behaves like the platform's Response, and is an instance of it. Return it from `fetch` handlers:
 * text and bytes are sent without a stream.
 */
export class LightResponse {
  /** @internal */
  declare readonly [STATUS]: number;
  /** @internal */
  declare readonly [STATUS_TEXT]: string;
  /** @internal */
  declare [CONTENT]: Content;
  /** @internal */
  declare [HEADERS]: LightHeaders | undefined;
  /** @internal */
  declare [TYPE]: string;
  /** @internal */
  declare [USED]: boolean;
  declare readonly text: BodyReader<'text'>;
  declare readonly json: BodyReader<'json'>;
  declare readonly arrayBuffer: BodyReader<'arrayBuffer'>;
  declare readonly bytes: BodyReader<'bytes'>;
  declare readonly blob: BodyReader<'blob'>;
  declare readonly formData: BodyReader<'formData'>;

  /** @throws RangeError, TypeError as the standard says */
  constructor(body?: BodyInit | null, init?: ResponseInit) {
    if (!prototypesLinked) linkPrototypes();
    this[STATUS] = 200;
    this[STATUS_TEXT] = '';
    this[HEADERS] = undefined;
    this[TYPE] = '';
    this[CONTENT] = undefined;
    this[USED] = false;
    if (init !== undefined && init !== null) {
      const { status, statusText, headers } = init;
      if (status !== undefined) this[STATUS] = checkedStatus(status);
      if (statusText !== undefined) this[STATUS_TEXT] = checkedReason(statusText);
      if (headers !== undefined && headers !== null) this[HEADERS] = new LightHeaders(headers);
    }
    if (body === undefined || body === null) return;
    if (NO_BODY_STATUSES.includes(this[STATUS])) {
      throw new TypeError(`A response with status ${this[STATUS]} has no body`);
    }
    if (typeof body === 'string') {
      this[CONTENT] = body;
      this[TYPE] = TEXT_TYPE;
    } else {
      const { content, type } = extractBody(body);
      this[CONTENT] = content;
      this[TYPE] = type;
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
    return this[STATUS];
  }
  get ok(): boolean {
    return this[STATUS] >= 200 && this[STATUS] < 300;
  }
  get statusText(): string {
    return this[STATUS_TEXT];
  }

  get headers(): LightHeaders {
    this[HEADERS] ??= new LightHeaders();
    if (this[TYPE] !== '') {
      if (!this[HEADERS].has('content-type')) this[HEADERS].append('content-type', this[TYPE]);
      this[TYPE] = '';
    }
    return this[HEADERS];
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this[CONTENT] === undefined) return null;
    if (!(this[CONTENT] instanceof ReadableStream)) {
      const bytes = Buffer.from(this[CONTENT] as string);
      this[CONTENT] = this[USED] ? readStream() : streamOf(once(bytes));
    }
    return this[CONTENT];
  }

  get bodyUsed(): boolean {
    return this[USED] || isUsed(this[CONTENT]);
  }

  /** @internal What is to be sent; the body counts as used from here on. */
  _take(): Content {
    if (this[USED] || isUnusable(this[CONTENT])) throw usedError();
    if (this[CONTENT] !== undefined) this[USED] = true;
    return this[CONTENT];
  }

  /** @internal Headers as they were set; undefined: none. */
  _pairs(): readonly string[] | undefined {
    return this[HEADERS]?._pairs();
  }

  /** @internal The Content-Type that goes with the body unless a header says otherwise. */
  get _type(): string {
    return this[TYPE];
  }

  /** @internal */
  async [TAKE](): Promise<Buffer> {
    const content = this._take();
    if (content === undefined) return Buffer.alloc(0);
    if (content instanceof ReadableStream) return readAll(content);
    return Buffer.from(content as string);
  }

  clone(): LightResponse {
    if (this[USED] || isUnusable(this[CONTENT])) throw usedError();
    let body = this[CONTENT];
    if (body instanceof ReadableStream) {
      const [ours, theirs] = body.tee();
      this[CONTENT] = ours;
      body = theirs;
    }
    const { status, statusText, headers } = this;
    const copy = new LightResponse(null, { status, statusText, headers: [...headers] });
    copy[CONTENT] = body;
    return copy;
  }

  static json(data: unknown, init?: ResponseInit): LightResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('The value cannot be serialised as JSON');
    const response = new LightResponse(text, init);
    response[TYPE] = 'application/json';
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
    return { status, statusText: this[STATUS_TEXT] || statusText(status), headers };
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** RFC 9112 section 4: a reason phrase. */
function checkedReason(statusText: unknown): string {
  const text = String(statusText);
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return text;
  throw new TypeError('The statusText has a character that a status line cannot have');
}

function checkedStatus(status: unknown): number {
  // As the standard converts it: '404' and 404.5 are 404.
  const number = Math.trunc(Number(status));
  if (!(number >= 200 && number <= 599)) {
    throw new RangeError(`The status must be from 200 to 599, but is ${status}`);
  }
  return number;
}

addReaders(LightResponse.prototype);
linkLater(LightResponse.prototype, 'Response');
