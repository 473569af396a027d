// The HTTP server: from events of the loop to handlers, and from failures to answers.
import { connectionAt, setAfterEvents, uncaught } from '../loop/dispatch.js';
import { Event } from '../loop/protocol.js';
import type { Runtime } from '../loop/runtime.js';
import type { Connection } from '../tcp/connection.js';
import type { Protocol } from '../tcp/group.js';
import type { Listener, StopOptions } from '../tcp/listener.js';
import { HeadTexts } from './head_texts.js';
import type { CheckedHttpOptions } from './options.js';
import type { Request } from './request.js';
import type { Response } from './response.js';
import { beginWalking, endWalking, Session } from './session.js';
import type { StaticRoute } from './static_routes.js';
import { ERRORS, statusLine } from './tables.js';

export type Handler = (request: Request, response: Response) => unknown;

/** What went wrong and was answered for: a handler's error, or a request that was refused. */
export type ErrorListener = (error: Error, request?: Request) => void;

/** Refused requests carry the parser's code, ERR_RINGPOLL_HTTP_*, and the status that was sent. */
export interface HttpRequestError extends Error {
  code: string;
  status: number;
}

setAfterEvents(endWalking);

export class HttpServer implements Protocol {
  readonly #runtime: Runtime;
  readonly #handler: Handler;
  readonly #onError: ErrorListener | undefined;
  readonly #statics: ReadonlyMap<string, StaticRoute>;
  readonly #sessions = new Set<Session>();
  #listener: Listener | undefined;
  /** @internal */
  readonly _maxRequests: number;
  /** @internal */
  readonly _texts: HeadTexts;
  /** @internal */
  readonly _holdsUpgrades: boolean;
  /** @internal Native code wants to know of each answer. */
  readonly _countsAnswers: boolean;
  /** @internal */
  _stopping = false;

  /** @internal */
  constructor(
    of: Runtime,
    handler: Handler,
    onError: ErrorListener | undefined,
    checked: CheckedHttpOptions,
    statics: readonly StaticRoute[],
  ) {
    this.#runtime = of;
    this.#handler = handler;
    this.#onError = onError;
    this.#statics = new Map(statics.map((route) => [route.path, route]));
    this._maxRequests = checked.maxRequests;
    this._texts = new HeadTexts(checked.serverLine);
    this._holdsUpgrades = checked.profile.holdUpgrades;
    this._countsAnswers = statics.length > 0;
  }

  /** @internal */
  _listensOn(listener: Listener): void {
    this.#listener = listener;
  }

