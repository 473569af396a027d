// A response as the Fetch standard has it, over one as we have it: everything is made when it is
// asked for.

import { streamOf } from '../http/web/body.js';
import {
  addReaders,
  type BodyReader,
  isUnusable,
  isUsed,
  readAll,
  readStream,
  TAKE,
  usedError,
} from '../http/web/body_readers.js';
import { type HeadersSource, LightHeaders } from '../http/web/headers.js';
import { linkLater, linkPrototypes, prototypesLinked } from '../http/web/platform.js';
import { codingsOf, decoded } from './decode.js';
import { overLimit } from './errors.js';
import { type ClientResponse, WHOLE_BODY_BYTES_MAX } from './response.js';

const NO_BODY_STATUSES = [101, 103, 204, 205, 304];

// Symbols instead of private members, which a Proxy around the response could not reach.
const OURS = Symbol('ours');
const URL = Symbol('url');
const REDIRECTED = Symbol('redirected');
const HAS_BODY = Symbol('hasBody');
const HEADERS = Symbol('headers');
const STREAM = Symbol('stream');
const USED = Symbol('used');

export class FetchedResponse {
  declare readonly [OURS]: ClientResponse;
  declare readonly [URL]: string;
  declare readonly [REDIRECTED]: boolean;
  declare readonly [HAS_BODY]: boolean;
  declare [HEADERS]: LightHeaders | undefined;
  declare [STREAM]: ReadableStream<Uint8Array> | undefined;
  declare [USED]: boolean;
  declare readonly text: BodyReader<'text'>;
  declare readonly json: BodyReader<'json'>;
  declare readonly arrayBuffer: BodyReader<'arrayBuffer'>;
  declare readonly bytes: BodyReader<'bytes'>;
  declare readonly blob: BodyReader<'blob'>;
  declare readonly formData: BodyReader<'formData'>;

  constructor(response: ClientResponse, url: string, redirected: boolean, method: string) {
    if (!prototypesLinked) linkPrototypes();
    this[OURS] = response;
    const hash = url.indexOf('#');
    this[URL] = hash < 0 ? url : url.slice(0, hash);
    this[REDIRECTED] = redirected;
    this[HAS_BODY] = method !== 'HEAD' && !NO_BODY_STATUSES.includes(response.status);
    this[HEADERS] = undefined;
    this[STREAM] = undefined;
    this[USED] = false;
  }

  get type(): string {
    return 'basic';
  }
  get url(): string {
    return this[URL];
  }
  get redirected(): boolean {
    return this[REDIRECTED];
  }
  get status(): number {
    return this[OURS].status;
  }
  get ok(): boolean {
    return this[OURS].ok;
  }
  get statusText(): string {
    return this[OURS].statusText;
  }

  get headers(): LightHeaders {
    this[HEADERS] ??= LightHeaders.of(this[OURS] as HeadersSource);
    return this[HEADERS];
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!this[HAS_BODY]) return null;
    this[STREAM] ??= this[USED] ? readStream() : this.#stream();
    return this[STREAM];
  }

  #stream(): ReadableStream<Uint8Array> {
    const response = this[OURS];
    const codings = codingsOf(response) ?? [];
    return streamOf(codings.length === 0 ? response : decoded(response, codings));
  }

  get bodyUsed(): boolean {
    return this[USED] || isUsed(this[STREAM]);
  }

  async [TAKE](): Promise<Buffer> {
    if (this[USED] || isUnusable(this[STREAM])) throw usedError();
    if (!this[HAS_BODY]) return Buffer.alloc(0);
    if (this[STREAM] !== undefined) return readAll(this[STREAM]);
    this[USED] = true;
    const response = this[OURS];
    const codings = codingsOf(response) ?? [];
    if (codings.length === 0) return response.bytes();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of decoded(response, codings)) {
      length += piece.length;
      // A few bytes may be coded for very many.
      if (length > WHOLE_BODY_BYTES_MAX) throw overLimit('limit');
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** The platform's: both can be read. */
  clone(): Response {
    if (this[USED] || isUnusable(this[STREAM])) throw usedError();
    const { status, statusText, headers, body } = this;
    let theirs: ReadableStream<Uint8Array> | null = null;
    if (body !== null) [this[STREAM], theirs] = body.tee();
    return new globalThis.Response(theirs, { status, statusText, headers: [...headers] });
  }

  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { status, statusText, url, headers } = this;
    return { status, statusText, url, headers };
  }
}

addReaders(FetchedResponse.prototype);
linkLater(FetchedResponse.prototype, 'Response');
