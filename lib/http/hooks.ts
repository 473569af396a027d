// The hooks of a server: functions of the user's that are called at the steps of each connection
// and each request. Without them nothing of this is in the way of a request.
import { asError, invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { onRejection } from '../runtime/rejection.js';
import type { Connection } from '../tcp/connection.js';
import type { Handler } from './handler.js';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
import { extrasOf } from './response_state.js';

/** What a hook sees of a connection: the same object in onAccept and onClose. */
export type HookedConnection = Pick<
  Connection,
  'remoteAddress' | 'remotePort' | 'tls' | 'pendingBytes' | 'bytesRead' | 'bytesWritten'
>;

/**
 * Functions that are called within the turn in which the step happens. What they throw, or reject
 * with, goes to the option `error`, and changes nothing of the request.
 */
export interface ServerHooks {
  /** A connection is there; with TLS, after its handshake. */
  onAccept?(connection: HookedConnection): unknown;
  /**
   * The first byte of a request over HTTP/1 is here; its head may be complete, or take long. Not
   * called for a request of HTTP/2.
   */
  onFirstByte?(connection: HookedConnection): unknown;
  /** The head of a request is complete. Its handler may have to wait for the peer to read. */
  onHeaders?(request: HttpRequest, response: HttpResponse): unknown;
  /** The handler runs next. */
  onHandlerStart?(request: HttpRequest, response: HttpResponse): unknown;
  /** The handler has returned, or its promise is settled; `error` is what it failed with. */
  onHandlerEnd?(request: HttpRequest, response: HttpResponse, error?: unknown): unknown;
  /**
   * All of the answer was given. The kernel gets it when the turn ends, or as its peer reads. Not
   * called when the peer has gone before.
   */
  onFlush?(request: HttpRequest, response: HttpResponse): unknown;
  /** The connection is over; `error` is why, when it did not end in order. */
  onClose?(connection: HookedConnection, error?: Error): unknown;
}

const HOOKS = optionNames<ServerHooks>(
  'options.hooks',
  {
    onAccept: true,
    onFirstByte: true,
    onHeaders: true,
    onHandlerStart: true,
    onHandlerEnd: true,
    onFlush: true,
    onClose: true,
  },
  {
    onRequest: 'onHeaders',
    onResponse: 'onFlush',
    onError: 'errors of handlers go to the option error',
  },
);

export class Hooks {
  readonly #hooks: ServerHooks;
  readonly #report: (error: Error, request?: HttpRequest) => void;
  /** Requests whose handlers wait, and whose heads have been told. */
  readonly #held = new WeakSet<HttpRequest>();

  constructor(hooks: ServerHooks, report: (error: Error, request?: HttpRequest) => void) {
    this.#hooks = hooks;
    this.#report = report;
  }

  /** The `open` of the server's connections; undefined: nobody wants to know. */
  get open(): ((connection: Connection) => void) | undefined {
    const { onAccept, onClose } = this.#hooks;
    if (onAccept === undefined && onClose === undefined) return undefined;
    return (connection) => {
      if (onAccept !== undefined) this.#call(() => onAccept(connection));
      if (onClose === undefined) return;
      const close = (error?: Error) => this.#call(() => onClose(connection, error));
      // It knows of the end whatever the connection speaks by then.
      connection.closed.then(() => close(), close);
    };
  }

  /** Whether native code has to tell of first bytes. */
  get wantsFirstByte(): boolean {
    return this.#hooks.onFirstByte !== undefined;
  }

  begun(connection: Connection): void {
    const { onFirstByte } = this.#hooks;
    if (onFirstByte !== undefined) this.#call(() => onFirstByte(connection));
  }

  /** A request is complete, and its handler has to wait. */
  hold(request: HttpRequest, response: HttpResponse): void {
    const { onHeaders } = this.#hooks;
    if (onHeaders === undefined) return;
    this.#held.add(request);
    this.#call(() => onHeaders(request, response), request);
  }

  /** The handler, with its hooks around it. */
  around(handler: Handler): Handler {
    const { onHeaders, onHandlerStart, onHandlerEnd, onFlush } = this.#hooks;
    if (!(onHeaders || onHandlerStart || onHandlerEnd || onFlush)) return handler;
    return (request, response) => {
      if (onHeaders !== undefined && !this.#held.has(request)) {
        this.#call(() => onHeaders(request, response), request);
      }
      if (onHandlerStart !== undefined) {
        this.#call(() => onHandlerStart(request, response), request);
      }
      if (onFlush !== undefined) this.#watch(request, response, onFlush);
      if (onHandlerEnd === undefined) return handler(request, response);
      const end = (error?: unknown) =>
        this.#call(() => onHandlerEnd(request, response, error), request);
      return toldWhenOver(() => handler(request, response), end);
    };
  }

  #watch(
    request: HttpRequest,
    response: HttpResponse,
    onFlush: NonNullable<ServerHooks['onFlush']>,
  ): void {
    const extras = extrasOf(response);
    const before = extras.observer;
    extras.observer = {
      _over: () => {
        before?._over();
        if (response.ended) this.#call(() => onFlush(request, response), request);
      },
    };
  }

  #call(hook: () => unknown, request?: HttpRequest): void {
    const failed = (thrown: unknown) => this.#report(asError(thrown), request);
    try {
      onRejection(hook(), failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Calls `end` when the handler has returned or thrown, or when its promise is settled. */
function toldWhenOver(run: () => unknown, end: (error?: unknown) => void): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    end(error);
    throw error;
  }
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
    end();
    return result;
  }
  const promise = Promise.resolve(result);
  promise.then(() => end(), end);
  return promise;
}

/** undefined: there are none. @throws TypeError */
export function checkHooks(
  given: unknown,
  report: (error: Error, request?: HttpRequest) => void,
): Hooks | undefined {
  if (given === undefined) return undefined;
  checkOptions(HOOKS, given, 'options.hooks');
  const hooks = given as Record<string, unknown>;
  for (const name of HOOKS.names) {
    if (hooks[name] !== undefined && typeof hooks[name] !== 'function') {
      throw invalidArgType(`options.hooks.${name}`, 'a function', hooks[name]);
    }
  }
  return new Hooks(given as ServerHooks, report);
}