  get #on(): Listener {
    return this.#listener as Listener;
  }

  /** Where it listens, or listened. */
  get address(): Listener['address'] {
    return this.#on.address;
  }
  get port(): number | undefined {
    return this.#on.port;
  }
  /** Open connections. */
  get connections(): number {
    return this.#on.connections;
  }

  /**
   * Stops accepting. Idle connections close at once, busy ones after their answer, which says
   * `Connection: close`. Resolves when all are gone; at the deadline the rest is reset.
   */
  stop(options: StopOptions = {}): Promise<void> {
    this._stopping = true;
    const stopped = this.#on._drain(options);
    for (const connection of this.#on._open()) this.#sessionOf(connection).stop();
    return stopped;
  }

  /** Stops accepting and closes every connection at once. */
  close(): void {
    this._stopping = true;
    this.#on.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #sessionOf(connection: Connection): Session {
    const known = connection.data as Session | undefined;
    if (known !== undefined) return known;
    const session = new Session(this, this.#runtime, connection);
    connection.data = session;
    this.#sessions.add(session);
    return session;
  }

  /** @internal */
  event(kind: number, at: number): void {
    const { events } = this.#runtime;
    const connection = connectionAt(events[at + 1], events[at + 2], events[at + 7]);
    // 8: closed. After end() the parser may still find requests: nobody answers them.
    if (connection === undefined || connection._flags & 8) return;
    beginWalking(this._texts);
    const session = this.#sessionOf(connection);
    switch (kind) {
      case Event.request:
        if ((connection._flags & 14) === 0) session.request(at);
        break;
      case Event.body:
        session.bodyPiece(at);
        break;
      case Event.trailers:
        session.trailers(at);
        break;
      case Event.bodyEnd:
        session.bodyEnd();
        break;
      case Event.httpError:
        session.failed(ERRORS[events[at + 3]]);
        break;
      case Event.httpTimeout:
        session.timeout(events[at + 3]);
        break;
    }
  }

  /** @internal Bytes of a connection that was taken over. */
  _raw(connection: Connection, bytes: Buffer): void {
    (connection.data as Session | undefined)?.raw?.data?.(connection, bytes);
  }

  /** @internal */
  _drain(connection: Connection): void {
    (connection.data as Session | undefined)?.raw?.drain?.(connection);
  }

  /** @internal */
  ended(connection: Connection, torn: boolean): void {
    const session = connection.data as Session | undefined;
    if (session === undefined) {
      connection.end();
      return;
    }
    session.ended(torn);
    if (session.raw === undefined) return;
    session.raw.end?.(connection);
    connection.end();
  }

  /** @internal */
  closed(connection: Connection, error: Error | undefined): void {
    const session = connection.data as Session | undefined;
    if (session === undefined) return;
    this.#sessions.delete(session);
    session.closed();
    session.raw?.close?.(connection, error);
  }

  /** @internal */
  _handle(request: Request, response: Response): void {
    try {
      if (this.#statics.size > 0 && this.#answersStatically(request, response)) return;
      const result = this.#handler(request, response);
      if (result === undefined) return;
      if (typeof (result as PromiseLike<unknown>).then !== 'function') return;
      (result as PromiseLike<unknown>).then(undefined, (error) =>
        this.#failed(error, request, response),
      );
    } catch (error) {
      this.#failed(error, request, response);
    }
  }

  /** Native code leaves these to us while earlier requests of the connection are unanswered. */
  #answersStatically(request: Request, response: Response): boolean {
    const route = this.#statics.get(request.path);
    if (route === undefined || (request.method !== 'GET' && request.method !== 'HEAD'))
      return false;
    const { status, headers, body } = route.response;
    response.status(status);
    for (const [name, value] of Object.entries(headers)) response.header(name, value);
    response.end(body);
    return true;
  }

  #failed(thrown: unknown, request: Request, response: Response): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
    if (!response.headersSent) {
      response._reset();
      response.status(500).header('Content-Type', 'text/plain').end('Internal Server Error');
    } else if (!response.ended) {
      request._session.connection.reset();
    }
    this._report(error, request);
  }

  /** @internal */
  _report(error: Error, request?: Request): void {
    if (this.#onError === undefined) {
      process.emitWarning(error);
      return;
    }
    try {
      this.#onError(error, request);
    } catch (second) {
      uncaught(second);
    }
  }

  /** @internal A request that cannot be understood: answered, and the connection ends. */
  _refuse(reason: { code: string; status: number; message: string }, session: Session): void {
    const body = `${reason.message}\n`;
    session.refuse(
      `${statusLine(reason.status)}${this._texts.common()}Content-Type: text/plain\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    if (this.#onError === undefined) return;
    const { code, status } = reason;
    this._report(Object.assign(new Error(reason.message), { code, status }));
  }

  /** @internal The request did not arrive in time. */
  _timedOut(phase: number, session: Session): void {
    const code =
      phase === 1 ? 'ERR_RINGPOLL_HTTP_HEADERS_TIMEOUT' : 'ERR_RINGPOLL_HTTP_REQUEST_TIMEOUT';
    const found = ERRORS.find((error) => error.code === code);
    session.failed(found ?? { code, status: 408, message: 'The request took too long' });
  }
}
