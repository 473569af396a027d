// A request, as a handler sees it.
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { Control, Head, HeadFlag } from '../runtime/protocol.js';
import { control } from '../runtime/runtime.js';
import type { ConnectionTls } from '../tcp/connection_tls.js';
import type { RequestBody } from './body.js';
import { aborted, HttpRequestError } from './errors.js';
import * as head from './head.js';
import { normalPath } from './paths.js';
import { METHODS } from './tables.js';

const EMPTY = Buffer.alloc(0);
const METHOD_HEAD = METHODS.indexOf('HEAD');
const NO_PARAMS: Record<string, string> = Object.freeze(Object.create(null));
// Instead of a turn:
const DETACHED = -1;
const LASTS = -2; // it will be detached when the turn is over

/** What outlasts the turn in which it came, whatever becomes of the response. */
let lasting: HttpRequest[] = [];

/** @internal The memory that requests of this turn lie in is about to be used again. */
export function keepLasting(): void {
  if (lasting.length === 0) return;
  const left = lasting.filter(({ _turn }) => _turn !== DETACHED);
  head.detachAll(left);
  for (const request of left) request._turn = DETACHED;
  lasting = [];
}

/** Empty for the peer of a Unix socket. */
export interface Remote {
  address?: string;
  port?: number;
  path?: string;
}

/** What a request asks of its connection. A session is one. */
export interface RequestPeer {
  readonly remote: Remote;
  /** Its connection is one of TLS. */
  readonly secure: boolean;
  readonly tls: ConnectionTls | undefined;
  readonly http2: boolean;
  /** The peer left while it waited for the answer to this request. */
  leftBehind(request: HttpRequest): boolean;
}

export interface BodyOptions {
  /** Bytes beyond which it fails, and the peer gets 413. Default: the server's maxBodyBytes. */
  limit?: number;
}

const BODY_OPTIONS = optionNames<BodyOptions>('body()', { limit: true });

// A head.HeadView without saying so: members that are internal are not in the types of the package.
/**
 * A request. It is valid until its response has ended, across `await` too; names, values and the
 * target are decoded only when they are asked for.
 */
export class HttpRequest {
  /** @internal */
  declare readonly _peer: RequestPeer;
  /** @internal */
  declare _words: Uint32Array;
  /** @internal */
  declare _at: number;
  /** @internal */
  declare _slab: Buffer;
  /** @internal */
  declare _offset: number;
  /** @internal The turn in which its bytes lie in shared memory, or DETACHED, or LASTS. */
  declare _turn: number;
  /** @internal */
  declare _body: RequestBody | undefined;
  /** @internal */
  declare _abort: AbortController | undefined;
  /** @internal The pattern of the route that matched; '' for none. */
  declare _route: string;
  /** Parameters of the route that matched, by name, decoded. */
  declare params: Record<string, string>;

  /** @internal */
  constructor(
    peer: RequestPeer,
    words: Uint32Array,
    at: number,
    slab: Buffer,
    offset: number,
    turn: number,
  ) {
    this._peer = peer;
    this._words = words;
    this._at = at;
    this._slab = slab;
    this._offset = offset;
    this._turn = turn;
    this._body = undefined;
    this._abort = undefined;
    this._route = '';
    this.params = NO_PARAMS;
  }

  /** @internal The handler goes on after this turn. */
  _keep(): void {
    if (this._turn === DETACHED) return;
    head.detach(this);
    this._turn = DETACHED;
  }

  /** @internal It may be read after this turn, even if the response has ended. */
  _last(): void {
    if (this._turn === DETACHED) return;
    this._turn = LASTS;
    lasting.push(this);
  }

