// A request, as a handler sees it.
import { invalidArgType, RingpollError } from '../errors.js';
import { Control, Head, HeadFlag } from '../loop/protocol.js';
import { runtime } from '../loop/runtime.js';
import type { RequestBody } from './body.js';
import { RequestHead } from './head.js';
import type { Session } from './session.js';
import { METHODS } from './tables.js';

const EMPTY = Buffer.alloc(0);
const METHOD_HEAD = METHODS.indexOf('HEAD');

/**
 * A request. It is valid until its response has ended, across `await` too; names, values and the
 * target are decoded only when they are asked for.
 */
export class Request extends RequestHead {
  /** @internal */
  readonly _session: Session;
  /** @internal */
  _body: RequestBody | undefined;
  /** @internal */
  _abort: AbortController | undefined;
  /** Parameters of the route that matched, by name. */
  params: Record<string, string> = NO_PARAMS;
  #turn: number;

  /** @internal */
  constructor(
    session: Session,
    words: Uint32Array,
    at: number,
    slab: Buffer,
    offset: number,
    turn: number,
  ) {
    super(words, at, slab, offset);
    this._session = session;
    this.#turn = turn;
  }

  /** @internal The handler goes on after this turn. */
  _keep(): void {
    if (this.#turn < 0) return;
    this.detach();
    this.#turn = -1;
  }

  #check(): void {
    if (this.#turn < 0 || this.#turn === runtime().control[Control.turn]) return;
    throw new RingpollError(
      'ERR_RINGPOLL_HTTP_REQUEST_OVER',
      'The request is over: its response ended in an earlier turn',
    );
  }

  /** @internal */
  get _isHead(): boolean {
    return this._words[this._at + Head.method] === METHOD_HEAD;
  }

  /** 'GET', 'POST', ... */
  override get method(): string {
    this.#check();
    return super.method;
  }

  /** The target as it was sent: path and query, or an absolute URL, an authority, '*'. */
  get url(): string {
    this.#check();
    return super.target;
  }

  /** The target up to its '?', not decoded. */
  override get path(): string {
    this.#check();
    return super.path;
  }

  /** What follows the '?', not decoded, or ''. */
  override get query(): string {
    this.#check();
    return super.query;
  }

  /** '1.1' or '1.0'. */
  get httpVersion(): '1.1' | '1.0' {
    this.#check();
    return this.flags & HeadFlag.version11 ? '1.1' : '1.0';
  }

  /** The value of a header; the name may be in any case. Several are joined by ', '. */
  header(name: string): string | undefined {
    if (typeof name !== 'string') throw invalidArgType('name', 'a string', name);
    this.#check();
    return this.find(name) ?? this.find(name.toLowerCase());
  }

  /** All headers, by name in lower case; several of one name are joined by ', '. */
  headers(): Record<string, string> {
    this.#check();
    const all: Record<string, string> = Object.create(null);
    for (let i = 0; i < this.headerCount; i++) {
      const name = this.name(i);
      if (!(name in all)) all[name] = this.find(name) as string;
    }
    return all;
  }

  /** Name, value, name, value, ... as they were sent. */
  rawHeaders(): string[] {
    this.#check();
    const all: string[] = [];
    for (let i = 0; i < this.headerCount; i++) all.push(this.rawName(i), this.value(i));
    return all;
  }

  /** True when a body follows. */
  get hasBody(): boolean {
    return this._body !== undefined;
  }

  /** The address of the peer. */
  get remoteAddress(): string | undefined {
    return this._session.connection.remoteAddress;
  }

  /**
   * The whole body (one copy). Its size is limited by maxBodyBytes: beyond it the peer gets 413.
   * @throws RingpollError ERR_RINGPOLL_HTTP_BODY_USED, ERR_RINGPOLL_HTTP_ABORTED
   */
  body(): Promise<Buffer> {
    return this._body === undefined ? Promise.resolve(EMPTY) : this._body.whole();
  }

  /** The whole body as text in UTF-8. */
  async text(): Promise<string> {
    return (await this.body()).toString('utf8');
  }

  /** The whole body, parsed. @throws SyntaxError */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** The body piece by piece; reading from the socket pauses while nobody asks. */
  stream(): AsyncIterable<Buffer> {
    return this._body === undefined ? nothing() : this._body.stream();
  }

  /** Trailer fields; complete when the body is. */
  get trailers(): Record<string, string> {
    return this._body?.trailers ?? {};
  }

  /** Aborts when the peer goes away before the response has ended. */
  get signal(): AbortSignal {
    this._abort ??= new AbortController();
    if (this._session.connection.readyState === 'closed') this._abort.abort(aborted());
    return this._abort.signal;
  }
}

const NO_PARAMS: Record<string, string> = Object.freeze(Object.create(null));

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}

/** The peer went away. */
export function aborted(): RingpollError {
  return new RingpollError('ERR_RINGPOLL_HTTP_ABORTED', 'The peer went away');
}
