// Client: requests to any number of origins, over connections that are kept.
import { boolean, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { fieldLine } from '../http/header_fields.js';
import { checkOptions, optionNames } from '../option_names.js';
import { Ask } from '../runtime/protocol.js';
import { lengthOf } from '../runtime/staging.js';
import { type ConnectOptions, connect } from '../tcp/connect.js';
import type { ClientTlsOptions } from '../tls/index.js';
import { clientTls } from './client_tls.js';
import { observed } from './diagnostics.js';
import { clientClosed, timedOut } from './errors.js';
import { Exchange } from './exchange.js';
import { type Connector, Pool, type PoolCounts } from './pool.js';
import { type RequestBody, RequestBodySource, readBody } from './request_body.js';
import {
  checkMethod,
  isIdempotent,
  isPipelined,
  type RequestHeaders,
  readHeaders,
  saysEmpty,
} from './request_head.js';
import type { ClientResponse } from './response.js';
import { type CheckedClient, type ClientOptions, checkClient } from './settings.js';
import { type Origin, type RequestTarget, targetOf } from './target.js';
import { tunnelThrough } from './tunnel.js';
import './events.js';

export interface RequestOptions {
  /** A token. Default: 'GET'. */
  method?: string;
  /** Header fields. Those that describe the connection are the client's own. */
  headers?: RequestHeaders;
  /** Text, bytes, or an iterable of these, which is sent in chunks unless content-length is set. */
  body?: RequestBody | null;
  /** Trailer fields behind a body in chunks; asked for when all of it was given. */
  trailers?: () => Record<string, string>;
  /** Aborts the request, or the body of its response. */
  signal?: AbortSignal;
  /** As the client's own option. */
  headTimeout?: number;
  /** As the client's own option. */
  bodyTimeout?: number;
  /** As the client's own option. */
  timeout?: number;
  /**
   * Whether the request may be sent again when a kept connection has ended without an answer.
   * Default: by the method, for GET, HEAD, PUT, DELETE, OPTIONS and TRACE.
   */
  idempotent?: boolean;
  /**
   * Sends the body when the server has said that it wants it, by 100 (Continue), or a second has
   * passed. When the server answers before that, it gets no body. Default: false.
   */
  expectContinue?: boolean;
  /** Asks for another protocol; a response 101 has upgrade() then. */
  upgrade?: string;
  /** Called for each response 1xx, within the turn in which it came. */
  informational?(response: ClientResponse): void;
}

const OPTIONS = optionNames<RequestOptions>(
  'request()',
  {
    method: true,
    headers: true,
    body: true,
    trailers: true,
    signal: true,
    headTimeout: true,
    bodyTimeout: true,
    timeout: true,
    idempotent: true,
    expectContinue: true,
    upgrade: true,
    informational: true,
  },
  {
    headersTimeout: 'headTimeout',
    query: 'a part of the URL',
    path: 'a part of the URL',
    origin: 'a part of the URL',
    host: 'a part of the URL',
    dispatcher: 'make a Client, and call its request()',
    agent: 'make a Client, and call its request()',
  },
);

const noTrailers = () => '';

/**
 * Sends requests, and keeps connections. One for a program is enough; several have connections,
 * limits and time-outs of their own.
 */
export class Client {
  readonly #checked: CheckedClient;
  readonly #tls: ClientTlsOptions;
  readonly #pools = new Map<string, Pool>();
  #tunnel: Connector | undefined;
  #closing: { promise: Promise<void>; resolve: () => void } | undefined;

  /**
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE,
   *   _OUT_OF_RANGE, _UNKNOWN_OPTION
   * @throws RingpollError ERR_RINGPOLL_TLS_..., by what is wrong with `tls`
   */
  constructor(options: ClientOptions = {}) {
    this.#checked = checkClient(options);
    this.#tls = clientTls(options.tls);
  }

  /**
   * Sends a request. The promise resolves with the head of its response; the body is read from it.
   * Redirections are responses like others. Copies: one of head and body on their way out, and of
   * a response what the methods that read it say.
   * @param url absolute, of the scheme http or https
   * @returns rejects with a ClientError, the system's error when no connection comes about, what
   *   the body's iterable threw, or the signal's reason
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE,
   *   _OUT_OF_RANGE, _UNKNOWN_OPTION, and as node:http for names and values of headers
   */
  request(url: string | URL, options: RequestOptions = NO_OPTIONS): Promise<ClientResponse> {
    if (options !== NO_OPTIONS) checkOptions(OPTIONS, options);
    const target = targetOf(url);
    if (this.#closing !== undefined) return Promise.reject(clientClosed());
    return new Promise((resolve, reject) => {
      const exchange = this.#exchange(target, options, resolve, reject);
      if (exchange === undefined) return;
      this.#poolOf(target.origin).dispatch(exchange);
    });
  }

  #exchange(
    target: RequestTarget,
    options: RequestOptions,
    resolve: (response: ClientResponse) => void,
    reject: (error: unknown) => void,
  ): Exchange | undefined {
    const { signal, informational, upgrade } = options;
    if (signal !== undefined) {
      if (!(signal instanceof AbortSignal)) {
        throw invalidArgType('options.signal', 'an AbortSignal', signal);
      }
      if (signal.aborted) {
        reject(signal.reason);
        return undefined;
      }
    }
    const method = checkMethod(options.method);
    const fields = readHeaders(options.headers);
    const body = readBody(options.body);
    let stream = body instanceof RequestBodySource ? body : undefined;
    let content = stream === undefined ? (body as string | Uint8Array | undefined) : undefined;
    const trailers = options.trailers === undefined ? noTrailers : trailerText(options.trailers);
    let flags = method === 'HEAD' ? Ask.head : method === 'CONNECT' ? Ask.connect : 0;
    if (informational !== undefined) flags |= Ask.informational;
    if (stream !== undefined) flags |= Ask.sending;
    const forwards = target.origin.secure ? undefined : this.#checked.proxy;
    let head = `${method} ${pathOf(method, target, forwards !== undefined)} HTTP/1.1\r\n`;
    if (!fields.hasHost) head += `host: ${target.origin.authority}\r\n`;
    if (forwards !== undefined) head += forwards.authorization;
    head += fields.text + lengthField(method, fields.length, content, stream !== undefined);
    let declared = fields.length;
    const expects = boolean('options.expectContinue', options.expectContinue, false);
    if (expects && (stream ?? content) !== undefined) {
      head += 'expect: 100-continue\r\n';
      flags |= Ask.informational;
      if (content !== undefined) {
        declared = typeof content === 'string' ? Buffer.byteLength(content) : lengthOf(content);
        stream = new RequestBodySource([content][Symbol.iterator]());
        content = undefined;
        flags |= Ask.sending;
      }
    }
    if (upgrade !== undefined) {
      flags |= Ask.upgrade;
      head += `connection: upgrade\r\n${fieldLine('upgrade', upgrade)}\r\n`;
    } else {
      head += fields.closes ? 'connection: close\r\n\r\n' : '\r\n';
    }
    const times = this.#checked;
    const headMs = milliseconds('options.headTimeout', options.headTimeout, times.headMs);
    const bodyMs = milliseconds('options.bodyTimeout', options.bodyTimeout, times.bodyMs);
    const timeoutMs = milliseconds('options.timeout', options.timeout, times.wholeMs);
    const repeatable = options.idempotent ?? isIdempotent(method);
    const isAlone = stream !== undefined || content !== undefined || upgrade !== undefined;
    const exchange = new Exchange({
      method,
      ...observed(method, target, { head, resolve, reject }),
      body: content,
      stream,
      declared,
      expects,
      trailers,
      flags,
      headMs,
      bodyMs,
      repeatable,
      closes: fields.closes,
      pipelines: !isAlone && repeatable && !fields.closes && isPipelined(method),
      informational,
    });
    if (signal !== undefined || timeoutMs > 0) watch(exchange, signal, timeoutMs);
    return exchange;
  }

  #poolOf(origin: Origin): Pool {
    const { proxy } = this.#checked;
    if (proxy === undefined) return this.#poolAt(origin, connect);
    // The proxy asks servers of http: URLs itself: they share its connections.
    if (!origin.secure) return this.#poolAt(proxy.origin, connect);
    this.#tunnel ??= tunnelThrough(proxy, this.#checked.headMs, (exchange) =>
      this.#poolAt(proxy.origin, connect).dispatch(exchange),
    );
    return this.#poolAt(origin, this.#tunnel);
  }

  #poolAt(origin: Origin, connector: Connector): Pool {
    const known = this.#pools.get(origin.key);
    if (known !== undefined) return known;
    const { key, host, port, secure } = origin;
    const { socketPath, connecting } = this.#checked;
    const where = socketPath === undefined ? { host, port } : { path: socketPath };
    const tls = secure ? { tls: { ...this.#tls, servername: serverName(this.#tls, host) } } : {};
    const pool = new Pool(
      this.#checked,
      { ...connecting, ...where, ...tls } as ConnectOptions,
      () => this.#emptied(key),
      connector,
    );
    this.#pools.set(key, pool);
    return pool;
  }

  /** What nobody uses is forgotten: a client may talk to any number of origins. */
  #emptied(key: string): void {
    this.#pools.delete(key);
    if (this.#pools.size === 0) this.#closing?.resolve();
  }

  /** Connections and waiting requests of all origins. */
  get counts(): PoolCounts & { origins: number } {
    const sum = { origins: this.#pools.size, open: 0, idle: 0, connecting: 0, pending: 0 };
    for (const { counts } of this.#pools.values()) {
      sum.open += counts.open;
      sum.idle += counts.idle;
      sum.connecting += counts.connecting;
      sum.pending += counts.pending;
    }
    return sum;
  }

  /** Takes no more requests; resolves when those under way are answered. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      let resolve = () => {};
      const promise = new Promise<void>((resolved) => {
        resolve = resolved;
      });
      this.#closing = { promise, resolve };
      for (const pool of [...this.#pools.values()]) pool.close();
      if (this.#pools.size === 0) resolve();
    }
    return this.#closing.promise;
  }

  /** Ends all connections at once; requests under way reject with ERR_RINGPOLL_CLIENT_CLOSED. */
  destroy(): void {
    void this.close();
    for (const pool of [...this.#pools.values()]) pool.destroy(clientClosed());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const NO_OPTIONS: RequestOptions = {};

/** `absolute`: for a proxy, which needs the origin too. */
function pathOf(method: string, { origin, path }: RequestTarget, absolute: boolean): string {
  if (method !== 'CONNECT') return absolute ? `${origin.key}${path}` : path;
  // RFC 9112 section 3.2.3: always with the port.
  return origin.authority.endsWith(`:${origin.port}`)
    ? origin.authority
    : `${origin.authority}:${origin.port}`;
}

function serverName(tls: ClientTlsOptions, host: string): string | undefined {
  return tls.servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
}

/** How the length of the body is told. */
function lengthField(
  method: string,
  declared: number | undefined,
  content: string | Uint8Array | undefined,
  streams: boolean,
): string {
  if (streams) {
    return declared === undefined
      ? 'transfer-encoding: chunked\r\n'
      : `content-length: ${declared}\r\n`;
  }
  if (content === undefined) {
    if (declared !== undefined && declared !== 0) {
      throw invalidArgValue('options.headers.content-length', '0 without a body', declared);
    }
    return declared === 0 || saysEmpty(method) ? 'content-length: 0\r\n' : '';
  }
  const length = typeof content === 'string' ? Buffer.byteLength(content) : lengthOf(content);
  if (declared !== undefined && declared !== length) {
    throw invalidArgValue('options.headers.content-length', `${length}, as the body is`, declared);
  }
  return `content-length: ${length}\r\n`;
}

function trailerText(trailers: () => Record<string, string>): () => string {
  if (typeof trailers !== 'function') {
    throw invalidArgType('options.trailers', 'a function', trailers);
  }
  return () => {
    let text = '';
    for (const [name, value] of Object.entries(trailers())) text += fieldLine(name, value);
    return text;
  };
}

/** Ends it when the signal says so, or the time is over. */
function watch(exchange: Exchange, signal: AbortSignal | undefined, timeoutMs: number): void {
  const stop = (reason: unknown) => {
    const { carrier } = exchange;
    if (carrier === undefined) exchange.fail(reason);
    else carrier.abandon(exchange, reason);
  };
  const abort = () => stop(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const timer = timeoutMs > 0 ? setTimeout(() => stop(timedOut('whole')), timeoutMs) : undefined;
  exchange.cleanUp = () => {
    signal?.removeEventListener('abort', abort);
    clearTimeout(timer);
  };
}

let shared: Client | undefined;

/** The client behind request() and fetch() of this module; made at its first use. */
export function defaultClient(): Client {
  shared ??= new Client();
  return shared;
}

/** Sends a request with a client that the program shares: see Client.request(). */
export function request(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return defaultClient().request(url, options);
}