  #check(): void {
    if (this._turn < 0 || this._turn === control[Control.turn]) return;
    throw new RingpollError(
      'ERR_RINGPOLL_HTTP_REQUEST_OVER',
      'The request is over: its response ended in an earlier turn',
    );
  }

  /** @internal The connection is over, and the session will know nothing of this request. */
  _aborts(error: Error): void {
    this._abort ??= new AbortController();
    this._abort.abort(error);
  }

  /** @internal */
  get _isHead(): boolean {
    return this._words[this._at + Head.method] === METHOD_HEAD;
  }

  /** 'GET', 'POST', ... */
  get method(): string {
    this.#check();
    return head.methodOf(this);
  }

  /**
   * The target as it was sent: path and query, or an absolute URL, an authority, '*'. Not for
   * decisions about who may do what: see path.
   */
  get url(): string {
    this.#check();
    return head.targetOf(this);
  }

  /**
   * The path as a URL has it, not decoded: `new URL(url).pathname` is the same. `.` and `..` are
   * resolved, also percent-encoded ones, and a backslash is a slash. Of '*' and an authority '/'.
   */
  get path(): string {
    this.#check();
    const path = head.pathOf(this);
    return path.length === 1 ? path : normalPath(path);
  }

  /** What follows the '?', not decoded, or ''. */
  get query(): string {
    this.#check();
    return head.queryOf(this);
  }

  /** '2.0', '1.1' or '1.0'; a later HTTP/1 counts as 1.1. */
  get httpVersion(): '2.0' | '1.1' | '1.0' {
    this.#check();
    if (this._peer.http2) return '2.0';
    return head.flagsOf(this) & HeadFlag.version11 ? '1.1' : '1.0';
  }

  /** The value of a header; the name may be in any case. Several are joined by ', '. */
  header(name: string): string | undefined {
    if (typeof name !== 'string') throw invalidArgType('name', 'a string', name);
    this.#check();
    return head.findHeader(this, name) ?? head.findHeader(this, name.toLowerCase());
  }

  /** All headers, by name in lower case; several of one name are joined by ', '. */
  headers(): Record<string, string> {
    this.#check();
    const all: Record<string, string> = Object.create(null);
    const count = head.headerCountOf(this);
    for (let i = 0; i < count; i++) {
      const name = head.nameOf(this, i);
      all[name] = head.joinedValue(this, i, all[name]);
    }
    return all;
  }

  /** Name, value, name, value, ... as they were sent. */
  rawHeaders(): string[] {
    this.#check();
    const all: string[] = [];
    const count = head.headerCountOf(this);
    for (let i = 0; i < count; i++) all.push(head.rawNameOf(this, i), head.fieldValue(this, i));
    return all;
  }

  /** True when it has come over TLS. */
  get secure(): boolean {
    return this._peer.secure;
  }

  /**
   * What TLS has agreed on with the client, its certificate too; undefined without TLS, and when it
   * is asked for after the connection was closed.
   */
  get tls(): ConnectionTls | undefined {
    return this._peer.tls;
  }

  /** True when a body follows. */
  get hasBody(): boolean {
    return this._body !== undefined;
  }

  /** The address of the peer, or the one that a trusted PROXY header gave. */
  get remoteAddress(): string | undefined {
    return this._peer.remote?.address;
  }

  get remotePort(): number | undefined {
    return this._peer.remote?.port;
  }

  /**
   * The whole body. Copies: one at most when its length is announced, none of what is received
   * straight into the result; two of a body in chunks.
   * @throws RingpollError ERR_RINGPOLL_HTTP_BODY_USED, ERR_RINGPOLL_HTTP_ABORTED, and
   *   ERR_RINGPOLL_HTTP_REQUEST_OVER when the response ends before all of it has come
   * @throws HttpRequestError ERR_RINGPOLL_HTTP_BODY_TOO_LARGE and what the parser finds
   */
  body(options?: BodyOptions): Promise<Buffer> {
    const limit = checkLimit(options);
    return this._body === undefined ? Promise.resolve(EMPTY) : this._body.whole(limit);
  }

  /** The whole body as text in UTF-8. @throws as body() */
  async text(options?: BodyOptions): Promise<string> {
    return (await this.body(options)).toString('utf8');
  }

  /** The whole body, parsed. @throws as body(), and HttpRequestError with status 400 */
  async json(options?: BodyOptions): Promise<unknown> {
    const text = await this.text(options);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const message = 'The body is not JSON';
      throw new HttpRequestError('ERR_RINGPOLL_HTTP_BODY_INVALID', 400, message, { cause });
    }
  }

  /**
   * The body piece by piece (one copy); reading from the socket pauses while nobody asks.
   * @throws as body()
   */
  stream(): AsyncIterable<Buffer> {
    return this._body === undefined ? nothing() : this._body.stream();
  }

  /** Trailer fields, by name in lower case; complete when the body is. */
  get trailers(): Record<string, string> {
    return this._body?.trailers ?? {};
  }

  /**
   * Aborts when the peer goes away before the response has ended. A peer that ends its side counts
   * as gone, unless the server has allowHalfOpen; a response that is given all the same is sent.
   */
  get signal(): AbortSignal {
    if (this._abort === undefined) {
      this._abort = new AbortController();
      if (this._peer.leftBehind(this)) this._abort.abort(aborted());
    }
    return this._abort.signal;
  }
}

function checkLimit(options: BodyOptions | undefined): number {
  if (options === undefined) return Number.MAX_SAFE_INTEGER;
  checkOptions(BODY_OPTIONS, options);
  const limit: unknown = options.limit;
  if (limit === undefined) return Number.MAX_SAFE_INTEGER;
  if (typeof limit !== 'number') throw invalidArgType('options.limit', 'a number', limit);
  if (!(limit >= 0)) throw outOfRange('options.limit', 'at least 0', limit);
  return limit;
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}
